# One file a plugin, or a folder when it grows.  A plugin is linked as a program, with
# -shared: nobody links against it, so libtool would only be in the way.
include_HEADERS = plugins/kiln_plugin.h
include plugins/vmd-fk/local.mk
