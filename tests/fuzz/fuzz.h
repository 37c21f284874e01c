/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz.h - what a harness is: libFuzzer's entry, one file a reader.  The same file is
 * linked with clang's libFuzzer (--enable-fuzzers) or with replay.c, which needs no
 * clang.
 *
 * Built with -DKILN_PLANTED_BUG a harness also walks its input as a careless reader
 * would, without asking whether the bytes are there: run-fuzz.sh must find that, or it
 * proves nothing.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
