tap_programs += tests/queue/t_ledger
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
# The configuration is the tests' own.
two_rules = tests/queue/two_rules.h tests/queue/two_rules.c
two_rules_libs = libkilnd.a libkdqueue.a $(base_libs) $(SQLITE_LIBS) $(CMOCKA_LIBS)
tap_programs += tests/queue/t_queue
tests_queue_t_queue_SOURCES = tests/queue/t_queue.c $(two_rules)
tests_queue_t_queue_CPPFLAGS = $(check_cppflags)
tests_queue_t_queue_LDADD = $(two_rules_libs)
tap_programs += tests/queue/t_outcome
tests_queue_t_outcome_SOURCES = tests/queue/t_outcome.c $(two_rules)
tests_queue_t_outcome_CPPFLAGS = $(check_cppflags)
tests_queue_t_outcome_LDADD = $(two_rules_libs)
tap_programs += tests/queue/t_regroup
tests_queue_t_regroup_SOURCES = tests/queue/t_regroup.c $(two_rules)
tests_queue_t_regroup_CPPFLAGS = $(check_cppflags)
tests_queue_t_regroup_LDADD = $(two_rules_libs)
EXTRA_DIST += tests/queue/schema-1.sql
