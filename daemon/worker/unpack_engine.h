/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unpack_engine.h - the engine that unpacks one archive (kiln-worker --unpack): the link
 * to its keeper as descriptor 3, the archive as descriptor 4.
 */
#ifndef KD_UNPACK_ENGINE_H
#define KD_UNPACK_ENGINE_H

int kd_unpack_engine_main(void);

#endif
