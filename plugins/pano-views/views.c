/* SPDX-License-Identifier: BSD-2-Clause */
#include "plugins/pano-views/views.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* So many views around the vertical axis, from yaw 0 on. */
struct ring {
	double pitch;
	unsigned count;
};

struct preset {
	const char *name;
	double hfov;
	uint32_t width, height;
	const char *const *names; /* of the views; NULL: cam_00 and on */
	struct ring rings[4];	  /* up to one of count 0 */
};

static const char *const faces[] = {"front", "right", "back", "left", "top", "bottom"};

static const struct preset presets[] = {
	{"ring8", 90, 1920, 1080, NULL, {{0, 8}}},
	{"cube6", 90, 1920, 1920, faces, {{0, 4}, {90, 1}, {-90, 1}}},
	{"dome16", 90, 1920, 1920, NULL, {{0, 8}, {45, 4}, {-45, 4}}},
	{"colmap12", 90, 0, 0, NULL, {{0, 4}, {-35, 4}, {35, 4}}},
	{"cardinal4", 90, 1920, 1920, NULL, {{0, 4}}},
};
#define PRESETS (sizeof presets / sizeof presets[0])

static int
resize(const struct pv_sizes *sizes, struct pv_view *view)
{
	view->width = sizes->width > 0 ? sizes->width : view->width;
	view->height = sizes->height > 0 ? sizes->height : view->height;
	view->hfov = sizes->hfov > 0 ? sizes->hfov : view->hfov;
	return 0;
}

static void
expand(const struct preset *preset, const struct pv_sizes *sizes, struct pv_views *to)
{
	for (const struct ring *ring = preset->rings; ring->count > 0; ring++)
		for (unsigned i = 0; i < ring->count; i++) {
			struct pv_view *view = &to->views[to->count];
			view->yaw = 360.0 * i / ring->count;
			view->pitch = ring->pitch;
			view->hfov = preset->hfov;
			view->width = preset->width;
			view->height = preset->height;
			if (preset->names != NULL)
				snprintf(view->name, sizeof view->name, "%s",
					preset->names[to->count]);
			else
				snprintf(view->name, sizeof view->name, "cam_%02u",
					to->count);
			resize(sizes, view);
			to->count++;
		}
}

static int
read_preset(const char *name, const struct pv_sizes *sizes, struct pv_views *to,
	struct fmt_err *err)
{
	for (size_t i = 0; i < PRESETS; i++)
		if (strcmp(presets[i].name, name) == 0) {
			expand(&presets[i], sizes, to);
			return 0;
		}
	return fmt_err_set(err, -EINVAL,
		"views: expected \"ring8\", \"cube6\", \"dome16\", \"colmap12\", "
		"\"cardinal4\" or a list, found \"%.100s\"",
		name);
}

/* A number of one view's, within what it may be. */
struct field {
	const char *key;
	double least, most;
	double value;
};

static int
read_field(
	const json_t *object, uint32_t number, struct field *field, struct fmt_err *err)
{
	const json_t *value = json_object_get(object, field->key);
	if (value == NULL)
		return 0;
	double found = json_number_value(value);
	if (!json_is_number(value) || !(found >= field->least && found <= field->most))
		return fmt_err_set(err, -EINVAL,
			"views: the %s of view %u is not a number from %g to %g",
			field->key, number, field->least, field->most);
	field->value = found;
	return 0;
}

/* A name becomes a folder. */
static int
read_name(
	const json_t *object, uint32_t number, char *to, size_t size, struct fmt_err *err)
{
	static const char allowed[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789_-";
	const json_t *value = json_object_get(object, "name");
	const char *name = json_string_value(value);
	if (value == NULL) {
		snprintf(to, size, "cam_%02u", number);
		return 0;
	}
	if (name == NULL || name[0] == '\0' || strlen(name) >= size ||
		name[strspn(name, allowed)] != '\0')
		return fmt_err_set(err, -EINVAL,
			"views: the name of view %u is not of 1 to %zu letters, digits, "
			"'_' "
			"and '-'",
			number, size - 1);
	snprintf(to, size, "%s", name);
	return 0;
}

static int
refuse_strangers(json_t *object, uint32_t number, struct fmt_err *err)
{
	static const char *const keys[] = {
		"name", "yaw", "pitch", "roll", "hfov", "width", "height"};
	const char *key;
	json_t *value;
	json_object_foreach(object, key, value)
	{
		size_t i = 0;
		while (i < sizeof keys / sizeof keys[0] && strcmp(keys[i], key) != 0)
			i++;
		if (i == sizeof keys / sizeof keys[0])
			return fmt_err_set(err, -EINVAL,
				"views: view %u has a '%.40s'; a view has name, yaw, "
				"pitch, "
				"roll, hfov, width and height",
				number, key);
	}
	return 0;
}

static int
read_view(json_t *object, uint32_t number, const struct pv_sizes *sizes,
	struct pv_view *view, struct fmt_err *err)
{
	struct field fields[] = {{"yaw", -3600, 3600, 0}, {"pitch", -90, 90, 0},
		{"roll", -360, 360, 0},
		{"hfov", 1, 170, sizes->hfov > 0 ? sizes->hfov : 90},
		{"width", 1, PV_VIEW_SIDE, sizes->width > 0 ? sizes->width : 1920},
		{"height", 1, PV_VIEW_SIDE, sizes->height > 0 ? sizes->height : 1080}};
	if (!json_is_object(object) || json_object_get(object, "yaw") == NULL)
		return fmt_err_set(err, -EINVAL,
			"views: view %u is not a table with at least a yaw", number);
	int rc = refuse_strangers(object, number, err);
	if (rc == 0)
		rc = read_name(object, number, view->name, sizeof view->name, err);
	for (size_t i = 0; rc == 0 && i < sizeof fields / sizeof fields[0]; i++)
		rc = read_field(object, number, &fields[i], err);
	view->yaw = fields[0].value;
	view->pitch = fields[1].value;
	view->roll = fields[2].value;
	view->hfov = fields[3].value;
	view->width = (uint32_t)fields[4].value;
	view->height = (uint32_t)fields[5].value;
	return rc;
}

static int
read_list(const json_t *list, const struct pv_sizes *sizes, struct pv_views *to,
	struct fmt_err *err)
{
	size_t count = json_array_size(list);
	if (count == 0 || count > PV_VIEWS_MOST)
		return fmt_err_set(err, -EINVAL,
			"views: a list has 1 to %d views, this one has %zu",
			PV_VIEWS_MOST, count);
	for (uint32_t i = 0; i < count; i++) {
		struct pv_view *view = &to->views[i];
		int rc = read_view(json_array_get(list, i), i, sizes, view, err);
		if (rc < 0)
			return rc;
		for (uint32_t k = 0; k < i; k++)
			if (strcmp(to->views[k].name, view->name) == 0)
				return fmt_err_set(err, -EINVAL,
					"views: views %u and %u are both named '%s'", k,
					i, view->name);
		to->count++;
	}
	return 0;
}

int
pv_views_read(const char *json, const struct pv_sizes *sizes, struct pv_views *views,
	struct fmt_err *err)
{
	struct pv_views made = {0, calloc(PV_VIEWS_MOST, sizeof *made.views)};
	json_error_t why;
	json_t *value = json_loads(json, JSON_DECODE_ANY, &why);
	int rc;
	if (made.views == NULL ||
		(value == NULL && json_error_code(&why) == json_error_out_of_memory))
		rc = fmt_err_set(err, -ENOMEM, "no memory for the list of views");
	else if (value == NULL)
		rc = fmt_err_set(err, -EINVAL,
			"views: expected the name of a preset or a list, found what is "
			"no JSON at line %d, column %d (%s)",
			why.line, why.column, why.text);
	else if (json_is_string(value))
		rc = read_preset(json_string_value(value), sizes, &made, err);
	else if (json_is_array(value))
		rc = read_list(value, sizes, &made, err);
	else
		rc = fmt_err_set(err, -EINVAL,
			"views: expected the name of a preset or a list of tables, found "
			"%s",
			json_is_object(value) ? "a table" : "neither");
	json_decref(value);
	if (rc < 0)
		pv_views_free(&made);
	else
		*views = made;
	return rc;
}

void
pv_views_free(struct pv_views *views)
{
	free(views->views);
	views->views = NULL;
	views->count = 0;
}
