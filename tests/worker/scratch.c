/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/worker/scratch.h"

#include "daemon/base/file.h"
#include "daemon/base/name.h"
#include "daemon/base/series.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

char scratch_folder[64];

const char *
scratch_build_folder(void)
{
	const char *folder = getenv("top_builddir");
	return folder == NULL ? "." : folder;
}

const char *
scratch_path(const char *name)
{
	static char buffers[8][4200];
	static unsigned next;
	if (name[0] == '/')
		return name;
	char *buffer = buffers[next++ % 8];
	snprintf(buffer, sizeof buffers[0], "%s/%s", scratch_folder, name);
	return buffer;
}

static void
copy_plugin(const char *from, const char *name)
{
	char source[4200];
	snprintf(source, sizeof source, "%s/%s", scratch_build_folder(), from);
	int in = open(source, O_RDONLY | O_CLOEXEC);
	if (in < 0)
		fail_msg("%s: %s", source, strerror(errno));
	int out = open(scratch_path(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	assert_true(out >= 0);
	assert_int_equal(kd_file_copy(in, out), 0);
	assert_int_equal(fchmod(out, 0755), 0);
	close(in);
	close(out);
}

int
scratch_set_up(void **state)
{
	(void)state;
	static const char *const folders[] = {"in", "out", "plugins"};
	/* Below /tmp whatever TMPDIR says: the gate asks who owns the folders above. */
	strcpy(scratch_folder, "/tmp/kiln-test-XXXXXX");
	assert_non_null(mkdtemp(scratch_folder));
	assert_int_equal(chmod(scratch_folder, 0755), 0);
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
		assert_int_equal(mkdir(scratch_path(folders[i]), 0755), 0);
		assert_int_equal(chmod(scratch_path(folders[i]), 0755), 0);
	}
	copy_plugin("plugins/copy.so", "plugins/copy.so");
	copy_plugin("tests/plugins/hostile.so", "plugins/hostile.so");
	return 0;
}

int
scratch_tear_down(void **state)
{
	(void)state;
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(tmp >= 0);
	assert_int_equal(kd_file_remove_tree(tmp, kd_name_base(scratch_folder)), 0);
	close(tmp);
	return 0;
}

void
scratch_write(const char *name, const char *text)
{
	const char *path = scratch_path(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(kd_file_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

char *
scratch_read(const char *name)
{
	char *text;
	size_t length;
	const char *path = scratch_path(name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(kd_file_read_all(fd, 1 << 20, &text, &length), 0);
	close(fd);
	return text;
}

void
scratch_expect_text(const char *name, const char *expected)
{
	char *text = scratch_read(name);
	assert_string_equal(text, expected);
	free(text);
}

void
scratch_mkdir(const char *name)
{
	assert_int_equal(mkdir(scratch_path(name), 0755), 0);
}

int
scratch_exists(const char *name)
{
	struct stat st;
	return lstat(scratch_path(name), &st) == 0;
}

int
scratch_count(const char *folder)
{
	DIR *dir = opendir(scratch_path(folder));
	const struct dirent *entry;
	int count = 0;
	assert_non_null(dir);
	while ((entry = readdir(dir)) != NULL)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

void
scratch_write_frames(const char *pattern, int from, int to)
{
	struct kd_series series;
	char name[4200];
	assert_int_equal(kd_series_parse(pattern, &series), 0);
	for (int i = from; i <= to; i++) {
		snprintf(name, sizeof name, "%s%0*d%s", series.prefix, (int)series.width,
			i, series.suffix);
		scratch_write(name, name);
	}
	kd_series_clear(&series);
}
