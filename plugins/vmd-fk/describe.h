/* SPDX-License-Identifier: BSD-2-Clause */
/* describe.h - a model's bones as JSON, for `kilnctl describe`. */
#ifndef FK_DESCRIBE_H
#define FK_DESCRIBE_H

#include "plugins/formats/model.h"
#include "plugins/kiln_plugin.h"

/* Gives the host the facts "model" and "bones".  0 or -ENOMEM. */
int fk_describe(const struct kiln_host *host, const struct fmt_model *model);

#endif
