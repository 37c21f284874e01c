/* SPDX-License-Identifier: BSD-2-Clause */
/* jpeg_dct.h - the constants that the DCT and its inverse have in common: sqrt(2) cos(k pi
 * / 16) and sums of such, as the figures of Loeffler, Ligtenberg and Moschytz (1989) have
 * them. */
#ifndef FMT_JPEG_DCT_H
#define FMT_JPEG_DCT_H

enum {
	BITS = 13, /* of the constants behind the point */
	PASS = 2,  /* kept between the passes */
	C0_298 = 2446,
	C0_390 = 3196,
	C0_541 = 4433,
	C0_765 = 6270,
	C0_899 = 7373,
	C1_175 = 9633,
	C1_501 = 12299,
	C1_847 = 15137,
	C1_961 = 16069,
	C2_053 = 16819,
	C2_562 = 20995,
	C3_072 = 25172,
};

#endif
