/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/ctl/bar.h"

#include "daemon/ctl/text.h"

#include <time.h>

/* Twenty drawings a second look smooth and cost nothing. */
#define INTERVAL 0.05
enum { BAR = 24 };

void
kd_ctl_bar_begin(struct kd_ctl_bar *bar, FILE *file)
{
	*bar = (struct kd_ctl_bar){.file = file, .columns = kd_ctl_text_columns(file)};
}

int
kd_ctl_bar_due(struct kd_ctl_bar *bar)
{
	struct timespec now;
	if (bar->columns == 0)
		return 0;
	clock_gettime(CLOCK_MONOTONIC, &now);
	double seconds = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	if (seconds - bar->last < INTERVAL)
		return 0;
	bar->last = seconds;
	return 1;
}

void
kd_ctl_bar_clear(struct kd_ctl_bar *bar)
{
	if (bar->drawn > 0)
		fprintf(bar->file, "\033[%uA\r\033[J", bar->drawn);
	bar->drawn = 0;
	if (bar->columns > 0)
		fflush(bar->file);
}

void
kd_ctl_bar_line(struct kd_ctl_bar *bar, double fraction, const char *text)
{
	if (bar->columns == 0)
		return;
	fraction = fraction > 1 ? 1 : fraction >= 0 ? fraction : 0;
	int full = (int)(fraction * BAR + 0.5);
	unsigned before = BAR + 9; /* "[" bar "] 100 %  " */
	fputc('[', bar->file);
	for (int i = 0; i < BAR; i++)
		fputc(i < full ? '#' : '.', bar->file);
	fprintf(bar->file, "] %3.0f %%  ", fraction * 100);
	if (bar->columns > before + 1)
		fwrite(text, 1, kd_ctl_text_fit(text, bar->columns - before - 1),
			bar->file);
	fputc('\n', bar->file);
	bar->drawn++;
	fflush(bar->file);
}
