# The configuration.  toml_shim.cpp is the daemon's only C++; a program that links
# libkdrules.a has no C++ source of its own and is linked by cc, hence -lstdc++.
noinst_LIBRARIES += libkdrules.a
libkdrules_a_SOURCES = \
	daemon/rules/catalog.h daemon/rules/catalog.c daemon/rules/catalog_place.c \
	daemon/rules/conf.c daemon/rules/rule.h \
	daemon/rules/describe.h daemon/rules/describe.c \
	daemon/rules/keys.h daemon/rules/keys.c \
	daemon/rules/near.h daemon/rules/near.c \
	daemon/rules/params.h daemon/rules/params.c \
	daemon/rules/people.h daemon/rules/people.c \
	daemon/rules/rule_read.h daemon/rules/rule_read.c \
	daemon/rules/rule_folders.h daemon/rules/rule_folders.c \
	daemon/rules/rule_keys.c daemon/rules/rule_check.c \
	daemon/rules/toml.h daemon/rules/toml.c daemon/rules/toml_shim.cpp
libkdrules_a_CPPFLAGS = $(AM_CPPFLAGS) $(JANSSON_CFLAGS) \
	-DKD_WORKER_PATH='"$(pkglibexecdir)/kiln-worker"' \
	-DKD_PLUGINS_PATH='"$(plugindir)"'
# What a program that links libkdrules.a links besides.
rules_libs = libkdrules.a $(base_libs) -lstdc++
dist_man_MANS += daemon/kiln.toml.5
