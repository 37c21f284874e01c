/* SPDX-License-Identifier: BSD-2-Clause */
/* pano-views with an imitation in place of a GPU, as imitated.c is vmd-fk. */
#include "plugins/pano-views/offload.h"
#include "tests/kernels/imitation.h"

#include <stdlib.h>

__attribute__((constructor)) static void
begin(void)
{
	imitation_behave(getenv("IMITATION"));
	pv_offload_device = &imitation_pano;
}

__attribute__((destructor)) static void
end(void)
{
	imitation_tell(stderr);
}
