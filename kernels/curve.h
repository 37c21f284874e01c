/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * curve.h - the curve by which a VMD segment is walked.
 *
 * A cubic Bezier curve from (0,0) to (1,1) with the inner control points (x1,y1) and
 * (x2,y2), each a byte of 0..127 that stands for byte/127; larger bytes count as 127.
 * The share of the segment's time, t in 0..1, is x; the share of its way is y.
 */
#ifndef KERN_CURVE_H
#define KERN_CURVE_H

#include <stdint.h>

/* The share of the way at t; curve is x1 y1 x2 y2.  Linear where x1 = y1 and x2 = y2.
 * Else x(s) = t is solved to the last digits of a double: x is monotonic, but its slope
 * may vanish, so the error in s may exceed that in x; y's error follows s.  Any thread.
 */
double kern_curve_weight(const uint8_t curve[4], double t);

#endif
