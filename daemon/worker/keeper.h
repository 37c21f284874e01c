/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keeper.h - the trusted half of kiln-worker: takes batches from a client (protocol.h),
 * has an engine work on them, publishes, finishes inputs.
 */
#ifndef KD_KEEPER_H
#define KD_KEEPER_H

/* Serves the client at descriptor 3 until it closes the link.  The exit status: 0; 1 when
 * the client broke the protocol. */
int kd_keeper_main(void);

/* Without a client, as on a farm: runs the manifest in one file and writes the result to
 * another (written beside, fsynced, renamed).  The exit status: 0 when the result was
 * written, whatever it says. */
int kd_keeper_standalone(const char *manifest, const char *result);

#endif
