/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hash.h - SHA-256 by libcrypto, and its hexadecimal form.
 */
#ifndef KD_HASH_H
#define KD_HASH_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define KD_HASH_BYTES 32
#define KD_HASH_HEX   65 /* with the NUL */

struct kd_hash;			   /* a running sum */
struct kd_hash *kd_hash_new(void); /* NULL: out of memory */
void kd_hash_add(struct kd_hash *hash, const void *bytes, size_t length);
void kd_hash_end(struct kd_hash *hash, char hex[KD_HASH_HEX]); /* frees hash */
void kd_hash_free(struct kd_hash *hash);

/* A whole file from offset 0; leaves the offset there.  0 or a negative errno; *length
 * (may be NULL) is what was read. */
int kd_hash_file(int fd, char hex[KD_HASH_HEX], uint64_t *length);
/* The same, but -ECANCELED soon after *stop became nonzero; stop NULL: never. */
int kd_hash_file_until(int fd, atomic_int *stop, char hex[KD_HASH_HEX], uint64_t *length);
void kd_hash_bytes(const void *bytes, size_t length, char hex[KD_HASH_HEX]);

#endif
