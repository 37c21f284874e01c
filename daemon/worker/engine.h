/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine.h - the confined half of kiln-worker: loads the plugin open at descriptor 4 and
 * serves the keeper at descriptor 3 (protocol.h) until it is told to quit.
 */
#ifndef KD_ENGINE_H
#define KD_ENGINE_H

#include <stdint.h>

/* needs: what was granted, set of enum kiln_needs.  unconfined: Landlock was not to be
 * had, which is said once.  Returns the exit status. */
int kd_engine_main(uint32_t needs, int unconfined);

#endif
