/* SPDX-License-Identifier: BSD-2-Clause */
/* Sines and arc tangents against the C library's in double precision. */
#include "kernels/trig.h"
#include "tests/kernels/ck.h"

#include <math.h>

static void
check_sines(void)
{
	double near = 0, far = 0, quarter = 0;
	for (int i = 0; i < 400000; i++) {
		float x = (float)ck_uniform(-4, 4);
		struct kern_trig_sincos got = kern_trig_sincos(x);
		ck_worst(&near, fabs(got.sine - sin((double)x)));
		ck_worst(&near, fabs(got.cosine - cos((double)x)));
		x = (float)ck_uniform(-(double)KERN_TRIG_MOST, (double)KERN_TRIG_MOST);
		got = kern_trig_sincos(x);
		ck_worst(&far, fabs(got.sine - sin((double)x)));
		ck_worst(&far, fabs(got.cosine - cos((double)x)));
		x = (float)ck_uniform(-M_PI / 2, M_PI / 2);
		ck_worst(&quarter, fabs(kern_trig_sine_quarter(x) - sin((double)x)));
	}
	/* Tiny angles keep all their digits. */
	for (float x = 1e-3f; x > 1e-30f; x *= 0.7f)
		ck_worst(&near, 1e-7 * (fabs(kern_trig_sincos(x).sine / sin((double)x) -
						1) > 1.2e-7));
	ck_judge("trig c: sine and cosine of an angle of a motion", near, 1.2e-7);
	ck_judge("trig c: sine and cosine up to the greatest angle", far, 1.2e-7);
	ck_judge("trig c: sine within a quarter turn", quarter, 1.5e-7);
}

static void
check_edges(void)
{
	struct kern_trig_sincos none = kern_trig_sincos(2 * KERN_TRIG_MOST);
	ck_true("trig c: an angle beyond the greatest counts as none",
		none.sine == 0.0f && none.cosine == 1.0f);
	ck_true("trig c: what is not a number stays so",
		isnan(kern_trig_sincos(NAN).sine) &&
			isnan(kern_trig_sincos(INFINITY).cosine) &&
			isnan(kern_trig_sine_quarter(NAN)) &&
			isnan(kern_trig_atan2(NAN, 1)) && isnan(kern_trig_atan2(1, NAN)));
	ck_true("trig c: arc tangents along the axes",
		kern_trig_atan2(0, 0) == 0 && kern_trig_atan2(0, 2) == 0 &&
			kern_trig_atan2(0, -2) == KERN_TRIG_PI &&
			kern_trig_atan2(-0.0f, -2) == -KERN_TRIG_PI &&
			kern_trig_atan2(2, 0) == KERN_TRIG_QUARTER &&
			kern_trig_atan2(-2, 0) == -KERN_TRIG_QUARTER);
}

void
check_trig(void)
{
	double arc = 0;
	check_sines();
	for (int i = 0; i < 400000; i++) {
		double size = pow(10, ck_uniform(-12, 12));
		float y = (float)(size * ck_uniform(-1, 1));
		float x = (float)(size * ck_uniform(-1, 1));
		ck_worst(&arc, fabs(kern_trig_atan2(y, x) - atan2((double)y, (double)x)));
	}
	ck_judge("trig c: arc tangents", arc, 4e-7);
	check_edges();
}
