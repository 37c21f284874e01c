/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/pmd.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_model.h"

#include <stdlib.h>
#include <string.h>

#ifdef KILN_PLANTED_BUG
/* Trusts the count of vertices. */
static uint32_t
careless(const uint8_t *data, size_t size)
{
	uint32_t count, sum = 0;

	if (size < 287 || memcmp(data, "Pmd", 3) != 0)
		return 0;
	memcpy(&count, data + 283, sizeof count);
	for (uint32_t i = 0; i < count % 65536; i++)
		sum += data[287 + i * 38];
	return sum;
}
#endif

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fmt_model model;
	struct fmt_err err = {0};

	if (fmt_pmd_read(data, size, &model, &err) == 0) {
		fuzz_model_check(&model);
		fmt_model_free(&model);
	} else if (err.text[0] == '\0') {
		abort();
	}
#ifdef KILN_PLANTED_BUG
	static volatile uint32_t sink;
	sink += careless(data, size);
	(void)sink;
#endif
	return 0;
}
