/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * File calls below folders other people own: links, FIFOs and ".." do not lead out, an
 * existing name is never replaced by accident, a tree goes without following links.
 */
#include "daemon/base/file.h"
#include "daemon/base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static int dir;

static int
setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/kiln-t-file.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return dir < 0 ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = kd_file_remove_tree(root, folder + 1);
	close(root);
	close(dir);
	return rc;
}

static void
write_file(const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(kd_file_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static void
read_back(const char *name, const char *expected)
{
	struct stat st;
	char *bytes;
	size_t length;
	int fd = kd_file_open_regular(dir, name, &st);
	assert_true(fd >= 0);
	assert_int_equal(kd_file_read_all(fd, 1000, &bytes, &length), 0);
	assert_string_equal(bytes, expected);
	free(bytes);
	close(fd);
}

static void
nothing_leads_out(void **state)
{
	(void)state;
	struct stat st;
	assert_int_equal(symlinkat("/etc", dir, "link"), 0);
	assert_int_equal(symlinkat("/etc/passwd", dir, "file-link"), 0);
	assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
	assert_int_equal(mkdirat(dir, "sub", 0755), 0);
	assert_int_equal(kd_file_open_regular(dir, "link/passwd", &st), -ELOOP);
	assert_int_equal(kd_file_open_regular(dir, "file-link", &st), -ELOOP);
	assert_int_equal(kd_file_open_regular(dir, "../etc/passwd", &st), -EXDEV);
	assert_int_equal(kd_file_open_regular(dir, "/etc/passwd", &st), -EXDEV);
	assert_int_equal(kd_file_open_regular(dir, "fifo", &st), -EINVAL);
	assert_int_equal(kd_file_open_regular(dir, "sub", &st), -EINVAL);
	assert_int_equal(kd_file_open_regular(dir, "absent", &st), -ENOENT);
	assert_true(kd_file_make_parents(dir, "link/x/y", 1) < 0);
}

static void
too_long_a_file_is_refused(void **state)
{
	(void)state;
	char *bytes;
	size_t length;
	write_file("ten", "0123456789");
	int fd = openat(dir, "ten", O_RDONLY);
	assert_int_equal(kd_file_read_all(fd, 9, &bytes, &length), -EFBIG);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(kd_file_read_all(fd, 10, &bytes, &length), 0);
	assert_int_equal(length, 10);
	free(bytes);
	close(fd);
}

static void
renaming_never_replaces(void **state)
{
	(void)state;
	write_file("a", "new");
	write_file("b", "old");
	assert_int_equal(kd_file_rename_new(dir, "a", dir, "b"), -EEXIST);
	read_back("b", "old");
	assert_int_equal(kd_file_exchange(dir, "a", dir, "b"), 0);
	read_back("b", "new");
	read_back("a", "old");
	assert_int_equal(kd_file_rename_new(dir, "a", dir, "c"), 0);
	read_back("c", "old");
	/* An empty folder is no free name either, though rename(2) would take it. */
	assert_int_equal(mkdirat(dir, "full", 0755), 0);
	assert_int_equal(mkdirat(dir, "empty", 0755), 0);
	assert_int_equal(kd_file_rename_new(dir, "full", dir, "empty"), -EEXIST);
}

static void
trees_go_and_links_stay_behind(void **state)
{
	(void)state;
	const char *base;
	assert_int_equal(kd_file_make_parents(dir, "one/two/three/file", 1), 0);
	assert_int_equal(kd_file_make_parents(dir, "one/two/three/file", 1), 0);
	int parent = kd_file_open_parent(dir, "one/two/three/file", &base);
	assert_true(parent >= 0);
	assert_string_equal(base, "file");
	close(parent);
	write_file("kept", "kept");
	write_file("one/two/inner", "x");
	assert_int_equal(symlinkat(folder, dir, "one/two/out"), 0);
	assert_int_equal(kd_file_remove_tree(dir, "one"), 0);
	assert_int_equal(kd_file_remove_tree(dir, "one"), 0);
	assert_int_equal(faccessat(dir, "one", F_OK, 0), -1);
	read_back("kept", "kept");
}

static void
copies_and_hashes_agree(void **state)
{
	(void)state;
	char a[KD_HASH_HEX], b[KD_HASH_HEX];
	uint64_t length;
	write_file("from", "abc");
	int from = openat(dir, "from", O_RDONLY);
	int to = openat(dir, "to", O_RDWR | O_CREAT, 0644);
	assert_int_equal(kd_file_copy(from, to), 0);
	assert_int_equal(kd_hash_file(from, a, NULL), 0);
	assert_int_equal(kd_hash_file(to, b, &length), 0);
	assert_int_equal(length, 3);
	assert_string_equal(a, b);
	/* FIPS 180-2, appendix B.1. */
	assert_string_equal(
		a, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	kd_hash_bytes("abc", 3, b);
	assert_string_equal(a, b);
	close(from);
	close(to);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_leads_out, setup, teardown),
		cmocka_unit_test_setup_teardown(
			too_long_a_file_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(renaming_never_replaces, setup, teardown),
		cmocka_unit_test_setup_teardown(
			trees_go_and_links_stay_behind, setup, teardown),
		cmocka_unit_test_setup_teardown(copies_and_hashes_agree, setup, teardown),
	};
	return cmocka_run_group_tests_name("base/file", tests, NULL, NULL);
}
