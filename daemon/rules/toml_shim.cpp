/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * toml_shim.cpp - toml++ behind extern "C".  The tree it builds is malloc'ed and C's own;
 * every exception ends here as an errno and a sentence.
 */
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>
#include <sstream>
#include <string>
#include <string_view>

#include <jansson.h>

extern "C" {
#include "daemon/rules/toml.h"
}

#define TOML_MAX_NESTED_VALUES KD_TOML_DEPTH
#include <toml++/toml.h>

namespace
{

/* A value that TOML can say and we do not take, at its place. */
struct refusal {
	toml::source_position place;
	const char *sentence;
};

char *
text_of(std::string_view text, const toml::source_region &source)
{
	if (text.find('\0') != text.npos)
		throw refusal{source.begin, "a NUL character is not allowed here"};
	char *copy = strndup(text.data(), text.size());
	if (copy == nullptr)
		throw std::bad_alloc();
	return copy;
}

template <typename T>
char *
time_text(const T &value, const toml::source_region &source)
{
	std::ostringstream out;
	out << value;
	return text_of(out.str(), source);
}

void fill(struct kd_toml *made, const toml::node &node, int depth);

/* The children are linked in one by one, so that a throw leaves a tree that
 * kd_toml_free() can take. */
struct kd_toml *
add_child(struct kd_toml *parent)
{
	auto *child = static_cast<struct kd_toml *>(calloc(1, sizeof(struct kd_toml)));
	if (child == nullptr)
		throw std::bad_alloc();
	parent->children[parent->count++] = child;
	return child;
}

void
make_room(struct kd_toml *parent, size_t count)
{
	parent->children = static_cast<struct kd_toml **>(
		calloc(count > 0 ? count : 1, sizeof(struct kd_toml *)));
	if (parent->children == nullptr)
		throw std::bad_alloc();
}

void
fill_table(struct kd_toml *made, const toml::table &table, int depth)
{
	made->type = KD_TOML_TABLE;
	make_room(made, table.size());
	for (auto &&[key, value] : table) {
		struct kd_toml *child = add_child(made);
		child->key = text_of(key.str(), key.source());
		child->key_line = static_cast<int>(key.source().begin.line);
		child->key_column = static_cast<int>(key.source().begin.column);
		fill(child, value, depth + 1);
	}
	/* toml++ sorts by name; people are told of the first fault in their file. */
	std::stable_sort(made->children, made->children + made->count,
		[](const struct kd_toml *a, const struct kd_toml *b) {
			return a->key_line != b->key_line ? a->key_line < b->key_line
							  : a->key_column < b->key_column;
		});
}

void
fill_scalar(struct kd_toml *made, const toml::node &node)
{
	if (auto *text = node.as_string()) {
		made->type = KD_TOML_STRING;
		made->text = text_of(text->get(), node.source());
	} else if (auto *integer = node.as_integer()) {
		made->type = KD_TOML_INTEGER;
		made->integer = integer->get();
	} else if (auto *number = node.as_floating_point()) {
		made->type = KD_TOML_NUMBER;
		made->number = number->get();
	} else if (auto *boolean = node.as_boolean()) {
		made->type = KD_TOML_BOOL;
		made->integer = boolean->get();
	} else if (auto *date = node.as_date()) {
		made->type = KD_TOML_TIME;
		made->text = time_text(date->get(), node.source());
	} else if (auto *time = node.as_time()) {
		made->type = KD_TOML_TIME;
		made->text = time_text(time->get(), node.source());
	} else if (auto *both = node.as_date_time()) {
		made->type = KD_TOML_TIME;
		made->text = time_text(both->get(), node.source());
	}
}

void
fill(struct kd_toml *made, const toml::node &node, int depth)
{
	made->line = static_cast<int>(node.source().begin.line);
	made->column = static_cast<int>(node.source().begin.column);
	if (depth > KD_TOML_DEPTH)
		throw refusal{node.source().begin, "tables are nested too deeply"};
	if (auto *table = node.as_table()) {
		fill_table(made, *table, depth);
	} else if (auto *array = node.as_array()) {
		made->type = KD_TOML_ARRAY;
		make_room(made, array->size());
		for (auto &&value : *array)
			fill(add_child(made), value, depth + 1);
	} else {
		fill_scalar(made, node);
	}
}

int
refuse(struct kd_err *err, const char *file, const toml::source_position &place,
	const std::string_view &sentence)
{
	return kd_err_set(err, -EINVAL, "%s:%u:%u: %.*s", file,
		static_cast<unsigned>(place.line), static_cast<unsigned>(place.column),
		static_cast<int>(sentence.size()), sentence.data());
}

} // namespace

extern "C" int
kd_toml_parse(const char *text, size_t length, const char *file, struct kd_toml **root,
	struct kd_err *err)
{
	if (length > KD_TOML_BYTES)
		return kd_err_set(err, -EFBIG,
			"%s: expected at most %u bytes of TOML, found %zu", file,
			KD_TOML_BYTES, length);
	auto *made = static_cast<struct kd_toml *>(calloc(1, sizeof(struct kd_toml)));
	if (made == nullptr)
		return kd_err_set(err, -ENOMEM, "%s: out of memory", file);
	int code;
	try {
		toml::table table = toml::parse(std::string_view(text, length));
		fill(made, table, 0);
		*root = made;
		return 0;
	} catch (const toml::parse_error &error) {
		code = refuse(err, file, error.source().begin, error.description());
	} catch (const refusal &error) {
		code = refuse(err, file, error.place, error.sentence);
	} catch (const std::bad_alloc &) {
		code = kd_err_set(err, -ENOMEM, "%s: out of memory", file);
	} catch (const std::exception &error) {
		code = kd_err_set(err, -EINVAL, "%s: %s", file, error.what());
	} catch (...) {
		code = kd_err_set(err, -EINVAL, "%s: cannot be read as TOML", file);
	}
	kd_toml_free(made);
	return code;
}
