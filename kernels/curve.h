/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * curve.h - the curve by which a VMD segment is walked.
 *
 * A cubic Bezier curve from (0,0) to (1,1) with the inner control points (x1,y1) and
 * (x2,y2), each a byte of 0..127 that stands for byte/127; larger bytes count as 127.
 * The share of the segment's time, t, is x; the share of its way is y.  Both rise with
 * the curve's parameter s.
 *
 * Meaning.  Linear where x1 = y1 and x2 = y2: y = t.  Else s is halved towards, from 1/2
 * in steps of 1/4, 1/8 ..., up where x(s) < t and down where not.  The first s is taken
 * at which x is right to 1e-5 and y surely to 1/254 (it is bracketed by the y of those
 * passed on either side), and at the latest the fifteenth.
 *
 * Why so and not to the last digit: motions are compared with what babylon-mmd and saba
 * show of them, and these halve and stop at an x right to 1e-5, at a key's own frame too.
 * Where a curve starts steeply (x1 = 0) that lets the pose at the key itself be a little
 * on its way to the next; where the way is long and the arm too, it can be seen (1.4e-3
 * units, with a curve of 0 20 107 107 and a turn by 18 degrees).  They set no bound to
 * that, 4.6 % of the way at 0 127 0 127.  Ours is half a step of the grid on which the
 * control points lie, which is how well y is known at all.
 *
 * Against the exact solution y is off by at most 1/254; where the slope of x over s is
 * nowhere below m, by at most 3e-5/m or, after fifteen halvings, 3/2^15 (9.2e-5): with a
 * slope of 1/3, a lenient ease, below 1e-4.
 *
 * Variants.  All have to stop at the same s, so they compute in double precision, with
 * every product and sum in the order of curve.c and none contracted.  Neither end of t is
 * a case of its own: fifteen masked steps do for any t and curve.
 */
#ifndef KERN_CURVE_H
#define KERN_CURVE_H

#include <stdint.h>

#define KERN_CURVE_HALVINGS 15
#define KERN_CURVE_X_ENOUGH 1e-5
#define KERN_CURVE_Y_ENOUGH (1.0 / 254.0)

/* The share of the way at t, 0..1; curve is x1 y1 x2 y2.  Any thread. */
double kern_curve_weight(const uint8_t curve[4], double t);

#endif
