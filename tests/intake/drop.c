/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/intake/drop.h"

#include "daemon/base/file.h"
#include "plugins/kiln_plugin.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct drop drop;
char *drop_any[] = {(char *)"*", NULL};
static char *match[] = {(char *)"*.vmd", NULL};
static char *ignore[] = {(char *)"*.part", NULL};

static void
on_settled(void *context, const struct kd_unit *unit)
{
	(void)context;
	int i = 0;
	while (i < drop.seen_count && strcmp(drop.seen[i].path, unit->path) != 0)
		i++;
	if (i == drop.seen_count) {
		assert_true(i < DROP_UNITS);
		snprintf(drop.seen[i].path, sizeof drop.seen[i].path, "%s", unit->path);
		drop.seen_count++;
	}
	drop.seen[i].size = unit->identity.size;
	drop.seen[i].count++;
	if (drop.seen_count == drop.wanted)
		ev_break(drop.loop, EVBREAK_ALL);
}

static void
on_changed(void *context, struct kd_intake *changed)
{
	(void)context;
	(void)changed;
}

int
drop_set_up(void **state)
{
	(void)state;
	memset(&drop, 0, sizeof drop);
	strcpy(drop.folder, "/tmp/kiln-t-intake.XXXXXX");
	if (mkdtemp(drop.folder) == NULL)
		return -1;
	drop.root = open(drop.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	drop.loop = ev_loop_new(0);
	drop.handler =
		(struct kd_intake_handler){.settled = on_settled, .changed = on_changed};
	drop.rule = (struct kd_rule){
		.name = (char *)"r",
		.watch = drop.folder,
		.match = match,
		.ignore = ignore,
		.recursive = 1,
		.unit = KILN_FILE,
		.settle = 0.1,
	};
	return kd_inotify_new(drop.loop, &drop.inotify, NULL);
}

int
drop_tear_down(void **state)
{
	(void)state;
	kd_intake_free(drop.intake);
	kd_inotify_free(drop.inotify);
	ev_loop_destroy(drop.loop);
	close(drop.root);
	int slash = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = kd_file_remove_tree(slash, drop.folder + 1);
	close(slash);
	return rc;
}

void
drop_begin(void)
{
	drop.intake = kd_intake_new(drop.loop, drop.inotify, &drop.rule, &drop.handler);
	assert_non_null(drop.intake);
}

static void
give_up(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)timer;
	(void)events;
	ev_break(loop, EVBREAK_ALL);
}

void
drop_wait_for(int count, double seconds)
{
	ev_timer timer;
	drop.wanted = count;
	ev_timer_init(&timer, give_up, seconds, 0.);
	ev_timer_start(drop.loop, &timer);
	if (drop.seen_count != count)
		ev_run(drop.loop, 0);
	ev_timer_stop(drop.loop, &timer);
}

void
drop_wait_for_scan(void)
{
	while (!kd_intake_is_current(drop.intake))
		ev_run(drop.loop, EVRUN_ONCE);
}

void
drop_put(const char *path, const char *text)
{
	assert_int_equal(kd_file_make_parents(drop.root, path, 0), 0);
	int fd = openat(drop.root, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(kd_file_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

int
drop_times_seen(const char *path)
{
	for (int i = 0; i < drop.seen_count; i++)
		if (strcmp(drop.seen[i].path, path) == 0)
			return drop.seen[i].count;
	return 0;
}
