/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * statvfs(2) on one that does not answer
 * never returns, so a thread of its own asks and writes what it hears into a pipe; as long
 * as it has not ended, nobody else is sent.  It owns its errand: kilnd may end meanwhile.
 */
#include "daemon/kiln_space.h"

#include "daemon/base/log.h"
#include "daemon/kiln_hold.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const double PERIOD = 5; /* seconds between looks */

/* What the thread is sent with, and what comes back for each rule. */
struct errand {
	int out;
	uint32_t count;
	char *folders[];
};
struct finding {
	uint32_t rule;
	int64_t bytes; /* < 0: not found out */
};

struct kd_kiln_space {
	struct kd_kiln *kiln;
	ev_timer period;
	ev_io answer;	      /* the pipe; not active when nobody is under way */
	int again;	      /* somebody wished for a look meanwhile */
	struct kd_conf *conf; /* of the errand under way */
	uint32_t *rules;      /* by the errand's numbers: conf's */
	struct finding part;  /* read so far */
	size_t have;
};

/* The folder may not be made yet: then what it will be made in counts. */
static int64_t
free_bytes(char *folder)
{
	struct statvfs st;
	for (;;) {
		if (statvfs(folder, &st) == 0)
			return (int64_t)(st.f_bavail * st.f_frsize);
		char *slash = strrchr(folder, '/');
		if (errno != ENOENT || slash == NULL || slash == folder)
			return -1;
		*slash = '\0';
	}
}

static void
errand_free(struct errand *errand)
{
	for (uint32_t i = 0; i < errand->count; i++)
		free(errand->folders[i]);
	free(errand);
}

static void *
run_errand(void *argument)
{
	struct errand *errand = argument;
	for (uint32_t i = 0; i < errand->count; i++) {
		struct finding found = {i, free_bytes(errand->folders[i])};
		if (write(errand->out, &found, sizeof found) != sizeof found)
			break;
	}
	close(errand->out);
	errand_free(errand);
	return NULL;
}

static void
end_errand(struct kd_kiln_space *space)
{
	if (!ev_is_active(&space->answer))
		return;
	ev_io_stop(space->kiln->loop, &space->answer);
	close(space->answer.fd);
	kd_conf_unref(space->conf);
	free(space->rules);
	space->conf = NULL;
	space->rules = NULL;
	space->have = 0;
}

static void
on_answer(struct ev_loop *loop, ev_io *io, int events)
{
	(void)loop;
	(void)events;
	struct kd_kiln_space *space = io->data;
	ssize_t got = read(io->fd, (char *)&space->part + space->have,
		sizeof space->part - space->have);
	if (got < 0)
		return;
	if (got == 0) {
		end_errand(space);
		if (space->again)
			kd_kiln_look_for_space(space->kiln);
		kd_kiln_stir(space->kiln);
		return;
	}
	space->have += (size_t)got;
	if (space->have < sizeof space->part)
		return;
	space->have = 0;
	/* A configuration that came meanwhile waits for its own answers. */
	if (space->conf == space->kiln->conf)
		kd_kiln_note_space(space->kiln,
			space->conf->rules[space->rules[space->part.rule]]->name,
			space->part.bytes);
}

static void
on_period(struct ev_loop *loop, ev_timer *timer, int events)
{
	(void)loop;
	(void)events;
	kd_kiln_look_for_space(timer->data);
}

static struct kd_kiln_space *
need_space(struct kd_kiln *kiln)
{
	struct kd_kiln_space *space = kiln->space;
	if (space != NULL)
		return space;
	space = calloc(1, sizeof *space);
	if (space == NULL)
		return NULL;
	space->kiln = kiln;
	ev_init(&space->answer, on_answer);
	space->answer.data = space;
	ev_timer_init(&space->period, on_period, PERIOD, PERIOD);
	space->period.data = kiln;
	kiln->space = space;
	return space;
}

/* Fills the errand and the numbers of its rules.  NULL: memory is out. */
static struct errand *
write_errand(const struct kd_conf *conf, uint32_t *rules)
{
	struct errand *errand =
		calloc(1, sizeof *errand + conf->rule_count * sizeof errand->folders[0]);
	for (uint32_t i = 0; errand != NULL && i < conf->rule_count; i++) {
		if (conf->rules[i]->low_water == 0)
			continue;
		char *folder = strdup(conf->rules[i]->output);
		if (folder == NULL) {
			errand_free(errand);
			return NULL;
		}
		rules[errand->count] = i;
		errand->folders[errand->count++] = folder;
	}
	return errand;
}

/* Takes the errand, whose pipe it fills in. */
static int
send_errand(struct kd_kiln_space *space, struct errand *errand)
{
	int ends[2];
	pthread_t thread;
	sigset_t all, before;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		int error = errno;
		errand_free(errand);
		return -error;
	}
	errand->out = ends[1];
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&thread, NULL, run_errand, errand);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0) {
		close(ends[0]);
		close(ends[1]);
		errand_free(errand);
		return -rc;
	}
	pthread_detach(thread);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	ev_io_set(&space->answer, ends[0], EV_READ);
	ev_io_start(space->kiln->loop, &space->answer);
	return 0;
}

static int
any_low_water(const struct kd_conf *conf)
{
	for (uint32_t i = 0; i < conf->rule_count; i++)
		if (conf->rules[i]->low_water > 0)
			return 1;
	return 0;
}

void
kd_kiln_look_for_space(struct kd_kiln *kiln)
{
	struct kd_conf *conf = kiln->conf;
	if (!any_low_water(conf)) {
		if (kiln->space != NULL)
			ev_timer_stop(kiln->loop, &kiln->space->period);
		return;
	}
	struct kd_kiln_space *space = need_space(kiln);
	if (space == NULL)
		return;
	ev_timer_start(kiln->loop, &space->period);
	space->again = ev_is_active(&space->answer);
	if (space->again)
		return;
	uint32_t *rules = calloc(conf->rule_count, sizeof *rules);
	struct errand *errand = rules == NULL ? NULL : write_errand(conf, rules);
	int rc = errand == NULL ? -ENOMEM : send_errand(space, errand);
	if (rc < 0) {
		kd_log(KD_ERROR, "the outputs' file systems cannot be looked at (%s)",
			strerror(-rc));
		free(rules);
		return;
	}
	space->rules = rules;
	space->conf = kd_conf_ref(conf);
}

void
kd_kiln_free_space(struct kd_kiln *kiln)
{
	struct kd_kiln_space *space = kiln->space;
	if (space == NULL)
		return;
	end_errand(space);
	ev_timer_stop(kiln->loop, &space->period);
	free(space);
	kiln->space = NULL;
}
