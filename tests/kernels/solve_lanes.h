/* SPDX-License-Identifier: BSD-2-Clause */
/* solve_lanes.h - the lanes' solver of curves alone, for times that no frames have.  Included
 * by one file a variant, which says how many LANES are. */
#ifndef SOLVE_LANES_H
#define SOLVE_LANES_H

#include "kernels/curve_lanes.h"
#include "tests/kernels/solve.h"

static inline unsigned
solve_lanes_count(lanes_mask mask)
{
	float ones[LANES];
	unsigned count = 0;
	lanes_store(ones, lanes_first(LANES),
		lanes_select(mask, lanes_all(1.0f), lanes_all(0.0f)));
	for (unsigned i = 0; i < LANES; i++)
		count += ones[i] > 0.0f;
	return count;
}

/* See solve.h. */
static inline unsigned
solve_lanes(const uint8_t (*curves)[4], const double *t, double *weights)
{
	enum { CHANNELS = CK_SOLVE_CURVES / LANES };
	struct curve_lanes_table tables[CHANNELS];
	struct curve_lanes_time times[CHANNELS];
	struct curve_lanes_channel channels[CHANNELS];
	unsigned halved = 0;
	for (unsigned i = 0; i < CHANNELS; i++) {
		const double *at = t + i * LANES;
		curve_lanes_table(&tables[i],
			lanes_bits_load(curves + i * LANES, lanes_first(LANES)));
		times[i] = curve_lanes_time(wide_load(at), wide_load(at + WIDE));
		channels[i].table = &tables[i];
		channels[i].place = lanes_bits_count_up();
		channels[i].time = &times[i];
		channels[i].known = lanes_first(0);
		channels[i].doubt = lanes_first(0);
	}
	curve_lanes_solve(channels, CHANNELS);
	for (unsigned i = 0; i < CHANNELS; i++) {
		memcpy(weights + i * LANES, channels[i].weights,
			sizeof channels[i].weights);
		halved += solve_lanes_count(channels[i].doubt & ~channels[i].known);
	}
	return halved;
}

#endif
