/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fake.h - a scratch folder with a kiln-worker that is a shell script: a "plugin" is a
 * file whose text the worker prints as its description, or an order to misbehave:
 * "refuse: REASON", "silent", "hang", "flood", "crash".
 */
#ifndef T_FAKE_H
#define T_FAKE_H

struct fake {
	char folder[64]; /* below /tmp */
	char worker[96];
	char plugins[96];
};

/* Makes the folder with the plugins copy.so (kernels copy, gpu-copy) and vmd-fk.so, and
 * points KILN_WORKER and KILN_PLUGINS there. */
void fake_make(struct fake *fake);
void fake_remove(struct fake *fake);

/* Writes a file below the folder, with the folders it needs. */
void fake_write(const struct fake *fake, const char *path, const char *text);

#endif
