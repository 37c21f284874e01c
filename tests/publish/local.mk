# tests/publish: through a whole keeper, because the order of things is what matters.
tap_programs += tests/publish/t_publish tests/publish/t_inputs
tests_publish_t_publish_SOURCES = tests/publish/t_publish.c
tests_publish_t_publish_CPPFLAGS = $(check_cppflags) $(JANSSON_CFLAGS)
tests_publish_t_publish_LDADD = $(client_libs)
tests_publish_t_inputs_SOURCES = tests/publish/t_inputs.c
tests_publish_t_inputs_CPPFLAGS = $(check_cppflags) $(JANSSON_CFLAGS)
tests_publish_t_inputs_LDADD = $(client_libs)
