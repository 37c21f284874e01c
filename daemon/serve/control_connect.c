/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one thing both ends of the control socket share: how its path becomes an address.
 */
#include "daemon/serve/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int
kd_control_address(const char *path, struct sockaddr_un *address, int *dir)
{
	struct sockaddr_un made = {.sun_family = AF_UNIX};
	*dir = -1;
	if (strlen(path) < sizeof made.sun_path) {
		strcpy(made.sun_path, path);
		*address = made;
		return 0;
	}
	/* sun_path holds 107 bytes; a deep folder is named by its descriptor instead. */
	char folder[4096];
	const char *slash = strrchr(path, '/');
	if (slash == NULL || (size_t)(slash - path) >= sizeof folder)
		return -ENAMETOOLONG;
	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = '\0';
	int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if ((size_t)snprintf(made.sun_path, sizeof made.sun_path, "/proc/self/fd/%d/%s",
		    fd, slash + 1) >= sizeof made.sun_path) {
		close(fd);
		return -ENAMETOOLONG;
	}
	*address = made;
	*dir = fd;
	return 0;
}

int
kd_control_connect(const char *path, struct kd_err *err)
{
	struct sockaddr_un address;
	int dir = -1;
	int rc = kd_control_address(path, &address, &dir);
	if (rc < 0)
		return kd_err_errno(err, rc, "cannot use '%s'", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
		rc = kd_err_errno(err, -errno, "cannot connect to '%s'", path);
	if (dir >= 0)
		close(dir);
	if (rc == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return rc;
}
