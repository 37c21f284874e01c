/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/gate_elf.h"

#include <errno.h>
#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADERS_MOST = 64 };

#if __ELF_NATIVE_CLASS == 64
enum { CLASS = ELFCLASS64 };
#else
enum { CLASS = ELFCLASS32 };
#endif

/* All that this very program says of the machine it was built for. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((weak, visibility("hidden")));

static int
check_head(const ElfW(Ehdr) * head, struct kd_err *err)
{
	if (memcmp(head->e_ident, ELFMAG, SELFMAG) != 0)
		return kd_err_set(err, -ENOEXEC,
			"cannot load it: it is no ELF file; a plugin is a shared object");
	if (head->e_ident[EI_CLASS] != CLASS ||
		(&__ehdr_start != NULL && head->e_machine != __ehdr_start.e_machine))
		return kd_err_set(err, -ENOEXEC,
			"cannot load it: it was built for another machine (%u, %u bits)",
			head->e_machine, head->e_ident[EI_CLASS] == ELFCLASS64 ? 64 : 32);
	if (head->e_type != ET_DYN)
		return kd_err_set(err, -ENOEXEC,
			"cannot load it: it is no shared object; link it with -shared");
	if (head->e_phnum == 0 || head->e_phnum > HEADERS_MOST ||
		head->e_phentsize != sizeof(ElfW(Phdr)))
		return kd_err_set(
			err, -ENOEXEC, "cannot load it: its program headers are none");
	return 0;
}

static int
cut(off_t size, struct kd_err *err)
{
	return kd_err_set(err, -ENOEXEC,
		"cannot load it: it is cut, what its headers tell of does not end within "
		"its %lld bytes; copy it again",
		(long long)size);
}

int
kd_gate_elf(int fd, struct kd_err *err)
{
	ElfW(Ehdr) head;
	ElfW(Phdr) parts[HEADERS_MOST];
	struct stat st;
	if (fstat(fd, &st) < 0)
		return kd_err_errno(err, -errno, "cannot look at it");
	ssize_t got = pread(fd, &head, sizeof head, 0);
	if (got < SELFMAG)
		memset(&head, 0, sizeof head);
	else if (got < (ssize_t)sizeof head && memcmp(&head, ELFMAG, SELFMAG) == 0)
		return cut(st.st_size, err);
	int rc = check_head(&head, err);
	if (rc < 0)
		return rc;
	const size_t length = head.e_phnum * sizeof *parts;
	if (head.e_phoff > (uint64_t)st.st_size ||
		pread(fd, parts, length, (off_t)head.e_phoff) != (ssize_t)length)
		return cut(st.st_size, err);
	for (unsigned i = 0; i < head.e_phnum; i++) {
		uint64_t end;
		if (parts[i].p_type != PT_LOAD)
			continue;
		if (__builtin_add_overflow(
			    (uint64_t)parts[i].p_offset, parts[i].p_filesz, &end) ||
			end > (uint64_t)st.st_size)
			return cut(st.st_size, err);
	}
	return 0;
}
