/* SPDX-License-Identifier: BSD-2-Clause */
/* A variant of vmd-fk's primitives serves only where it gives the plain C's bits: each of
 * the four is made to err by the last bit of its last frame. */
#include "kernels/caps.h"
#include "plugins/vmd-fk/variant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
err(float *value)
{
	uint32_t bits;
	memcpy(&bits, value, sizeof bits);
	bits ^= 1;
	memcpy(value, &bits, sizeof bits);
}

static int
erring_track(const struct kern_track *a, void *queue)
{
	int rc = kern_track_c(a, queue);
	err(&a->move[2 * a->stride + a->frame_count - 1]);
	return rc;
}

static int
erring_weight(const struct kern_track_weights *a, void *queue)
{
	int rc = kern_track_weights_c(a, queue);
	err(&a->weight[a->frame_count - 1]);
	return rc;
}

static int
erring_morph(const struct kern_morph *a, void *queue)
{
	int rc = kern_morph_c(a, queue);
	err(&a->move[a->frame_count - 1]);
	return rc;
}

static int
erring_pose(const struct kern_pose *a, void *queue)
{
	int rc = kern_pose_c(a, queue);
	err(&a->local_rotate[a->frame_count - 1]);
	return rc;
}

static void
the_plain_c_is_proven(void **state)
{
	struct fk_evaluator by;
	(void)state;
	fk_evaluator_init(&by, NULL, 0);
	assert_true(fk_variant_is_proven(&by));
}

static void
so_is_what_the_machine_picks(void **state)
{
	unsigned caps = kern_caps_machine();
	const struct fk_evaluator by = {
		.track = kern_track_pick(caps),
		.weight = kern_track_weights_pick(caps),
		.morph = kern_morph_pick(caps),
		.pose = kern_pose_pick(caps),
	};
	(void)state;
	assert_true(fk_variant_is_proven(&by));
}

static void
none_may_err(void **state)
{
	struct fk_evaluator plain;
	(void)state;
	fk_evaluator_init(&plain, NULL, 0);
	for (int i = 0; i < 4; i++) {
		struct fk_evaluator by = plain;
		by.track = i == 0 ? erring_track : by.track;
		by.weight = i == 1 ? erring_weight : by.weight;
		by.morph = i == 2 ? erring_morph : by.morph;
		by.pose = i == 3 ? erring_pose : by.pose;
		assert_false(fk_variant_is_proven(&by));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_plain_c_is_proven),
		cmocka_unit_test(so_is_what_the_machine_picks),
		cmocka_unit_test(none_may_err),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
