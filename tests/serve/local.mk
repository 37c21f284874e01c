# tests/serve
tap_programs += tests/serve/t_control tests/serve/t_notify
tests_serve_t_control_SOURCES = tests/serve/t_control.c
tests_serve_t_control_CPPFLAGS = $(check_cppflags) $(JANSSON_CFLAGS)
tests_serve_t_control_LDADD = libkdserve.a $(base_libs) $(EV_LIBS) $(CMOCKA_LIBS)
tests_serve_t_notify_SOURCES = tests/serve/t_notify.c
tests_serve_t_notify_CPPFLAGS = $(check_cppflags)
tests_serve_t_notify_LDADD = libkdserve.a $(base_libs) $(SYSTEMD_LIBS) $(EV_LIBS) $(CMOCKA_LIBS)
tap_scripts += tests/serve/t_kilnctl.sh
