/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inspect.h - `kiln-worker --inspect` (protocol.h): a kernel's facts about its
 * parameters.
 */
#ifndef KD_INSPECT_H
#define KD_INSPECT_H

/* The manifest is open at descriptor 3.  Prints {"facts":{...}}, or {"error":s}.  Returns
 * the exit status: 0, or 1 with an error. */
int kd_inspect_main(void);

#endif
