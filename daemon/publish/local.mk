# What becomes of outputs and inputs.
noinst_LIBRARIES += libkdpublish.a
libkdpublish_a_SOURCES = \
	daemon/publish/copy.h daemon/publish/copy.c \
	daemon/publish/durable.h daemon/publish/durable.c \
	daemon/publish/finish.h daemon/publish/finish.c \
	daemon/publish/folder.h daemon/publish/folder.c \
	daemon/publish/inputs.h daemon/publish/inputs.c \
	daemon/publish/publish.h daemon/publish/publish.c \
	daemon/publish/publish_find.h daemon/publish/publish_find.c \
	daemon/publish/publish_unit.h daemon/publish/publish_unit.c \
	daemon/publish/quarantine.h daemon/publish/quarantine.c \
	daemon/publish/restage.h daemon/publish/restage.c \
	daemon/publish/sidecar.h daemon/publish/sidecar.c \
	daemon/publish/slot.h daemon/publish/slot.c \
	daemon/publish/stage.h daemon/publish/stage.c \
	daemon/publish/superseded.h daemon/publish/superseded.c \
	daemon/publish/transfer.h daemon/publish/transfer.c
libkdpublish_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS)
