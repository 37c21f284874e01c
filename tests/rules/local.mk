# tests/rules
tap_programs += tests/rules/t_refused
rules_fake = tests/rules/fake.h tests/rules/fake.c
tests_rules_t_refused_SOURCES = tests/rules/t_refused.c $(rules_fake)
tests_rules_t_refused_CPPFLAGS = $(check_cppflags) $(JANSSON_CFLAGS)
tests_rules_t_refused_LDADD = $(rules_libs) $(CMOCKA_LIBS)
tap_programs += tests/rules/t_conf
tests_rules_t_conf_SOURCES = tests/rules/t_conf.c $(rules_fake)
tests_rules_t_conf_CPPFLAGS = $(check_cppflags) $(JANSSON_CFLAGS)
tests_rules_t_conf_LDADD = $(rules_libs) $(CMOCKA_LIBS)
tap_programs += tests/rules/t_catalog
tests_rules_t_catalog_SOURCES = tests/rules/t_catalog.c $(rules_fake)
tests_rules_t_catalog_CPPFLAGS = $(check_cppflags) $(JANSSON_CFLAGS)
tests_rules_t_catalog_LDADD = $(rules_libs) $(CMOCKA_LIBS)
