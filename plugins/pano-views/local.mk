plugin_PROGRAMS += plugins/pano-views.so
plugins_pano_views_so_SOURCES = \
	plugins/pano-views/pano_views.c \
	plugins/pano-views/state.h plugins/pano-views/state.c \
	plugins/pano-views/variant.h plugins/pano-views/variant.c \
	plugins/pano-views/views.h plugins/pano-views/views.c \
	plugins/pano-views/maps.h plugins/pano-views/maps.c \
	plugins/pano-views/place.h plugins/pano-views/place.c \
	plugins/pano-views/extras.h plugins/pano-views/extras.c \
	plugins/pano-views/alpha.h plugins/pano-views/alpha.c \
	plugins/pano-views/files.h plugins/pano-views/files.c \
	plugins/pano-views/list.h plugins/pano-views/list.c \
	plugins/pano-views/sheet.h plugins/pano-views/sheet.c \
	plugins/pano-views/thumbnail.h plugins/pano-views/thumbnail.c \
	plugins/pano-views/light.h plugins/pano-views/light.c \
	plugins/pano-views/mask.h plugins/pano-views/mask.c \
	plugins/pano-views/frame.h plugins/pano-views/frame.c \
	plugins/pano-views/lot.h plugins/pano-views/lot.c \
	plugins/pano-views/crew.h plugins/pano-views/crew.c \
	plugins/pano-views/fallback.h plugins/pano-views/fallback.c \
	plugins/pano-views/device.h plugins/pano-views/device.c \
	plugins/pano-views/charts.h plugins/pano-views/charts.c \
	plugins/pano-views/room.h plugins/pano-views/room.c \
	plugins/pano-views/gpu.h plugins/pano-views/gpu.c \
	plugins/pano-views/hold.h plugins/pano-views/hold.c \
	plugins/pano-views/offload.h plugins/pano-views/offload.c \
	plugins/pano-views/cameras.h plugins/pano-views/cameras.c \
	plugins/pano-views/unit.h plugins/pano-views/unit.c
plugins_pano_views_so_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) $(KILN_CUDA_CPPFLAGS)
plugins_pano_views_so_CFLAGS = $(so_cflags)
plugins_pano_views_so_LDFLAGS = $(so_ldflags)
plugins_pano_views_so_LDADD = $(gpu_objects) $(pv_cuda_objects) libkern.a \
	$(KILN_CUDA_LIBS) $(libfmtimage_libs) $(JANSSON_LIBS) -lpthread
dist_man_MANS += plugins/pano-views/pano-views.7
