/* SPDX-License-Identifier: BSD-2-Clause */
/* files.h - a unit's files as bytes in memory.  Safe for several threads at once. */
#ifndef PV_FILES_H
#define PV_FILES_H

#include "plugins/formats/err.h"
#include "plugins/kiln_plugin.h"

#include <stddef.h>

/* A file's bytes in a buffer that is used again for the next one. */
struct pv_bytes {
	void *bytes;
	size_t length, room;
};

struct pv_files {
	const struct kiln_host *host;
	uint32_t unit;
	uint32_t role; /* of what is written: KILN_PRIMARY or KILN_COMPANION */
};

/* At least so many bytes, aligned to 64, whatever was in them; NULL: no memory. */
void *pv_files_room(void **buffer, size_t *room, size_t wanted);

/* An input and how long it is: a descriptor, or a negative errno with *err. */
int pv_files_open(const struct pv_files *files, const char *name, size_t *length,
	struct fmt_err *err);
/* Reads so many bytes of it and closes it.  0 or a negative errno with *err. */
int pv_files_take(int fd, size_t length, struct pv_bytes *bytes, struct fmt_err *err);

/* Both.  0 or a negative errno with *err. */
int pv_files_read(const struct pv_files *files, const char *name, struct pv_bytes *bytes,
	struct fmt_err *err);
/* 0 or a negative errno with *err. */
int pv_files_write(const struct pv_files *files, const char *name, const void *bytes,
	size_t length, struct fmt_err *err);

#endif
