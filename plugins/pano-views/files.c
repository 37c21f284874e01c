/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/files.h"

#include "plugins/formats/large.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* From here on fmt_large_alloc() gives whole large pages, which are aligned to more than the
 * rows of a picture need. */
#define LARGE ((size_t)4 << 20)

void *
pv_files_room(void **buffer, size_t *room, size_t wanted)
{
	if (*room < wanted) {
		free(*buffer);
		*buffer = wanted < LARGE ? aligned_alloc(64, (wanted + 63) / 64 * 64)
					 : fmt_large_alloc(wanted);
		*room = *buffer != NULL ? wanted : 0;
	}
	return *buffer;
}

static int
read_bytes(int fd, char *to, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t got = read(fd, to + done, length - done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got < 0 ? -errno : -EIO;
		done += (size_t)got;
	}
	return 0;
}

int
pv_files_open(const struct pv_files *files, const char *name, size_t *length,
	struct fmt_err *err)
{
	struct stat st;
	int fd = files->host->open_input(files->host, files->unit, name);
	if (fd < 0)
		return fmt_err_set(err, fd, "cannot be opened (%s)", strerror(-fd));
	if (fstat(fd, &st) < 0) {
		int rc = -errno;
		close(fd);
		return fmt_err_set(err, rc, "cannot be read (%s)", strerror(-rc));
	}
	*length = (size_t)st.st_size;
	return fd;
}

int
pv_files_take(int fd, size_t length, struct pv_bytes *bytes, struct fmt_err *err)
{
	int rc = pv_files_room(&bytes->bytes, &bytes->room, length + 1) != NULL ? 0
										: -ENOMEM;
	bytes->length = length;
	if (rc == 0)
		rc = read_bytes(fd, bytes->bytes, length);
	close(fd);
	return rc == 0 ? 0 : fmt_err_set(err, rc, "cannot be read (%s)", strerror(-rc));
}

int
pv_files_read(const struct pv_files *files, const char *name, struct pv_bytes *bytes,
	struct fmt_err *err)
{
	size_t length = 0;
	int fd = pv_files_open(files, name, &length, err);
	return fd >= 0 ? pv_files_take(fd, length, bytes, err) : fd;
}

int
pv_files_write(const struct pv_files *files, const char *name, const void *bytes,
	size_t length, struct fmt_err *err)
{
	int fd = files->host->create(files->host, files->unit, name, files->role);
	int rc = fd < 0 ? fd : 0;
	for (size_t done = 0; rc == 0 && done < length;) {
		ssize_t wrote = write(fd, (const char *)bytes + done, length - done);
		if (wrote < 0 && errno != EINTR)
			rc = -errno;
		done += wrote > 0 ? (size_t)wrote : 0;
	}
	if (fd >= 0)
		close(fd);
	return rc == 0 ? 0
		       : fmt_err_set(err, rc, "'%s' cannot be written (%s)", name,
				 strerror(-rc));
}
