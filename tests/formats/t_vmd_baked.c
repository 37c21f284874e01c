/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Baked motions, whose keys stay in the file: what is read there later must be, bit for
 * bit, what reads into memory, and whatever is nearly baked must read as if nobody had
 * asked.
 */
#include "plugins/formats/vmd_baked.h"
#include "tests/formats/build.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

enum {
	SIZE = FMT_VMD_BONE_SIZE,
	BONES = 9,
	FRAMES = 700,
	FIRST = 3,
	COUNT = BONES * FRAMES
};
enum { KEYS_AT = 54, POISON = 0x7a };

static struct build b;

static float
number(unsigned *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return (float)(int)(*seed >> 8) / (1 << 20) - 8;
}

static void
put_key(struct build *to, unsigned bone, uint32_t frame)
{
	unsigned seed = bone * 7919 + frame * 104729;
	char name[16];
	snprintf(name, sizeof name, bone == 3 ? "fifteen bytes %u" : "b%u", bone);
	build_name(to, name, 15);
	build_u32(to, frame);
	for (int i = 0; i < 7; i++)
		build_f32(to, frame % 11 == 5 && i > 2 ? 0 : number(&seed));
	for (int i = 0; i < 64; i++)
		build_u8(to, (unsigned)i);
}

/* What lies behind the bones must still be found. */
static void
put_rest(struct build *to)
{
	build_u32(to, 1);
	build_name(to, "smile", 15);
	build_u32(to, 2000);
	build_f32(to, .5f);
	build_zeros(to, 12);
	build_u32(to, 1);
	build_u32(to, 17);
	build_u8(to, 1);
	build_u32(to, 0);
}

static void
begin(uint32_t count)
{
	b.length = 0;
	build_bytes(&b, "Vocaloid Motion Data 0002\0\0\0\0", 30);
	build_name(&b, "model", 20);
	build_u32(&b, count);
}

static void
bake(void)
{
	begin(COUNT);
	for (uint32_t i = 0; i < COUNT; i++)
		put_key(&b, i % BONES, FIRST + i / BONES);
	put_rest(&b);
}

static uint8_t *
key(uint32_t i)
{
	return b.data + KEYS_AT + (size_t)i * SIZE;
}

/* The file, with something before it: what counts is the offset at the beginning. */
static int
file_of_b(void)
{
	int fd = memfd_create("vmd", MFD_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "before", 6), 6);
	assert_int_equal(write(fd, b.data, b.length), (ssize_t)b.length);
	assert_int_equal(lseek(fd, 6, SEEK_SET), 6);
	return fd;
}

static void
read_both(
	int *fd, const struct fmt_team *team, struct fmt_vmd *there, struct fmt_vmd *here)
{
	const struct fmt_vmd_options stay = {.stay_from = 1, .team = team};
	struct fmt_err err = {0};
	*fd = file_of_b();
	assert_int_equal(fmt_vmd_read_file(*fd, b.length, &stay, there, &err), 0);
	assert_int_equal(fmt_vmd_read(b.data, b.length, NULL, here, &err), 0);
	assert_int_equal(here->baked.frames, 0);
	assert_int_equal(there->bone_count, here->bone_count);
	assert_int_equal(there->last_frame, here->last_frame);
	assert_int_equal(there->bone_keys, here->bone_keys);
	assert_int_equal(there->duplicate_keys, here->duplicate_keys);
	assert_int_equal(there->morph_count, here->morph_count);
	assert_int_equal(there->property_count, here->property_count);
	for (uint32_t i = 0; i < here->bone_count; i++) {
		const struct fmt_vmd_track *x = &there->bones[i], *y = &here->bones[i];
		assert_memory_equal(x->vmd_name, y->vmd_name, 16);
		assert_string_equal(x->name, y->name);
		assert_int_equal(x->count, y->count);
		assert_memory_equal(x->frames, y->frames, x->count * sizeof *x->frames);
		assert_memory_equal(x->curves, y->curves, x->count * sizeof *x->curves);
	}
}

/* Reads a stretch, every second bone into a place of its own; the rest of the planes must
 * stay as they were. */
static void
same_stretch(int fd, const struct fmt_vmd *there, const struct fmt_vmd *here,
	uint32_t first, uint32_t count)
{
	const size_t stride = count + 3, plane = stride * sizeof(float);
	size_t bytes = (size_t)BONES * FMT_VMD_PLANES * plane;
	uint8_t poison[sizeof(float)];
	int32_t places[BONES];
	struct fmt_err err = {0};
	float *planes = malloc(bytes);
	void *buffer = malloc(FMT_VMD_BAKED_BUFFER);
	assert_non_null(planes);
	assert_non_null(buffer);
	memset(planes, POISON, bytes);
	memset(poison, POISON, sizeof poison);
	for (int i = 0; i < BONES; i++)
		places[i] = i % 2 == 0 ? BONES - 1 - i : -1;
	const struct fmt_vmd_stretch stretch = {
		first, count, places, planes, stride, buffer};
	assert_int_equal(fmt_vmd_baked_read(fd, there, &stretch, &err), 0);
	for (int i = 0; i < BONES; i++) {
		const struct fmt_vmd_track *track = &here->bones[i];
		const float *got =
			planes + (size_t)(BONES - 1 - i) * FMT_VMD_PLANES * stride;
		for (size_t c = 0; c < FMT_VMD_PLANES; c++, got += stride) {
			const float *expected = track->move + c * track->stride + first;
			size_t have = i % 2 == 0 ? count : 0;
			assert_memory_equal(got, expected, have * sizeof *got);
			for (size_t k = have; k < stride; k++)
				assert_memory_equal(&got[k], poison, sizeof poison);
		}
	}
	free(planes);
	free(buffer);
}

static void
keys_are_read_where_they_stayed(void **state)
{
	static const uint32_t stretches[][2] = {
		{0, FRAMES}, {0, 1}, {FRAMES - 1, 1}, {17, 64}, {100, 300}};
	struct fmt_vmd there, here;
	int fd;
	(void)state;
	bake();
	read_both(&fd, NULL, &there, &here);
	assert_int_equal(there.baked.frames, FRAMES);
	assert_int_equal(there.baked.first_frame, FIRST);
	assert_null(there.bones[0].move);
	for (size_t i = 0; i < sizeof stretches / sizeof *stretches; i++)
		same_stretch(fd, &there, &here, stretches[i][0], stretches[i][1]);
	close(fd);
	fmt_vmd_free(&there);
	fmt_vmd_free(&here);
}

/* A team of real threads, who take parts as they come. */
struct threads {
	int (*fn)(void *context, uint32_t part, uint32_t worker);
	void *context;
	uint32_t parts;
	atomic_uint next, workers, done;
	atomic_int rc;
};

static void *
take_parts(void *argument)
{
	struct threads *t = argument;
	uint32_t worker = atomic_fetch_add(&t->workers, 1), part;
	while ((part = atomic_fetch_add(&t->next, 1)) < t->parts) {
		int rc = t->fn(t->context, part, worker);
		if (rc != 0)
			atomic_store(&t->rc, rc);
		atomic_fetch_add(&t->done, 1);
	}
	return NULL;
}

static int
run_threads(void *team, int (*fn)(void *context, uint32_t part, uint32_t worker),
	void *context, uint32_t parts)
{
	struct threads *t = team;
	pthread_t threads[3];
	t->fn = fn;
	t->context = context;
	t->parts = parts;
	atomic_store(&t->next, 0);
	atomic_store(&t->workers, 0);
	atomic_store(&t->rc, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_parts, t), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	return atomic_load(&t->rc);
}

static void
threads_find_the_same(void **state)
{
	static struct threads threads;
	const struct fmt_team team = {run_threads, &threads, 3};
	struct fmt_vmd there, here;
	(void)state;
	for (int spoilt = 0; spoilt < 2; spoilt++) {
		int fd;
		bake();
		/* Nobody sees more than one piece: the last key is in the last. */
		if (spoilt)
			key(COUNT - 1)[15] ^= 1;
		atomic_store(&threads.done, 0);
		read_both(&fd, &team, &there, &here);
		assert_true(atomic_load(&threads.done) > 1);
		assert_int_equal(there.baked.frames, spoilt ? 0 : FRAMES);
		close(fd);
		fmt_vmd_free(&there);
		fmt_vmd_free(&here);
	}
}

static void
swap_keys(uint32_t x, uint32_t y)
{
	uint8_t kept[SIZE];
	memcpy(kept, key(x), SIZE);
	memcpy(key(x), key(y), SIZE);
	memcpy(key(y), kept, SIZE);
}

static void
spoil(int how)
{
	uint32_t later = FIRST + FRAMES - 1, far = COUNT;
	switch (how) {
	case 0: /* the order of two bones, in one frame only */
		swap_keys(BONES * 400 + 2, BONES * 400 + 3);
		break;
	case 1: /* of two frames */
		swap_keys(BONES * 400 + 2, BONES * 401 + 2);
		break;
	case 2: /* a name's last byte */
		key(COUNT - 2)[14] ^= 1;
		break;
	case 3: /* two keys of a bone at one frame, none at another */
		memcpy(key(BONES * 300) + 15, key(BONES * 299) + 15, 4);
		break;
	case 4: /* a bone's name a second time, with other bytes behind its end */
		for (uint32_t i = 1; i < COUNT; i += BONES)
			memcpy(key(i), "b0\0other bytes!", 15);
		break;
	case 5: /* a bone lacks its last key */
		begin(COUNT - 1);
		b.length += (size_t)(COUNT - 1) * SIZE;
		put_rest(&b);
		break;
	case 6: /* frame numbers that the file does not warrant */
		for (uint32_t i = 0; i < COUNT; i++) {
			uint32_t frame = far - 2 + i / BONES;
			memcpy(key(i) + 15, &frame, sizeof frame);
		}
		break;
	case 7: /* the last key once more, at the first frame */
		memcpy(key(COUNT - 1) + 15, key(0) + 15, 4);
		break;
	case 8: /* frames pass the end of numbers */
		for (uint32_t i = 0; i < COUNT; i++) {
			uint32_t frame = UINT32_MAX - later + i / BONES;
			memcpy(key(i) + 15, &frame, sizeof frame);
		}
		break;
	default: /* backwards */
		for (uint32_t i = 0; i < COUNT / 2; i++)
			swap_keys(i, COUNT - 1 - i);
	}
}

static void
same_keys(const struct fmt_vmd *there, const struct fmt_vmd *here)
{
	for (uint32_t i = 0; i < here->bone_count; i++) {
		const struct fmt_vmd_track *x = &there->bones[i], *y = &here->bones[i];
		assert_non_null(x->move);
		for (size_t c = 0; c < FMT_VMD_PLANES; c++)
			assert_memory_equal(x->move + c * x->stride,
				y->move + c * y->stride, x->count * sizeof *x->move);
	}
}

static void
nearly_baked_is_not_baked(void **state)
{
	struct fmt_vmd there, here;
	(void)state;
	for (int how = 0; how < 10; how++) {
		int fd;
		bake();
		spoil(how);
		read_both(&fd, NULL, &there, &here);
		assert_int_equal(there.baked.frames, 0);
		same_keys(&there, &here);
		close(fd);
		fmt_vmd_free(&there);
		fmt_vmd_free(&here);
	}
}

/* In whatever order, with keys that do not count among them: the same tracks, but for
 * their order. */
static void
order_changes_no_key(void **state)
{
	enum { DOUBLES = 50 };
	struct fmt_vmd there, here;
	unsigned seed = 11;
	int fd;
	(void)state;
	begin(COUNT + DOUBLES);
	for (uint32_t i = 0; i < DOUBLES; i++)
		put_key(&b, i % BONES, FIRST + i * 13);
	/* Those count less than what follows, whatever they say. */
	for (uint32_t i = 0; i < DOUBLES; i++)
		memset(key(i) + 19, 0, 28);
	for (uint32_t i = 0; i < COUNT; i++)
		put_key(&b, i % BONES, FIRST + i / BONES);
	for (uint32_t i = COUNT - 1; i > 0; i--) {
		seed = seed * 1664525 + 1013904223;
		swap_keys(DOUBLES + i, DOUBLES + (seed >> 8) % (i + 1));
	}
	put_rest(&b);
	read_both(&fd, NULL, &there, &here);
	close(fd);
	assert_int_equal(there.baked.frames, 0);
	assert_int_equal(there.duplicate_keys, DOUBLES);
	same_keys(&there, &here);
	fmt_vmd_free(&here);
	bake();
	struct fmt_err err = {0};
	assert_int_equal(fmt_vmd_read(b.data, b.length, NULL, &here, &err), 0);
	assert_int_equal(there.bone_count, here.bone_count);
	for (uint32_t i = 0; i < BONES; i++) {
		const struct fmt_vmd_track *x = &there.bones[i], *y = here.bones;
		while (strcmp(x->vmd_name, y->vmd_name) != 0)
			y++;
		assert_int_equal(x->count, y->count);
		assert_memory_equal(x->frames, y->frames, x->count * sizeof *x->frames);
		for (size_t c = 0; c < FMT_VMD_PLANES; c++)
			assert_memory_equal(x->move + c * x->stride,
				y->move + c * y->stride, x->count * sizeof *x->move);
	}
	fmt_vmd_free(&there);
	fmt_vmd_free(&here);
}

static void
wild_numbers_are_refused_alike(void **state)
{
	static const uint32_t wild[] = {0x7fc00000, 0x7f800000, 0xff800000, 0x7f800001};
	const struct fmt_vmd_options stay = {.stay_from = 1};
	(void)state;
	for (size_t i = 0; i < 4 * FMT_VMD_PLANES; i++) {
		struct fmt_vmd motion;
		struct fmt_err there = {0}, here = {0};
		bake();
		memcpy(key(COUNT - 5) + 19 + 4 * (i / 4), &wild[i % 4], 4);
		int fd = file_of_b();
		assert_int_equal(fmt_vmd_read_file(fd, b.length, &stay, &motion, &there),
			-EBADMSG);
		close(fd);
		assert_int_equal(
			fmt_vmd_read(b.data, b.length, NULL, &motion, &here), -EBADMSG);
		assert_string_equal(there.text, here.text);
	}
}

/* Who asks for larger ones only, or has no file, has all keys in memory. */
static void
keys_stay_only_where_asked(void **state)
{
	struct fmt_vmd_options stay = {.stay_from = (size_t)COUNT * SIZE + 1};
	struct fmt_vmd motion;
	struct fmt_err err = {0};
	(void)state;
	bake();
	int fd = file_of_b();
	assert_int_equal(fmt_vmd_read_file(fd, b.length, &stay, &motion, &err), 0);
	assert_int_equal(motion.baked.frames, 0);
	assert_non_null(motion.bones[0].move);
	fmt_vmd_free(&motion);
	stay.stay_from--;
	assert_int_equal(lseek(fd, 6, SEEK_SET), 6);
	assert_int_equal(fmt_vmd_read_file(fd, b.length, &stay, &motion, &err), 0);
	assert_int_equal(motion.baked.frames, FRAMES);
	fmt_vmd_free(&motion);
	assert_int_equal(fmt_vmd_read(b.data, b.length, &stay, &motion, &err), 0);
	assert_int_equal(motion.baked.frames, 0);
	fmt_vmd_free(&motion);
	close(fd);
}

static void
a_file_changed_since_is_told(void **state)
{
	struct fmt_vmd there, here;
	struct fmt_err err = {0};
	const int32_t places[BONES] = {0};
	float planes[FMT_VMD_PLANES * 2];
	int fd;
	(void)state;
	bake();
	read_both(&fd, NULL, &there, &here);
	const struct fmt_vmd_stretch stretch = {
		.first = FRAMES - 2,
		.count = 2,
		.places = places,
		.planes = planes,
		.stride = 2,
		.buffer = malloc(FMT_VMD_BAKED_BUFFER),
	};
	assert_int_equal(fmt_vmd_baked_read(fd, &there, &stretch, &err), 0);
	const uint32_t wild = 0x7fc00000;
	const off_t at = 6 + KEYS_AT + (off_t)(COUNT - 1) * SIZE + FMT_VMD_POSE_AT;
	assert_int_equal(pwrite(fd, &wild, sizeof wild, at), sizeof wild);
	assert_int_equal(fmt_vmd_baked_read(fd, &there, &stretch, &err), -EAGAIN);
	assert_non_null(strstr(err.text, "written to"));
	memset(&err, 0, sizeof err);
	assert_int_equal(ftruncate(fd, 6 + KEYS_AT + (off_t)COUNT * SIZE - 1), 0);
	assert_int_equal(fmt_vmd_baked_read(fd, &there, &stretch, &err), -EAGAIN);
	assert_non_null(strstr(err.text, "shorter"));
	free(stretch.buffer);
	close(fd);
	fmt_vmd_free(&there);
	fmt_vmd_free(&here);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nearly_baked_is_not_baked),
		cmocka_unit_test(wild_numbers_are_refused_alike),
		cmocka_unit_test(a_file_changed_since_is_told),
		cmocka_unit_test(keys_are_read_where_they_stayed),
		cmocka_unit_test(keys_stay_only_where_asked),
		cmocka_unit_test(threads_find_the_same),
		cmocka_unit_test(order_changes_no_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
