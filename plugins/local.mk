# One file a plugin, or a folder when it grows.  A plugin is linked as a program, with
# -shared: nobody links against it, so libtool would only be in the way.
include_HEADERS = plugins/kiln_plugin.h
include plugins/gpu/local.mk
include plugins/vmd-fk/local.mk
include plugins/pano-views/local.mk

plugin_PROGRAMS += plugins/copy.so
plugins_copy_so_SOURCES = plugins/copy.c
plugins_copy_so_CFLAGS = $(so_cflags)
plugins_copy_so_LDFLAGS = $(so_ldflags)

dist_man_MANS += plugins/kiln-plugin.7
