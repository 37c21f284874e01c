/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A drop folder for real: what arrives settles once, however it arrives; what goes on
 * being written does not; a drop folder that comes later is found.
 */
#include "daemon/base/file.h"
#include "daemon/intake/filter.h"
#include "daemon/intake/intake.h"
#include "plugins/kiln_plugin.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static int root;
static struct ev_loop *loop;
static struct kd_inotify *inotify;
static struct kd_intake *intake;
static struct kd_rule rule;
static char *match[] = {(char *)"*.vmd", NULL}, *any[] = {(char *)"*", NULL};
static char *ignore[] = {(char *)"*.part", NULL};

static struct {
	char path[256];
	int64_t size;
	int count;
} seen[4000];
static int seen_count, wanted;

static void
on_settled(void *context, const struct kd_unit *unit)
{
	(void)context;
	int i = 0;
	while (i < seen_count && strcmp(seen[i].path, unit->path) != 0)
		i++;
	if (i == seen_count)
		snprintf(seen[seen_count++].path, sizeof seen[i].path, "%s", unit->path);
	seen[i].size = unit->identity.size;
	seen[i].count++;
	if (seen_count == wanted)
		ev_break(loop, EVBREAK_ALL);
}

static void
on_changed(void *context, struct kd_intake *changed)
{
	(void)context;
	(void)changed;
}

static int
setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/kiln-t-intake.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	loop = ev_loop_new(0);
	memset(seen, 0, sizeof seen);
	seen_count = 0;
	rule = (struct kd_rule){
		.name = (char *)"r",
		.watch = folder,
		.match = match,
		.ignore = ignore,
		.recursive = 1,
		.unit = KILN_FILE,
		.settle = 0.1,
	};
	return kd_inotify_new(loop, &inotify, NULL);
}

static int
teardown(void **state)
{
	(void)state;
	kd_intake_free(intake);
	intake = NULL;
	kd_inotify_free(inotify);
	ev_loop_destroy(loop);
	close(root);
	int slash = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = kd_file_remove_tree(slash, folder + 1);
	close(slash);
	return rc;
}

static void
begin(void)
{
	struct kd_intake_handler handler = {.settled = on_settled, .changed = on_changed};
	intake = kd_intake_new(loop, inotify, &rule, &handler);
	assert_non_null(intake);
}

static void
give_up(struct ev_loop *l, ev_timer *timer, int events)
{
	(void)timer;
	(void)events;
	ev_break(l, EVBREAK_ALL);
}

/* Runs until so many different units have settled, or for so long. */
static void
wait_for(int count, double seconds)
{
	ev_timer timer;
	wanted = count;
	ev_timer_init(&timer, give_up, seconds, 0.);
	ev_timer_start(loop, &timer);
	if (seen_count != count)
		ev_run(loop, 0);
	ev_timer_stop(loop, &timer);
}

/* Runs until all that was there has been seen, and is watched. */
static void
wait_for_scan(void)
{
	while (!kd_intake_is_current(intake))
		ev_run(loop, EVRUN_ONCE);
}

static void
put(const char *path, const char *text)
{
	assert_int_equal(kd_file_make_parents(root, path, 0), 0);
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(kd_file_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static int
times_seen(const char *path)
{
	for (int i = 0; i < seen_count; i++)
		if (strcmp(seen[i].path, path) == 0)
			return seen[i].count;
	return 0;
}

static void
names_that_are_no_units(void **state)
{
	(void)state;
	struct kd_filter_verdict v = kd_filter_entry(&rule, "a/b.vmd", 0);
	assert_int_equal(v.unit, 7);
	assert_int_equal(kd_filter_entry(&rule, "b.vmd.part", 0).unit, 0);
	assert_int_equal(kd_filter_entry(&rule, "b.txt", 0).unit, 0);
	rule.match = any;
	assert_int_equal(kd_filter_entry(&rule, "b.npz.kiln.json", 0).unit, 0);
	assert_int_equal(kd_filter_entry(&rule, ".kiln-stage", 1).descend, 0);
	assert_int_equal(kd_filter_entry(&rule, "sub", 1).descend, 1);
	rule.recursive = 0;
	assert_int_equal(kd_filter_entry(&rule, "sub", 1).descend, 0);
	/* A folder where the pattern asks for a file is a unit, for the worker to refuse.
	 */
	rule.match = match;
	assert_int_equal(kd_filter_entry(&rule, "trap.vmd", 1).unit, 8);
	rule.unit = KILN_DIRECTORY;
	rule.match = any;
	v = kd_filter_entry(&rule, "shot/deep/frame.png", 0);
	assert_int_equal(v.unit, 4);
	assert_int_equal(kd_filter_entry(&rule, "loose.png", 0).unit, 0);
}

static void
what_was_there_before_is_found(void **state)
{
	(void)state;
	put("a.vmd", "1");
	put("deep/er/b.vmd", "22");
	put("c.txt", "3");
	begin();
	wait_for(2, 5);
	assert_int_equal(seen_count, 2);
	assert_int_equal(times_seen("a.vmd"), 1);
	assert_int_equal(times_seen("deep/er/b.vmd"), 1);
	assert_true(kd_intake_is_current(intake));
}

static void
trees_made_in_one_go_are_not_missed(void **state)
{
	(void)state;
	begin();
	wait_for_scan();
	char path[64];
	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof path, "t%d/a/b/c/x.vmd", i);
		put(path, "x");
	}
	wait_for(300, 10);
	assert_int_equal(seen_count, 300);
	for (int i = 0; i < seen_count; i++)
		assert_int_equal(seen[i].count, 1);
}

static void
a_tree_moved_in_is_found(void **state)
{
	(void)state;
	put(".hidden.part/x/y.vmd", "abc");
	begin();
	wait_for_scan();
	assert_int_equal(renameat(root, ".hidden.part", root, "shown"), 0);
	wait_for(1, 5);
	assert_int_equal(times_seen("shown/x/y.vmd"), 1);
}

/* Goes on writing every 50 ms, more often than the quiet time. */
struct writer {
	ev_timer timer;
	int fd, left;
};

static void
write_more(struct ev_loop *l, ev_timer *timer, int events)
{
	(void)events;
	struct writer *writer = (struct writer *)timer;
	assert_int_equal(write(writer->fd, "more", 4), 4);
	assert_int_equal(seen_count, 0);
	if (--writer->left == 0) {
		close(writer->fd);
		ev_timer_stop(l, timer);
	}
}

static void
what_is_still_written_waits(void **state)
{
	(void)state;
	struct writer writer = {.left = 12};
	begin();
	writer.fd = openat(root, "slow.vmd", O_WRONLY | O_CREAT, 0644);
	ev_timer_init(&writer.timer, write_more, 0.05, 0.05);
	ev_timer_start(loop, &writer.timer);
	wait_for(1, 5);
	assert_int_equal(writer.left, 0);
	assert_int_equal(times_seen("slow.vmd"), 1);
	assert_int_equal(seen[0].size, 48);
}

static void
a_folder_settles_as_a_whole(void **state)
{
	(void)state;
	rule.unit = KILN_DIRECTORY;
	rule.match = any;
	assert_int_equal(mkdirat(root, "empty", 0755), 0);
	put("shot/1.png", "1");
	begin();
	wait_for_scan();
	/* A machine that was away for longer than the quiet time has rightly seen it so. */
	int early = times_seen("shot");
	put("shot/sub/2.png", "22");
	while (times_seen("shot") == early)
		ev_run(loop, EVRUN_ONCE);
	assert_int_equal(seen[0].size, 3);
	assert_int_equal(times_seen("shot"), early + 1);
	assert_int_equal(times_seen("empty"), 0);
}

static void
names_that_vanish_are_forgotten(void **state)
{
	(void)state;
	begin();
	wait_for_scan();
	put("gone.vmd", "x");
	kd_inotify_drain(inotify);
	assert_int_equal(kd_intake_settling(intake), 1);
	assert_int_equal(unlinkat(root, "gone.vmd", 0), 0);
	put("stays.vmd", "x");
	wait_for(1, 5);
	assert_int_equal(times_seen("stays.vmd"), 1);
	assert_int_equal(times_seen("gone.vmd"), 0);
	assert_int_equal(kd_intake_settling(intake), 0);
}

static void
a_drop_folder_may_come_later(void **state)
{
	(void)state;
	char later[80];
	const char *why;
	snprintf(later, sizeof later, "%s/later", folder);
	rule.watch = later;
	begin();
	assert_int_equal(kd_intake_state(intake, &why), KD_INTAKE_WAITING);
	assert_string_equal(why, "No such file or directory");
	put("later/a.vmd", "x");
	kd_intake_rescan(intake);
	wait_for(1, 5);
	assert_int_equal(kd_intake_state(intake, &why), KD_INTAKE_WATCHING);
	assert_int_equal(times_seen("a.vmd"), 1);
	/* Away again, and back with something else. */
	assert_int_equal(renameat(root, "later", root, "aside"), 0);
	wait_for(2, 0.05);
	assert_int_equal(kd_intake_state(intake, &why), KD_INTAKE_WAITING);
	put("later/b.vmd", "x");
	kd_intake_rescan(intake);
	wait_for(2, 5);
	assert_int_equal(times_seen("b.vmd"), 1);
}

static void
markers_are_no_drops(void **state)
{
	(void)state;
	rule.ready = KD_READY_MARKER;
	rule.marker = (char *)".done";
	struct kd_filter_verdict v = kd_filter_entry(&rule, "a/b.vmd.done", 0);
	assert_int_equal(v.unit, 7);
	assert_int_equal(v.marker, 1);
	assert_int_equal(kd_filter_entry(&rule, "a/b.vmd", 0).marker, 0);
	assert_int_equal(kd_filter_entry(&rule, "b.txt.done", 0).unit, 0);
	assert_int_equal(kd_filter_entry(&rule, ".done", 0).unit, 0);
	rule.match = any;
	assert_int_equal(kd_filter_entry(&rule, "b.part.done", 0).unit, 0);
	rule.unit = KILN_DIRECTORY;
	assert_int_equal(kd_filter_entry(&rule, "shot/.done", 0).marker, 1);
	assert_int_equal(kd_filter_entry(&rule, "shot/sub/.done", 0).marker, 0);
}

static void
a_marked_file_is_taken_at_once(void **state)
{
	(void)state;
	rule.ready = KD_READY_MARKER;
	rule.marker = (char *)".done";
	rule.settle = 3600;
	put("before.vmd", "1");
	put("before.vmd.done", "");
	put("early.vmd.done", "");
	begin();
	wait_for(1, 5);
	assert_true(times_seen("before.vmd") >= 1);
	put("a.vmd", "22");
	wait_for(2, 0.05);
	assert_int_equal(seen_count, 1);
	assert_int_equal(kd_intake_settling(intake), 0);
	/* Made and closed: told twice, which the ledger does not mind. */
	put("a.vmd.done", "");
	wait_for(2, 5);
	assert_true(times_seen("a.vmd") >= 1);
	/* Its marker was there already: only quiet can tell when it is whole. */
	put("early.vmd", "x");
	wait_for(3, 0.05);
	assert_int_equal(seen_count, 2);
	assert_int_equal(kd_intake_settling(intake), 1);
}

static void
a_marked_directory_is_taken_at_once(void **state)
{
	(void)state;
	rule.unit = KILN_DIRECTORY;
	rule.match = any;
	rule.ready = KD_READY_MARKER;
	rule.marker = (char *)"READY";
	rule.settle = 3600;
	put("only/READY", "");
	put("old/1.png", "1");
	put("old/sub/2.png", "2");
	put("old/READY", "");
	begin();
	wait_for(1, 5);
	assert_true(times_seen("old") >= 1);
	put("shot/1.png", "1");
	put("shot/sub/READY", "");
	wait_for(2, 0.05);
	assert_int_equal(seen_count, 1);
	put("shot/READY", "ready");
	wait_for(2, 5);
	assert_true(times_seen("shot") >= 1);
	assert_int_equal(times_seen("only"), 0);
	/* The marker is none of its bytes. */
	assert_int_equal(seen[1].size, 1);
}

static void
a_marker_taken_back_holds_the_drop(void **state)
{
	(void)state;
	rule.ready = KD_READY_MARKER;
	rule.marker = (char *)".done";
	put("a.vmd.done", "");
	begin();
	wait_for_scan();
	put("a.vmd", "1");
	wait_for(1, 0.02);
	assert_int_equal(unlinkat(root, "a.vmd.done", 0), 0);
	put("b.vmd", "1");
	put("b.vmd.done", "1");
	wait_for(2, 0.5);
	assert_int_equal(times_seen("a.vmd"), 0);
	assert_true(times_seen("b.vmd") >= 1);
	assert_int_equal(kd_intake_settling(intake), 0);
}

static void
a_directory_is_counted(void **state)
{
	(void)state;
	rule.unit = KILN_DIRECTORY;
	rule.match = any;
	rule.ready = KD_READY_COUNT;
	rule.count = 3;
	put("shot/1.png", "1");
	put("shot/2.png", "2");
	begin();
	wait_for(1, 0.4);
	assert_int_equal(seen_count, 0);
	assert_int_equal(kd_intake_settling(intake), 0);
	put("shot/deep/3.png", "3");
	wait_for(1, 5);
	assert_int_equal(times_seen("shot"), 1);
	/* One too many is for the worker to refuse. */
	put("more/1", "1");
	put("more/2", "2");
	put("more/3", "3");
	put("more/4", "4");
	wait_for(2, 5);
	assert_int_equal(times_seen("more"), 1);
}

static void
what_is_renamed_is_taken_at_once(void **state)
{
	(void)state;
	rule.ready = KD_READY_RENAME;
	rule.settle = 3600;
	put("before.vmd", "1");
	begin();
	wait_for(1, 5);
	assert_int_equal(times_seen("before.vmd"), 1);
	put("a.vmd", "written in place");
	put("b.tmp", "x");
	assert_int_equal(renameat(root, "b.tmp", root, "b.vmd"), 0);
	wait_for(2, 5);
	assert_int_equal(times_seen("b.vmd"), 1);
	assert_int_equal(times_seen("a.vmd"), 0);
	assert_int_equal(kd_intake_settling(intake), 0);
	/* In a folder that is made here it may have come before our watch: it settles. */
	put("sub/c.vmd", "x");
	wait_for(3, 0.1);
	assert_int_equal(seen_count, 2);
	assert_int_equal(kd_intake_settling(intake), 1);
	kd_intake_rescan(intake);
	wait_for(4, 5);
	assert_int_equal(times_seen("a.vmd"), 1);
	assert_int_equal(times_seen("sub/c.vmd"), 1);
}

static void
a_renamed_directory_is_taken_at_once(void **state)
{
	(void)state;
	rule.unit = KILN_DIRECTORY;
	rule.match = any;
	rule.ready = KD_READY_RENAME;
	rule.settle = 3600;
	put(".kiln-aside/shot/1.png", "1");
	put(".kiln-aside/frame.png", "2");
	begin();
	wait_for_scan();
	assert_int_equal(mkdirat(root, "made", 0755), 0);
	assert_int_equal(renameat(root, ".kiln-aside/frame.png", root, "made/1.png"), 0);
	assert_int_equal(renameat(root, ".kiln-aside/shot", root, "shot"), 0);
	wait_for(1, 5);
	assert_int_equal(times_seen("shot"), 1);
	assert_int_equal(times_seen("made"), 0);
}

static void
draining_is_a_barrier(void **state)
{
	(void)state;
	begin();
	wait_for_scan();
	char path[64];
	for (int i = 0; i < 500; i++) {
		snprintf(path, sizeof path, "%d.vmd", i);
		put(path, "x");
	}
	kd_inotify_drain(inotify);
	assert_int_equal(kd_intake_settling(intake), 500);
}

static void
sequence_rule(int64_t first, int64_t last, enum kd_gaps gaps)
{
	static char *frames[] = {(char *)"*.png", NULL};
	rule.unit = KILN_SEQUENCE;
	rule.match = frames;
	rule.sequence.first = first;
	rule.sequence.last = last;
	rule.sequence.gaps = gaps;
	rule.sequence.wait = 0.4;
}

static void
put_frames(const char *format, int from, int to)
{
	char path[256];
	for (int i = from; i <= to; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(path, sizeof path, format, i);
#pragma GCC diagnostic pop
		put(path, "frame");
	}
}

/* Takes all watches of our instance away, and what the kernel says of that, so that nobody
 * can know. */
static void
kill_watches(void)
{
	char path[64], target[64], line[256], events[65536];
	int killed = 0;
	for (int fd = 3; fd < 64; fd++) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		ssize_t length = readlink(path, target, sizeof target - 1);
		if (length < 0)
			continue;
		target[length] = '\0';
		if (strcmp(target, "anon_inode:inotify") != 0)
			continue;
		snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
		FILE *info = fopen(path, "re");
		int wd;
		while (info != NULL && fgets(line, sizeof line, info) != NULL)
			if (sscanf(line, "inotify wd:%x", (unsigned *)&wd) == 1)
				killed += inotify_rm_watch(fd, wd) == 0;
		fclose(info);
		while (read(fd, events, sizeof events) > 0)
			continue;
	}
	assert_true(killed > 0);
}

static void
turn(int times)
{
	for (int i = 0; i < times; i++)
		ev_run(loop, EVRUN_NOWAIT);
}

static void
a_watch_that_died_is_renewed(void **state)
{
	(void)state;
	const char *why;
	begin();
	put("sub/a.vmd", "a");
	wait_for(1, 10);
	wait_for_scan();
	for (int i = 0; i < 3; i++) {
		assert_true(kd_intake_prove(intake));
		turn(3);
	}
	assert_int_equal(kd_intake_lost(intake), 0);
	kill_watches();
	/* No event tells of these. */
	put("b.vmd", "b");
	put("sub/c.vmd", "c");
	assert_true(kd_intake_prove(intake));
	assert_int_equal(kd_intake_lost(intake), 1);
	wait_for(3, 10);
	assert_int_equal(times_seen("b.vmd") + times_seen("sub/c.vmd"), 2);
	assert_int_equal(kd_intake_state(intake, &why), KD_INTAKE_WATCHING);
	/* It lives again, below as well. */
	wait_for_scan();
	assert_true(kd_intake_prove(intake));
	turn(3);
	assert_true(kd_intake_prove(intake));
	put("sub/d.vmd", "d");
	wait_for(4, 10);
	assert_int_equal(times_seen("sub/d.vmd"), 1);
	assert_int_equal(kd_intake_lost(intake), 1);
}

static void
a_watch_that_dies_again_is_polled(void **state)
{
	(void)state;
	const char *why;
	begin();
	wait_for_scan();
	kill_watches();
	assert_true(kd_intake_prove(intake));
	wait_for_scan();
	kill_watches();
	assert_true(kd_intake_prove(intake));
	wait_for_scan();
	assert_int_equal(kd_intake_lost(intake), 2);
	assert_int_equal(kd_intake_state(intake, &why), KD_INTAKE_POLLING);
	assert_non_null(strstr(why, "events do not come"));
	/* What is polled has nothing to prove. */
	kill_watches();
	assert_true(kd_intake_prove(intake));
	assert_int_equal(kd_intake_lost(intake), 2);
}

/* Events that lie there unread are another's fault than the kernel's. */
static void
a_loop_that_does_not_read_is_told(void **state)
{
	(void)state;
	begin();
	wait_for_scan();
	turn(3);
	assert_true(kd_intake_prove(intake));
	/* Once may be a loop that was held up. */
	assert_true(kd_intake_prove(intake));
	assert_false(kd_intake_prove(intake));
	turn(3);
	assert_true(kd_intake_prove(intake));
	turn(3);
	assert_true(kd_intake_prove(intake));
	assert_int_equal(kd_intake_lost(intake), 0);
}

/* Two rules may watch one folder, or one the other's parent. */
static void
two_rules_prove_one_folder(void **state)
{
	(void)state;
	char below[80];
	struct kd_intake_handler handler = {.settled = on_settled, .changed = on_changed};
	put("sub/a.vmd", "a");
	begin();
	snprintf(below, sizeof below, "%s/sub", folder);
	struct kd_rule other = rule, third = rule;
	other.watch = below;
	struct kd_intake *same = kd_intake_new(loop, inotify, &third, &handler);
	struct kd_intake *inner = kd_intake_new(loop, inotify, &other, &handler);
	while (!kd_intake_is_current(intake) || !kd_intake_is_current(same) ||
		!kd_intake_is_current(inner))
		ev_run(loop, EVRUN_ONCE);
	for (int i = 0; i < 4; i++) {
		assert_true(kd_intake_prove(intake));
		assert_true(kd_intake_prove(same));
		assert_true(kd_intake_prove(inner));
		turn(3);
	}
	assert_int_equal(
		kd_intake_lost(intake) + kd_intake_lost(same) + kd_intake_lost(inner), 0);
	kd_intake_free(same);
	kd_intake_free(inner);
	put("sub/b.vmd", "b");
	wait_for(3, 10);
	assert_int_equal(times_seen("sub/b.vmd"), 1);
}

static void
a_sequence_is_taken_with_its_last_frame(void **state)
{
	(void)state;
	sequence_rule(1, 10, KD_GAPS_REFUSE);
	put_frames("old/f_%04d.png", 1, 10);
	put_frames("new/f_%04d.png", 0, 9);
	put("new/notes.png", "no number");
	begin();
	wait_for(1, 5);
	assert_int_equal(times_seen("old/f_%04d.png"), 1);
	assert_int_equal(seen[0].size, 50);
	wait_for(2, 0.3);
	assert_int_equal(seen_count, 1);
	assert_int_equal(kd_intake_settling(intake), 0);
	/* Beyond the last, and before the first: not the sequence's. */
	put_frames("new/f_%04d.png", 10, 12);
	wait_for(2, 5);
	assert_int_equal(times_seen("new/f_%04d.png"), 1);
	assert_int_equal(seen[1].size, 50);
}

static void
stems_and_paddings_are_sequences_of_their_own(void **state)
{
	(void)state;
	sequence_rule(-1, -1, KD_GAPS_REFUSE);
	put_frames("a_%d.png", 1, 12);
	put_frames("a_%02d.png", 1, 9);
	put_frames("b_%04d.png", 998, 1002);
	put_frames("%03d.png", 1, 3);
	put_frames("b_%04d.jpg", 1, 3);
	put("b_12345678901234567890.png", "no number anybody counts by");
	begin();
	wait_for(4, 5);
	wait_for(5, 0.3);
	assert_int_equal(seen_count, 4);
	/* 10 to 12 are what both patterns make of these numbers. */
	assert_int_equal(times_seen("a_%d.png"), 1);
	assert_int_equal(times_seen("a_%02d.png"), 1);
	assert_int_equal(times_seen("b_%04d.png"), 1);
	assert_int_equal(times_seen("%03d.png"), 1);
	for (int i = 0; i < seen_count; i++)
		if (strcmp(seen[i].path, "b_%04d.png") == 0)
			assert_int_equal(seen[i].size, 25);
		else if (seen[i].path[0] == 'a')
			assert_int_equal(seen[i].size, 60);
}

static void
a_late_frame_opens_its_sequence_again(void **state)
{
	(void)state;
	sequence_rule(1, -1, KD_GAPS_ALLOW);
	put_frames("f_%04d.png", 1, 3);
	begin();
	wait_for(1, 5);
	put_frames("f_%04d.png", 5, 5);
	wait_for(2, 1);
	assert_int_equal(seen_count, 1);
	assert_int_equal(seen[0].count, 2);
	assert_int_equal(seen[0].size, 20);
}

static void
a_gap_is_waited_for(void **state)
{
	(void)state;
	sequence_rule(1, 5, KD_GAPS_WAIT);
	put_frames("filled/f_%d.png", 1, 3);
	put_frames("filled/f_%d.png", 5, 5);
	put_frames("open/f_%d.png", 1, 3);
	put_frames("open/f_%d.png", 5, 5);
	begin();
	wait_for(1, 0.3);
	assert_int_equal(seen_count, 0);
	put_frames("filled/f_%d.png", 4, 4);
	wait_for(1, 5);
	assert_int_equal(times_seen("filled/f_%d.png"), 1);
	assert_int_equal(seen[0].size, 25);
	/* Handed on for the worker to refuse. */
	wait_for(2, 5);
	assert_int_equal(times_seen("open/f_%d.png"), 1);
	assert_int_equal(seen[1].size, 20);
}

static void
a_bundle_settles_with_its_companions(void **state)
{
	(void)state;
	static char *meshes[] = {(char *)"*.obj", NULL};
	rule.unit = KILN_BUNDLE;
	rule.match = meshes;
	put("m/chair.obj", "12345");
	put("m/chair.mtl", "123");
	put("m/chair_diffuse.png", "12");
	put("m/chair_big.obj", "1");
	put("m/chair_big.mtl", "1");
	put("m/chair.png.part", "ignored");
	put("m/stray.png", "1234567");
	begin();
	wait_for(2, 5);
	assert_int_equal(times_seen("m/chair.obj"), 1);
	assert_int_equal(times_seen("m/chair_big.obj"), 1);
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			seen[i].size, strcmp(seen[i].path, "m/chair.obj") == 0 ? 10 : 2);
	/* A texture that comes late makes it another. */
	put("m/chair_normal_2k.png", "1234");
	wait_for(3, 1);
	assert_int_equal(seen_count, 2);
	assert_int_equal(times_seen("m/chair.obj"), 2);
	assert_int_equal(times_seen("m/chair_big.obj"), 1);
	assert_int_equal(kd_intake_settling(intake), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names_that_are_no_units, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_was_there_before_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(
			trees_made_in_one_go_are_not_missed, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_tree_moved_in_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_still_written_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_folder_settles_as_a_whole, setup, teardown),
		cmocka_unit_test_setup_teardown(
			names_that_vanish_are_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_drop_folder_may_come_later, setup, teardown),
		cmocka_unit_test_setup_teardown(draining_is_a_barrier, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_watch_that_died_is_renewed, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_watch_that_dies_again_is_polled, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_loop_that_does_not_read_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(
			two_rules_prove_one_folder, setup, teardown),
		cmocka_unit_test_setup_teardown(markers_are_no_drops, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_marked_file_is_taken_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_marked_directory_is_taken_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_marker_taken_back_holds_the_drop, setup, teardown),
		cmocka_unit_test_setup_teardown(a_directory_is_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(
			what_is_renamed_is_taken_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_renamed_directory_is_taken_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_sequence_is_taken_with_its_last_frame, setup, teardown),
		cmocka_unit_test_setup_teardown(
			stems_and_paddings_are_sequences_of_their_own, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_late_frame_opens_its_sequence_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_gap_is_waited_for, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_bundle_settles_with_its_companions, setup, teardown),
	};
	return cmocka_run_group_tests_name("intake", tests, NULL, NULL);
}
