/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/base/hash.h"

/* libcrypto's plain functions: what replaces them looks its algorithm up in providers and
 * reads a configuration first, a millisecond of each process that hashes but one line. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include <errno.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <unistd.h>

struct kd_hash {
	SHA256_CTX context;
};

struct kd_hash *
kd_hash_new(void)
{
	struct kd_hash *hash = calloc(1, sizeof *hash);
	if (hash != NULL)
		SHA256_Init(&hash->context);
	return hash;
}

void
kd_hash_add(struct kd_hash *hash, const void *bytes, size_t length)
{
	SHA256_Update(&hash->context, bytes, length);
}

void
kd_hash_end(struct kd_hash *hash, char hex[KD_HASH_HEX])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char sum[KD_HASH_BYTES] = {0};
	SHA256_Final(sum, &hash->context);
	for (int i = 0; i < KD_HASH_BYTES; i++) {
		hex[2 * i] = digits[sum[i] >> 4];
		hex[2 * i + 1] = digits[sum[i] & 15];
	}
	hex[KD_HASH_HEX - 1] = '\0';
	kd_hash_free(hash);
}

void
kd_hash_free(struct kd_hash *hash)
{
	free(hash);
}

int
kd_hash_file_until(int fd, atomic_int *stop, char hex[KD_HASH_HEX], uint64_t *length)
{
	enum { PIECE = 1 << 18 };
	int rc = -ENOMEM;
	uint64_t total = 0;
	char *piece = malloc(PIECE);
	struct kd_hash *hash = kd_hash_new();
	if (piece == NULL || hash == NULL)
		goto out;
	for (;;) {
		if (stop != NULL && atomic_load(stop) != 0) {
			rc = -ECANCELED;
			goto out;
		}
		ssize_t got = pread(fd, piece, PIECE, (off_t)total);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			rc = -errno;
			goto out;
		}
		if (got == 0)
			break;
		kd_hash_add(hash, piece, (size_t)got);
		total += (uint64_t)got;
	}
	kd_hash_end(hash, hex);
	hash = NULL;
	if (length != NULL)
		*length = total;
	rc = 0;
out:
	kd_hash_free(hash);
	free(piece);
	return rc;
}

int
kd_hash_file(int fd, char hex[KD_HASH_HEX], uint64_t *length)
{
	return kd_hash_file_until(fd, NULL, hex, length);
}

void
kd_hash_bytes(const void *bytes, size_t length, char hex[KD_HASH_HEX])
{
	struct kd_hash *hash = kd_hash_new();
	if (hash == NULL)
		abort(); /* some hundred bytes are not to be had: nothing sensible is left
			  */
	kd_hash_add(hash, bytes, length);
	kd_hash_end(hash, hex);
}
