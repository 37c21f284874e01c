/* SPDX-License-Identifier: BSD-2-Clause */
/* Goal: a drop folder is known by what it is, not by its name alone, and nothing is held
 * open while nothing is to be done. */
#include "daemon/intake/root.h"

#include <errno.h>
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

static char scratch[64], path[80], aside[80];

static int
set_up(void **state)
{
	(void)state;
	strcpy(scratch, "/tmp/kiln-t-root.XXXXXX");
	if (mkdtemp(scratch) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/in", scratch);
	snprintf(aside, sizeof aside, "%s/aside", scratch);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	rmdir(path);
	rmdir(aside);
	return rmdir(scratch);
}

static void
a_folder_is_more_than_its_name(void **state)
{
	(void)state;
	struct kd_root root;
	struct kd_err err;
	assert_int_equal(kd_root_init(&root, path, NULL), 0);
	assert_int_equal(kd_root_find(&root, &err), -ENOENT);
	assert_string_equal(err.text, "No such file or directory");
	assert_false(kd_root_is_same(&root));
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(kd_root_find(&root, &err), 0);
	assert_true(root.fd >= 0);
	assert_true(kd_root_is_same(&root));
	kd_root_release(&root);
	assert_int_equal(root.fd, -1);
	assert_true(kd_root_open(&root) >= 0);
	kd_root_release(&root);
	/* Another one takes its name. */
	assert_int_equal(rename(path, aside), 0);
	assert_int_equal(kd_root_open(&root), -ENOENT);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_false(kd_root_is_same(&root));
	assert_int_equal(kd_root_open(&root), -ESTALE);
	assert_int_equal(kd_root_find(&root, &err), 0);
	assert_true(kd_root_is_same(&root));
	kd_root_lose(&root);
	assert_false(kd_root_is_same(&root));
	kd_root_clear(&root);
}

static void
a_mount_that_is_asked_for_is_waited_for(void **state)
{
	(void)state;
	struct kd_root root;
	struct kd_err err;
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(kd_root_init(&root, path, scratch), 0);
	assert_int_equal(kd_root_find(&root, &err), -ENODEV);
	assert_non_null(strstr(err.text, "nothing is mounted at"));
	kd_root_clear(&root);
	assert_int_equal(kd_root_init(&root, "/proc/self", "/proc"), 0);
	assert_int_equal(kd_root_find(&root, &err), 0);
	kd_root_clear(&root);
}

static void
what_other_machines_change_is_polled(void **state)
{
	(void)state;
	static const unsigned polled[] = {0x6969, 0x517b, 0xff534d42, 0xfe534d42,
		0x65735546, 0x01021997, 0x5346414f, 0x00c36400, 0x0bd00bd0, 0x794c7630};
	/* ext4, xfs, btrfs, tmpfs, zfs, f2fs, vfat: what is done there is told here. */
	static const unsigned watched[] = {0xef53, 0x58465342, 0x9123683e, 0x01021994,
		0x2fc12fc1, 0xf2f52010, 0x4d44};
	for (size_t i = 0; i < sizeof polled / sizeof *polled; i++)
		assert_true(kd_root_needs_polling(polled[i]));
	for (size_t i = 0; i < sizeof watched / sizeof *watched; i++)
		assert_false(kd_root_needs_polling(watched[i]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_folder_is_more_than_its_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_mount_that_is_asked_for_is_waited_for, set_up, tear_down),
		cmocka_unit_test(what_other_machines_change_is_polled),
	};
	return cmocka_run_group_tests_name("root", tests, NULL, NULL);
}
