/* SPDX-License-Identifier: BSD-2-Clause */
/* jpeg_trap.h - what reading and writing by libjpeg have in common; for image_jpeg*.c. */
#ifndef FMT_JPEG_TRAP_H
#define FMT_JPEG_TRAP_H

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

/* How APP1 begins; six bytes with the end, and 29. */
static const char fmt_jpeg_exif[] = "Exif\0";
static const char fmt_jpeg_xmp[] = "http://ns.adobe.com/xap/1.0/";

/* The library's error handler, and where it leaves what was wrong: it jumps out, for
 * warnings, too, which mean that it would go on with grey in place of what is not there. */
struct fmt_jpeg_trap {
	struct jpeg_error_mgr manager;
	jmp_buf out;
	char text[JMSG_LENGTH_MAX];
	int code; /* -EBADMSG or -ENOMEM */
};

/* For the library's `err`. */
struct jpeg_error_mgr *fmt_jpeg_trap_set(struct fmt_jpeg_trap *trap);

#endif
