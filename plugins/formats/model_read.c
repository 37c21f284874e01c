/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/model_read.h"

#include "plugins/formats/pmd.h"
#include "plugins/formats/pmx.h"

#include <errno.h>
#include <string.h>

int
fmt_model_read(
	const void *bytes, size_t length, struct fmt_model *model, struct fmt_err *err)
{
	const unsigned char *p = bytes;

	if (length == 0)
		return fmt_err_set(
			err, -EBADMSG, "the file is empty; a PMX or PMD was expected");
	if (length >= 4 && memcmp(p, "PMX ", 4) == 0)
		return fmt_pmx_read(bytes, length, model, err);
	if (length >= 3 && memcmp(p, "Pmd", 3) == 0)
		return fmt_pmd_read(bytes, length, model, err);
	if (length >= 20 && memcmp(p, "Vocaloid Motion Data", 20) == 0)
		return fmt_err_set(err, -EBADMSG,
			"a PMX or PMD model was expected, this is a VMD motion");
	return fmt_err_set(err, -EBADMSG,
		"a PMX or PMD model was expected: 'PMX ' or 'Pmd' at byte 0, bytes %02x "
		"%02x %02x "
		"%02x were found",
		p[0], length > 1 ? p[1] : 0u, length > 2 ? p[2] : 0u,
		length > 3 ? p[3] : 0u);
}
