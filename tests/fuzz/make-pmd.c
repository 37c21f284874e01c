/* SPDX-License-Identifier: BSD-2-Clause */
/* make-pmd - a small PMD to standard output: a seed for the fuzzer with every type of
 * bone, an IK, a morph and English names. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { BONES = 10 };

static void
put(uint32_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		putchar((int)(value >> 8 * i & 0xff));
}

static void
put_float(float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	put(bits, 4);
}

static void
put_text(const char *raw, size_t size)
{
	size_t length = strlen(raw);
	for (size_t i = 0; i < size; i++)
		putchar(i < length ? (unsigned char)raw[i] : i == length ? 0 : 0xfd);
}

static void
put_ik(uint32_t bone, uint32_t target)
{
	put(bone, 2);
	put(target, 2);
	put(2, 1);
	put(15, 2);
	put_float(.5f);
	put(1, 2);
	put(0, 2);
}

int
main(void)
{
	static const char *const names[BONES] = {"root", "\x8d\xb6\x82\xd0\x82\xb4", "ik",
		"b3", "b4", "b5", "target", "b7", "twist", "linked"};

	fwrite("Pmd", 1, 3, stdout);
	put_float(1);
	put_text("seed", 20);
	put_text("comment", 256);
	put(1, 4);
	put_text("", 38);
	put(3, 4);
	put_text("", 6);
	put(1, 4);
	put_text("", 70);
	put(BONES, 2);
	for (uint32_t i = 0; i < BONES; i++) {
		put_text(names[i], 20);
		put(i - 1, 2); /* the parent */
		put(i + 1 < BONES ? i + 1 : 3, 2);
		put(i, 1); /* each type once */
		put(i == 9 ? 50 : 4, 2);
		for (int k = 0; k < 3; k++)
			put_float((float)i);
	}
	put(2, 2);
	put_ik(2, 6);
	put_ik(2, 7);
	put(2, 2);
	for (uint32_t i = 0; i < 2; i++) {
		put_text(i == 0 ? "base" : "smile", 20);
		put(1, 4);
		put(i, 1);
		put_text("", 16);
	}
	put(1, 1); /* morphs shown */
	put(1, 2);
	put(1, 1); /* groups of bones */
	put_text("group", 50);
	put(1, 4);
	put_text("\x01", 3);
	put(1, 1); /* English follows */
	put_text("seed", 20);
	put_text("comment", 256);
	for (int i = 0; i < BONES + 1; i++)
		put_text("english", 20);
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
