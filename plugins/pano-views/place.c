/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/place.h"

#include "kernels/view.h"
#include "plugins/formats/exif.h"
#include "plugins/formats/gpano.h"

#include <errno.h>
#include <math.h>

/* One pixel of what is twice as wide as high is forgiven. */
static int
is_sphere(uint32_t width, uint32_t height)
{
	int64_t off = (int64_t)width - 2 * (int64_t)height;
	return off >= -1 && off <= 1;
}

static int
place_window(const struct fmt_image_info *info, const struct fmt_gpano *gpano,
	struct pv_place *place, struct fmt_err *err)
{
	const double across = info->width / gpano->crop_width;
	const double along = info->height / gpano->crop_height;
	const double width = rint(gpano->full_width * across / 2.0) * 2.0;
	const double height = rint(gpano->full_height * along);
	if (width > KERN_VIEW_PANORAMA || height > KERN_VIEW_PANORAMA ||
		!is_sphere((uint32_t)width, (uint32_t)height))
		return fmt_err_set(err, -EBADMSG,
			"GPano says that the frame is a window of a sphere of %.0f x "
			"%.0f "
			"pixels: expected twice as wide as high, at most %d wide",
			width, height, KERN_VIEW_PANORAMA);
	place->width = (uint32_t)width;
	place->height = (uint32_t)height;
	place->left = (uint32_t)rint(gpano->crop_left * across);
	place->top = (uint32_t)rint(gpano->crop_top * along);
	/* Rounding may push the window over the edge by one. */
	if (place->left > place->width - info->width)
		place->left = place->width - info->width;
	if (place->top > place->height - info->height)
		place->top = place->height - info->height;
	place->partial = 1;
	return 0;
}

static int
place_whole(
	const struct fmt_image_info *info, struct pv_place *place, struct fmt_err *err)
{
	if (!is_sphere(info->width, info->height))
		return fmt_err_set(err, -EBADMSG,
			"%u x %u pixels are no panorama: expected twice as wide as high, "
			"or "
			"GPano's crop in the XMP",
			info->width, info->height);
	if (info->width % 2 != 0)
		return fmt_err_set(err, -EBADMSG,
			"the panorama is %u pixels wide: expected an even number",
			info->width);
	place->width = info->width;
	place->height = info->height;
	return 0;
}

int
pv_place_find(
	const struct fmt_image_info *info, struct pv_place *place, struct fmt_err *err)
{
	const struct fmt_image_extras *extras = &info->extras;
	struct fmt_gpano gpano;
	struct fmt_exif_facts exif;
	fmt_gpano_read((const char *)extras->xmp.bytes, extras->xmp.length, &gpano);
	fmt_exif_read(extras->exif.bytes, extras->exif.length, &exif);
	*place = (struct pv_place){
		.pitch = gpano.pitch,
		.roll = gpano.roll,
		.has_heading = exif.has_direction || gpano.has_heading,
		.heading = exif.has_direction ? exif.direction : gpano.heading,
	};
	int whole = !gpano.has_crop || (gpano.crop_width == gpano.full_width &&
					       gpano.crop_height == gpano.full_height);
	return whole ? place_whole(info, place, err)
		     : place_window(info, &gpano, place, err);
}
