# tests/plugins
check_PROGRAMS += tests/plugins/run-plugin
tests_plugins_run_plugin_SOURCES = \
	tests/plugins/run-plugin.c tests/plugins/host.h tests/plugins/host.c

tap_scripts += \
	tests/plugins/t_accuracy.py tests/plugins/t_vmd_fk.py tests/plugins/t_vmd_fk_output.py
EXTRA_DIST += tests/plugins/mmd.py
tap_scripts += tests/plugins/t_template.sh tests/plugins/t_pano_views.py
