/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vmd-fk with an imitation in place of a GPU, for run-plugin.  The environment says how it
 * behaves, IMITATION="memory=BYTES ...", see imitation.h; what it met is told on stderr at
 * the end.
 */
#include "plugins/vmd-fk/variant.h"
#include "tests/kernels/imitation.h"

#include <stdlib.h>

__attribute__((constructor)) static void
begin(void)
{
	imitation_behave(getenv("IMITATION"));
	fk_variant_device = &imitation_device;
}

__attribute__((destructor)) static void
end(void)
{
	imitation_tell(stderr);
}
