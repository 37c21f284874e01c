/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/rules/fake.h"

#include "daemon/base/file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char worker[] = "#!/bin/sh\n"
			     "[ \"$1\" = --describe ] || exit 2\n"
			     "read -r order <\"$2\"\n"
			     "case $order in\n"
			     "refuse:*) echo \"<3>${order#refuse: }\" >&2; exit 1 ;;\n"
			     "silent) exit 1 ;;\n"
			     "hang) exec sleep 1000 ;;\n"
			     "flood) exec yes ;;\n"
			     "crash) kill -SEGV $$ ;;\n"
			     "*) exec cat \"$2\" ;;\n"
			     "esac\n";

static const char copy[] =
	"{\"name\":\"copy\",\"version\":\"0.1.0\",\"kernels\":["
	"{\"name\":\"copy\",\"summary\":\"as it "
	"is\",\"accepts\":[\"file\",\"directory\"],"
	"\"makes\":\"same\",\"needs\":[],\"inspect\":false,\"params\":["
	"{\"name\":\"level\",\"type\":\"integer\",\"required\":false,\"default\":\"3\","
	"\"minimum\":1,\"maximum\":9,\"unit\":\"steps\",\"choices\":null,\"help\":\"h\"},"
	"{\"name\":\"scale\",\"type\":\"number\",\"required\":false,\"default\":\"1\","
	"\"minimum\":0,\"maximum\":2.5,\"unit\":null,\"choices\":null,\"help\":\"h\"},"
	"{\"name\":\"shape\",\"type\":\"json\",\"required\":false,\"default\":null,"
	"\"unit\":null,\"choices\":null,\"help\":\"h\"}]},"
	"{\"name\":\"gpu-copy\",\"summary\":\"by GPU\",\"accepts\":[\"file\"],"
	"\"makes\":\"file\",\"needs\":[\"cuda\",\"jit\"],\"inspect\":false,\"params\":[]}"
	","
	"{\"name\":\"starter\",\"summary\":\"by programs\",\"accepts\":[\"file\"],"
	"\"makes\":\"file\",\"needs\":[\"exec\"],\"inspect\":false,\"params\":[]}"
	"]}";

#define BOOL(name, value)                                                                \
	"{\"name\":\"" name                                                              \
	"\",\"type\":\"bool\",\"required\":false,\"default\":\"" value                   \
	"\",\"unit\":null,\"choices\":null,\"help\":\"h\"}"
static const char vmd_fk[] =
	"{\"name\":\"vmd-fk\",\"version\":\"0.1.0\",\"kernels\":["
	"{\"name\":\"vmd-fk\",\"summary\":\"poses\",\"accepts\":[\"file\"],"
	"\"makes\":\"file\",\"needs\":[],\"inspect\":true,\"params\":["
	"{\"name\":\"model\",\"type\":\"path\",\"required\":true,\"default\":null,"
	"\"unit\":null,\"choices\":null,\"help\":\"The model.\"},"
	"{\"name\":\"bones\",\"type\":\"list\",\"required\":false,"
	"\"default\":\"\\\"all\\\"\",\"unit\":null,\"choices\":null,\"help\":\"h\"}"
	"," BOOL("ik", "true") "," BOOL("append", "true") "," BOOL(
		"morphs", "true") "," BOOL("preview", "false") "," BOOL("strict",
		"false") ","
			 "{\"name\":\"encoding\",\"type\":\"string\",\"required\":false,"
			 "\"default\":\"\\\"cp932\\\"\",\"unit\":null,"
			 "\"choices\":[\"cp932\",\"gbk\",\"utf-8\"],\"help\":\"h\"}]}]}";

struct fake fake;

void
fake_write(const char *path, const char *text)
{
	char full[PATH_MAX];
	snprintf(full, sizeof full, "%s/%s", fake.folder, path);
	char *slash = strrchr(full, '/');
	*slash = '\0';
	assert_int_equal(kd_file_make_dirs(full, 0755), 0);
	*slash = '/';
	int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	assert_true(fd >= 0);
	assert_int_equal(kd_file_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

int
fake_set_up(void **state)
{
	(void)state;
	snprintf(fake.folder, sizeof fake.folder, "/tmp/kiln-rules-XXXXXX");
	assert_non_null(mkdtemp(fake.folder));
	snprintf(fake.worker, sizeof fake.worker, "%s/worker", fake.folder);
	snprintf(fake.plugins, sizeof fake.plugins, "%s/plugins", fake.folder);
	fake_write("worker", worker);
	fake_write("plugins/copy.so", copy);
	fake_write("plugins/vmd-fk.so", vmd_fk);
	setenv("KILN_WORKER", fake.worker, 1);
	setenv("KILN_PLUGINS", fake.plugins, 1);
	return 0;
}

int
fake_tear_down(void **state)
{
	(void)state;
	int dir = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(kd_file_remove_tree(dir, strrchr(fake.folder, '/') + 1), 0);
	close(dir);
	return 0;
}
