/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cells are kept as text until all of them are known, the headings being the first row.
 */
#include "daemon/ctl/table.h"

#include "daemon/ctl/text.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_COLUMNS = 24, GAP = 2, NARROWEST = 8 };

struct kd_ctl_table {
	unsigned columns;
	int right[MOST_COLUMNS];
	size_t count, room;
	char **cells;
};

struct kd_ctl_table *
kd_ctl_table_new(const char *const *headings)
{
	struct kd_ctl_table *table = calloc(1, sizeof *table);
	if (table == NULL)
		return NULL;
	for (; headings[table->columns] != NULL && table->columns < MOST_COLUMNS;
		table->columns++) {
		const char *heading = headings[table->columns];
		table->right[table->columns] = heading[0] == '>';
		kd_ctl_table_cell(table, heading + (heading[0] == '>'));
	}
	return table;
}

void
kd_ctl_table_free(struct kd_ctl_table *table)
{
	if (table == NULL)
		return;
	for (size_t i = 0; i < table->count; i++)
		free(table->cells[i]);
	free(table->cells);
	free(table);
}

void
kd_ctl_table_cell(struct kd_ctl_table *table, const char *text)
{
	if (table == NULL)
		return;
	if (table->count == table->room) {
		size_t room = table->room == 0 ? 64 : table->room * 2;
		char **cells = realloc(table->cells, room * sizeof *cells);
		if (cells == NULL)
			return;
		table->cells = cells;
		table->room = room;
	}
	char *copy = strdup(text == NULL || text[0] == '\0' ? "-" : text);
	if (copy != NULL)
		table->cells[table->count++] = copy;
}

void
kd_ctl_table_number(struct kd_ctl_table *table, long long number)
{
	char text[32];
	snprintf(text, sizeof text, "%lld", number);
	kd_ctl_table_cell(table, text);
}

/* Takes a column at a time from the widest until the row fits. */
static void
measure(const struct kd_ctl_table *table, unsigned room, unsigned *widths)
{
	unsigned all = (table->columns - 1) * GAP;
	for (size_t i = 0; i < table->count; i++) {
		unsigned width = kd_ctl_text_width(table->cells[i]);
		if (width > widths[i % table->columns])
			widths[i % table->columns] = width;
	}
	for (unsigned c = 0; c < table->columns; c++)
		all += widths[c];
	while (room > 0 && all > room) {
		unsigned widest = 0;
		for (unsigned c = 1; c < table->columns; c++)
			if (widths[c] > widths[widest])
				widest = c;
		if (widths[widest] <= NARROWEST)
			break;
		widths[widest]--;
		all--;
	}
}

static void
print_cell(FILE *file, const char *text, unsigned room, int right, int last)
{
	unsigned width = kd_ctl_text_width(text);
	if (width > room) {
		size_t fits = kd_ctl_text_fit(text, room - 1);
		char *head = strndup(text, fits);
		width = head == NULL ? room : kd_ctl_text_width(head) + 1;
		free(head);
		fwrite(text, 1, fits, file);
		fputs("\xe2\x80\xa6", file);
		text = "";
	}
	int pad = width < room ? (int)(room - width) : 0;
	if (right)
		fprintf(file, "%*s%s", pad, "", text);
	else
		fprintf(file, "%s%*s", text, last ? 0 : pad, "");
}

void
kd_ctl_table_print(const struct kd_ctl_table *table, FILE *file, unsigned indent)
{
	if (table == NULL || table->columns == 0)
		return;
	unsigned widths[MOST_COLUMNS] = {0}, columns = kd_ctl_text_columns(file);
	measure(table, columns > indent ? columns - indent : 0, widths);
	int bold = kd_ctl_text_colours(file);
	for (size_t row = 0; row + table->columns <= table->count;
		row += table->columns) {
		fprintf(file, "%*s%s", (int)indent, "",
			row == 0 && bold ? "\033[1m" : "");
		for (unsigned c = 0; c < table->columns; c++) {
			int last = c + 1 == table->columns;
			print_cell(file, table->cells[row + c], widths[c],
				table->right[c], last);
			if (!last)
				fprintf(file, "%*s", GAP, "");
		}
		fputs(row == 0 && bold ? "\033[0m\n" : "\n", file);
	}
}
