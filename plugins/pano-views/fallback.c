/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/fallback.h"

#include <stdio.h>

void
pv_fallback_tell(struct pv_fallback *fallback, const struct kiln_host *host,
	uint32_t unit, const char *why)
{
	char text[1200];
	if (atomic_exchange(&fallback->told, 1))
		return;
	snprintf(text, sizeof text, "views were made on the CPU: %s", why);
	host->warn(host, unit, text);
}

int
pv_fallback_told(struct pv_fallback *fallback)
{
	return atomic_load(&fallback->told);
}
