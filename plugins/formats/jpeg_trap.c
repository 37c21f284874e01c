/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/jpeg_trap.h"

#include <errno.h>

#include <jerror.h>

static void
give_up(j_common_ptr common)
{
	struct fmt_jpeg_trap *trap = (struct fmt_jpeg_trap *)common->err;
	common->err->format_message(common, trap->text);
	trap->code = common->err->msg_code == JERR_OUT_OF_MEMORY ? -ENOMEM : -EBADMSG;
	longjmp(trap->out, 1);
}

static void
hear(j_common_ptr common, int level)
{
	if (level < 0)
		give_up(common);
}

struct jpeg_error_mgr *
fmt_jpeg_trap_set(struct fmt_jpeg_trap *trap)
{
	struct jpeg_error_mgr *manager = jpeg_std_error(&trap->manager);
	manager->error_exit = give_up;
	manager->emit_message = hear;
	return manager;
}
