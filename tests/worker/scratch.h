/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scratch.h - a scratch folder for the test at hand: in/, out/ and plugins/, the plugins
 * being copies that pass the gate.  Everything that goes wrong here fails the test.
 */
#ifndef TESTS_WORKER_SCRATCH_H
#define TESTS_WORKER_SCRATCH_H

extern char scratch_folder[64];
int scratch_set_up(void **state);
int scratch_tear_down(void **state);
#define SCRATCH_TEST(name)                                                               \
	cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

/* Where the programs under test were built. */
const char *scratch_build_folder(void);

/* The folder's `name`, in one of eight static buffers; an absolute one as it is. */
const char *scratch_path(const char *name);

/* Names as above. */
void scratch_write(const char *name, const char *text);
/* A file's text, allocated; fails the test when it is absent. */
char *scratch_read(const char *name);
void scratch_expect_text(const char *name, const char *expected);
void scratch_mkdir(const char *name);
int scratch_exists(const char *name);
/* How many names there are in a folder, hidden ones apart. */
int scratch_count(const char *folder);
/* Files by number, each holding its own name as given. */
void scratch_write_frames(const char *pattern, int from, int to);

#endif
