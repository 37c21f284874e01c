/* SPDX-License-Identifier: BSD-2-Clause */
/* Goal: a plugin is opened only where nobody else could have put it, loaded by what was
 * looked at, and believed only after its descriptor was. */
#include "daemon/worker/gate.h"
#include "tests/worker/client.h"
#include "tests/worker/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void
refused(const char *name, int code, const char *reason)
{
	struct kd_err err;
	int fd = kd_gate_open(scratch_path(name), &err);
	if (fd >= 0)
		print_error("'%s' was opened\n", name);
	assert_int_equal(fd, code);
	if (strstr(err.text, reason) == NULL)
		print_error("expected '%s', found '%s'\n", reason, err.text);
	assert_non_null(strstr(err.text, reason));
}

static void
accepted(const char *name)
{
	struct kd_err err;
	int fd = kd_gate_open(scratch_path(name), &err);
	if (fd < 0)
		print_error("%s\n", err.text);
	assert_true(fd >= 0);
	close(fd);
}

static void
what_others_could_write_is_refused(void **state)
{
	(void)state;
	char file[80], folder[80];
	snprintf(file, sizeof file, "%s/plugins/copy.so", scratch_folder);
	snprintf(folder, sizeof folder, "%s/plugins", scratch_folder);
	accepted("plugins/copy.so");
	refused("plugins/none.so", -ENOENT, "cannot find plugin");
	static const mode_t modes[] = {0775, 0757, 0777};
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		assert_int_equal(chmod(file, modes[i]), 0);
		refused("plugins/copy.so", -EPERM, "can be written by others");
		assert_int_equal(chmod(file, 0755), 0);
		assert_int_equal(chmod(folder, modes[i]), 0);
		refused("plugins/copy.so", -EPERM, "can be written by others");
		assert_int_equal(chmod(folder, 0755), 0);
	}
	/* Sticky or not: only root's own may be, as /tmp is. */
	assert_int_equal(chmod(folder, 01777), 0);
	if (geteuid() != 0)
		refused("plugins/copy.so", -EPERM, "can be written by others");
	assert_int_equal(chmod(folder, 0755), 0);
	accepted("plugins/copy.so");
}

static void
what_others_own_is_refused(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("# SKIP only root can give files away\n");
		skip();
	}
	char file[80], folder[80];
	snprintf(file, sizeof file, "%s/plugins/copy.so", scratch_folder);
	snprintf(folder, sizeof folder, "%s/plugins", scratch_folder);
	assert_int_equal(chown(file, 65534, 65534), 0);
	refused("plugins/copy.so", -EPERM, "belongs to user 65534");
	assert_int_equal(chown(file, 0, 0), 0);
	assert_int_equal(chown(folder, 65534, 65534), 0);
	refused("plugins/copy.so", -EPERM, "belongs to user 65534");
	assert_int_equal(chown(folder, 0, 0), 0);
	accepted("plugins/copy.so");
}

static void
what_is_no_file_is_refused(void **state)
{
	(void)state;
	assert_int_equal(mkfifo(scratch_path("plugins/fifo.so"), 0700), 0);
	refused("plugins/fifo.so", -EINVAL, "is no regular file");
	assert_int_equal(mkdir(scratch_path("plugins/dir.so"), 0755), 0);
	refused("plugins/dir.so", -EINVAL, "is no regular file");
}

/* The folders that count are those in which it really lies. */
static void
links_are_followed_before_anything_is_trusted(void **state)
{
	(void)state;
	assert_int_equal(mkdir(scratch_path("open"), 0755), 0);
	assert_int_equal(chmod(scratch_path("open"), 0777), 0);
	scratch_write("open/theirs.so", "theirs");
	assert_int_equal(
		symlink(scratch_path("open/theirs.so"), scratch_path("plugins/link.so")),
		0);
	refused("plugins/link.so", -EPERM, "can be written by others");
	assert_int_equal(
		symlink(scratch_path("plugins/copy.so"), scratch_path("open/good.so")),
		0);
	accepted("open/good.so");
}

/* A copy of copy.so with bytes of its descriptor (from `offset` on) replaced; open. */
static int
misfit(const char *name, size_t offset, const void *bytes, size_t length)
{
	static char image[1 << 20];
	char path[80];
	snprintf(path, sizeof path, "plugins/%s", name);
	int fd = open(scratch_path("plugins/copy.so"), O_RDONLY | O_CLOEXEC);
	ssize_t size = read(fd, image, sizeof image);
	close(fd);
	assert_in_range(size, 1000, sizeof image - 1);
	const uint32_t head[3] = {KILN_MAGIC, KILN_ABI_MAJOR | KILN_ABI_MINOR << 16,
		sizeof(struct kiln_plugin)};
	char *at = memmem(image, (size_t)size, head, sizeof head);
	assert_non_null(at);
	memcpy(at + offset, bytes, length);
	fd = open(scratch_path(path), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	assert_int_equal(write(fd, image, (size_t)size), size);
	return fd;
}

/* dlopen(3) knows what it has loaded by the name, /proc/self/fd/N: each has its own N. */
static void
expect_load(int given, const char *reason)
{
	static int number = 100;
	const struct kiln_plugin *plugin = NULL;
	struct kd_err err = {0};
	int fd = fcntl(given, F_DUPFD_CLOEXEC, ++number);
	int rc = kd_gate_load(fd, &plugin, &err);
	close(fd);
	close(given);
	if (reason == NULL) {
		assert_int_equal(rc, 0);
		assert_string_equal(plugin->name, "copy");
		return;
	}
	assert_true(rc < 0);
	assert_null(plugin);
	if (strstr(err.text, reason) == NULL)
		print_error("expected '%s', found '%s'\n", reason, err.text);
	assert_non_null(strstr(err.text, reason));
}

static void
a_descriptor_that_does_not_fit_is_refused(void **state)
{
	(void)state;
	const uint32_t magic = KILN_MAGIC ^ 1, size = 8, more = 4096;
	const uint16_t major = KILN_ABI_MAJOR + 1, minor = KILN_ABI_MINOR + 1;
	expect_load(misfit("magic.so", offsetof(struct kiln_plugin, magic), &magic, 4),
		"its magic number is");
	expect_load(
		misfit("major.so", offsetof(struct kiln_plugin, abi_major), &major, 2),
		"it was made for ABI");
	expect_load(
		misfit("minor.so", offsetof(struct kiln_plugin, abi_minor), &minor, 2),
		"it was made for ABI");
	expect_load(misfit("size.so", offsetof(struct kiln_plugin, size), &size, 4),
		"its descriptor is 8 bytes");
	/* More than the symbol has. */
	expect_load(misfit("more.so", offsetof(struct kiln_plugin, size), &more, 4),
		"less than the struct says");
	scratch_write("plugins/text.so", "no ELF file at all");
	expect_load(open(scratch_path("plugins/text.so"), O_RDONLY | O_CLOEXEC),
		"cannot load it: it is no ELF file; a plugin is a shared object");
	expect_load(open("/lib64/ld-linux-x86-64.so.2", O_RDONLY | O_CLOEXEC),
		"it exports no symbol 'kiln_plugin'");
	scratch_write("plugins/empty.so", "");
	expect_load(open(scratch_path("plugins/empty.so"), O_RDONLY | O_CLOEXEC),
		"cannot load it");
}

/* What dlopen(3) would map and die of. */
static void
a_file_that_is_cut_is_refused(void **state)
{
	(void)state;
	static char image[1 << 20];
	int fd = open(scratch_path("plugins/copy.so"), O_RDONLY | O_CLOEXEC);
	ssize_t size = read(fd, image, sizeof image);
	close(fd);
	assert_in_range(size, 1000, sizeof image - 1);
	static const int parts[] = {1, 2, 3, 4, 5};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		char name[40];
		snprintf(name, sizeof name, "plugins/cut%zu.so", i);
		fd = open(
			scratch_path(name), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
		/* Its first segments, then not even these. */
		ssize_t kept = i == 4 ? 60 : 4096 / parts[i];
		assert_int_equal(write(fd, image, (size_t)kept), kept);
		expect_load(fd, "cannot load it: it is cut");
	}
}

static void
what_was_looked_at_is_what_is_loaded(void **state)
{
	(void)state;
	struct kd_err err;
	char path[80];
	snprintf(path, sizeof path, "%s/plugins/copy.so", scratch_folder);
	int fd = kd_gate_open(path, &err);
	assert_true(fd >= 0);
	/* Another file takes its name in between. */
	assert_int_equal(unlink(path), 0);
	scratch_write("plugins/copy.so", "somebody else's");
	expect_load(fd, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(what_others_could_write_is_refused),
		SCRATCH_TEST(what_others_own_is_refused),
		SCRATCH_TEST(what_is_no_file_is_refused),
		SCRATCH_TEST(links_are_followed_before_anything_is_trusted),
		SCRATCH_TEST(a_descriptor_that_does_not_fit_is_refused),
		SCRATCH_TEST(a_file_that_is_cut_is_refused),
		SCRATCH_TEST(what_was_looked_at_is_what_is_loaded),
	};
	return cmocka_run_group_tests_name("gate", tests, NULL, NULL);
}
