tap_programs += tests/intake/t_intake
tests_intake_t_intake_SOURCES = tests/intake/t_intake.c
tests_intake_t_intake_CPPFLAGS = $(check_cppflags)
tests_intake_t_intake_LDADD = libkdintake.a libkdqueue.a $(base_libs) $(SQLITE_LIBS) \
	$(EV_LIBS) $(CMOCKA_LIBS)
