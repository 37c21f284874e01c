# The ledger, batch forming, retries.
noinst_LIBRARIES += libkdqueue.a
libkdqueue_a_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS) $(JANSSON_CFLAGS)
libkdqueue_a_SOURCES = \
	daemon/queue/ledger.h daemon/queue/ledger.c daemon/queue/ledger_order.h \
	daemon/queue/ledger_query.c daemon/queue/ledger_record.c daemon/queue/ledger_schema.c \
	daemon/queue/ledger_amend.c daemon/queue/ledger_keep.c \
	daemon/queue/ledger_member.c daemon/queue/ledger_offer.c \
	daemon/queue/group.h daemon/queue/group.c daemon/queue/heap.h daemon/queue/heap.c \
	daemon/queue/queue.h daemon/queue/queue.c daemon/queue/queue_rule.h \
	daemon/queue/queue_find.c \
	daemon/queue/unit.h daemon/queue/unit.c
