/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/extras.h"

#include "plugins/formats/exif.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char packet[] =
	"<?xpacket begin=\"\xef\xbb\xbf\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>"
	"<x:xmpmeta xmlns:x=\"adobe:ns:meta/\">"
	"<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
	"<rdf:Description rdf:about=\"\" xmlns:view=\"https://kiln.invalid/view/1.0/\" "
	"view:Yaw=\"%.6g\" view:Pitch=\"%.6g\" view:Roll=\"%.6g\" "
	"view:HorizontalFieldOfView=\"%.6g\" view:VerticalFieldOfView=\"%.6g\"/>"
	"</rdf:RDF></x:xmpmeta><?xpacket end=\"r\"?>";

int
pv_extras_make(struct pv_extras *extras, const struct fmt_image_info *frame,
	const struct pv_place *place, const struct pv_view *view, const uint32_t size[2])
{
	const double tangent = tan(view->hfov * M_PI / 360.0);
	const double vertical = 2.0 * atan(tangent * size[1] / size[0]) * 180.0 / M_PI;
	char description[160];
	size_t length;
	snprintf(description, sizeof description,
		"view of a panorama: yaw %.6g, pitch %.6g, roll %.6g, hfov %.6g",
		view->yaw, view->pitch, view->roll, view->hfov);
	struct fmt_exif_changes changes = {
		.width = size[0],
		.height = size[1],
		.focal_35mm = 18.0 / tangent,
		.has_direction = place->has_heading,
		.direction = fmod(fmod(place->heading + view->yaw, 360.0) + 360.0, 360.0),
		.description = description,
		.software = "kiln pano-views",
	};
	memset(extras, 0, sizeof *extras);
	int rc = fmt_exif_carry(frame->extras.exif.bytes, frame->extras.exif.length,
		&changes, &extras->exif, &length);
	if (rc < 0)
		return rc;
	snprintf(extras->xmp, sizeof extras->xmp, packet, view->yaw, view->pitch,
		view->roll, view->hfov, vertical);
	extras->image.exif = (struct fmt_image_blob){extras->exif, length};
	extras->image.xmp = (struct fmt_image_blob){
		(const uint8_t *)extras->xmp, strlen(extras->xmp)};
	extras->image.icc = frame->extras.icc;
	return 0;
}

void
pv_extras_free(struct pv_extras *extras)
{
	free(extras->exif);
	extras->exif = NULL;
}
