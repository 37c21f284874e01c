/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TESTS_FUZZ_FUZZ_MODEL_H
#define TESTS_FUZZ_FUZZ_MODEL_H

#include "plugins/formats/model.h"

/* Aborts where the model breaks a promise of model.h. */
void fuzz_model_check(const struct fmt_model *model);

#endif
