/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake.h - a scratch folder with a kiln-worker that is a shell script: a "plugin" is a
 * file whose text the worker prints as its description, or an order to misbehave:
 * "refuse: REASON", "silent", "hang", "flood", "crash".
 */
#ifndef T_FAKE_H
#define T_FAKE_H

extern struct fake {
	char folder[64]; /* below /tmp */
	char worker[96];
	char plugins[96];
} fake;

/* Of a group of tests: makes the folder with the plugins copy.so (kernels copy, gpu-copy)
 * and vmd-fk.so, and points KILN_WORKER and KILN_PLUGINS there. */
int fake_set_up(void **state);
int fake_tear_down(void **state);

/* Writes a file below the folder, with the folders it needs. */
void fake_write(const char *path, const char *text);

#endif
