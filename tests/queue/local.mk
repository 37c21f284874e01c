tap_programs += tests/queue/t_ledger tests/queue/t_queue
book = tests/queue/book.h tests/queue/book.c
book_libs = libkdqueue.a libkdmanifest.a $(base_libs) $(SQLITE_LIBS) $(EV_LIBS) \
	$(CMOCKA_LIBS) -lpthread
tests_queue_t_ledger_SOURCES = tests/queue/t_ledger.c $(book)
tests_queue_t_ledger_CPPFLAGS = $(check_cppflags)
tests_queue_t_ledger_LDADD = $(book_libs)
tap_programs += tests/queue/t_ledger_keep
tests_queue_t_ledger_keep_SOURCES = tests/queue/t_ledger_keep.c $(book)
tests_queue_t_ledger_keep_CPPFLAGS = $(check_cppflags)
tests_queue_t_ledger_keep_LDADD = $(book_libs)
# The configuration is the test's own.
tests_queue_t_queue_SOURCES = tests/queue/t_queue.c
tests_queue_t_queue_CPPFLAGS = $(check_cppflags)
tests_queue_t_queue_LDADD = libkilnd.a libkdqueue.a $(base_libs) $(SQLITE_LIBS) $(CMOCKA_LIBS)
EXTRA_DIST += tests/queue/schema-1.sql
