/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/unpack_library.h"

#include <dlfcn.h>
#include <errno.h>

/* Of the ABI that all versions since 3.0 have. */
static const char library_name[] = "libarchive.so.13";

const struct kd_unpack_library *
kd_unpack_library(struct kd_err *err)
{
	static struct kd_unpack_library library;
	static int loaded;
	if (loaded)
		return &library;
	void *object = dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
	int missing = object == NULL;
#define CALL(name)                                                                       \
	if (!missing) {                                                                  \
		library.name = (__typeof__(library.name))dlsym(object, #name);           \
		missing = library.name == NULL;                                          \
	}
	KD_UNPACK_CALLS(CALL)
#undef CALL
	if (missing) {
		kd_err_set(err, -ENOTSUP,
			"cannot load libarchive, which unpacks: %s; install it",
			dlerror());
		return NULL;
	}
	loaded = 1;
	return &library;
}
