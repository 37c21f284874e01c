tap_programs += tests/intake/t_intake
tests_intake_t_intake_SOURCES = tests/intake/t_intake.c
tests_intake_t_intake_CPPFLAGS = $(check_cppflags)
tests_intake_t_intake_LDADD = libkdintake.a libkdqueue.a $(base_libs) $(SQLITE_LIBS) \
	$(EV_LIBS) $(CMOCKA_LIBS)
tap_programs += tests/intake/t_root
tests_intake_t_root_SOURCES = tests/intake/t_root.c
tests_intake_t_root_CPPFLAGS = $(check_cppflags)
tests_intake_t_root_LDADD = libkdintake.a $(base_libs) $(CMOCKA_LIBS)
tap_programs += tests/intake/t_bounds
tests_intake_t_bounds_SOURCES = tests/intake/t_bounds.c
tests_intake_t_bounds_CPPFLAGS = $(check_cppflags)
tests_intake_t_bounds_LDADD = $(tests_intake_t_intake_LDADD)
