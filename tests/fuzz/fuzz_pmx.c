/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/formats/pmx.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/fuzz_model.h"

#include <stdlib.h>
#include <string.h>

#ifdef KILN_PLANTED_BUG
/* Trusts the length of the model's name. */
static uint32_t
careless(const uint8_t *data, size_t size)
{
	uint32_t length, sum = 0;

	if (size < 21 || memcmp(data, "PMX ", 4) != 0)
		return 0;
	memcpy(&length, data + 17, sizeof length);
	for (uint32_t i = 0; i < length % 65536; i++)
		sum += data[21 + i];
	return sum;
}
#endif

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fmt_model model;
	struct fmt_err err = {0};

	if (fmt_pmx_read(data, size, &model, &err) == 0) {
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
