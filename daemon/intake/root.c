/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/intake/root.h"

#include "daemon/base/name.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

int
kd_root_init(struct kd_root *root, const char *path, const char *mount)
{
	*root = (struct kd_root){.path = path, .fd = -1};
	root->mount = mount == NULL ? NULL : strdup(mount);
	return mount != NULL && root->mount == NULL ? -ENOMEM : 0;
}

void
kd_root_clear(struct kd_root *root)
{
	kd_root_release(root);
	free(root->mount);
	root->mount = NULL;
}

static int
is_mount_point(const char *path)
{
	struct statx st;
	return statx(AT_FDCWD, path, AT_NO_AUTOMOUNT, STATX_INO, &st) == 0 &&
	       (st.stx_attributes_mask & st.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

static int
is_mounted(const struct kd_root *root, struct kd_err *err)
{
	if (root->mount == NULL || is_mount_point(root->mount))
		return 0;
	return kd_err_set(
		err, -ENODEV, "nothing is mounted at '%s'", KD_NAME(root->mount));
}

/* The nearest mount point above the folder or the folder itself; a kernel that does not
 * tell them apart (before Linux 5.8), and the root of all, leave it unknown. */
static void
learn_mount(struct kd_root *root)
{
	char real[PATH_MAX];
	if (root->mount != NULL || realpath(root->path, real) == NULL)
		return;
	while (real[1] != '\0') {
		if (is_mount_point(real)) {
			root->mount = strdup(real);
			return;
		}
		char *slash = strrchr(real, '/');
		slash[slash == real] = '\0';
	}
}

int
kd_root_find(struct kd_root *root, struct kd_err *err)
{
	struct stat st;
	int rc = is_mounted(root, err);
	if (rc < 0)
		return rc;
	int fd = open(root->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0) {
		rc = kd_err_set(err, -errno, "%s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return rc;
	}
	kd_root_release(root);
	root->fd = fd;
	root->found = 1;
	root->device = st.st_dev;
	root->inode = st.st_ino;
	learn_mount(root);
	return 0;
}

static int
is_found(const struct kd_root *root, const struct stat *st)
{
	return root->found && st->st_dev == root->device && st->st_ino == root->inode;
}

int
kd_root_is_same(const struct kd_root *root)
{
	struct stat st;
	return stat(root->path, &st) == 0 && is_found(root, &st) &&
	       is_mounted(root, NULL) == 0;
}

int
kd_root_open(struct kd_root *root)
{
	struct stat st;
	if (root->fd >= 0)
		return root->fd;
	int fd = open(root->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !is_found(root, &st)) {
		close(fd);
		return -ESTALE;
	}
	root->fd = fd;
	return fd;
}

void
kd_root_release(struct kd_root *root)
{
	if (root->fd >= 0)
		close(root->fd);
	root->fd = -1;
}

void
kd_root_lose(struct kd_root *root)
{
	kd_root_release(root);
	root->found = 0;
}

int
kd_root_needs_polling(unsigned type)
{
	/* linux/magic.h.  An overlay tells of what is done through it; what comes into
	 * its upper layer from outside, as containers' tools do, it does not see. */
	static const unsigned silent[] = {0x6969 /* NFS */, 0x517b /* SMB */,
		0xff534d42 /* CIFS */, 0xfe534d42 /* SMB2 */, 0x65735546 /* FUSE */,
		0x01021997 /* 9p */, 0x5346414f /* AFS */, 0x00c36400 /* Ceph */,
		0x0bd00bd0 /* Lustre */, 0x794c7630 /* overlay */, 0x01161970 /* GFS2 */,
		0x7461636f /* OCFS2 */, 0x73757245 /* Coda */,
		0x786f4256 /* VirtualBox */, 0xbacbacbc /* VMware */};
	for (size_t i = 0; i < sizeof silent / sizeof *silent; i++)
		if (type == silent[i])
			return 1;
	return 0;
}

int
kd_root_is_polled(const struct kd_root *root)
{
	struct statfs fs;
	return (root->fd >= 0 ? fstatfs(root->fd, &fs) : statfs(root->path, &fs)) == 0 &&
	       kd_root_needs_polling((unsigned)fs.f_type);
}
