/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kilnd's ear for its keepers: whatever a keeper says, its job comes to one end, and the
 * pool is empty afterwards.  The keeper is us: spawning is replaced.
 */
#include "daemon/base/log.h"
#include "daemon/work/pool.h"
#include "daemon/work/spawn.h"
#include "daemon/worker/protocol.h"
#include "tests/fuzz/frames.h"
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static struct ev_loop *loop;
static int keeper = -1; /* our end */
static int results, ends;

/* A process that the pool can kill and reap. */
int
kd_spawn_keeper(const char *worker, const char *drop, int *link, pid_t *pid)
{
	int pair[2];
	(void)worker;
	(void)drop;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		abort();
	*pid = fork();
	if (*pid < 0)
		abort();
	if (*pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	*link = pair[0];
	keeper = pair[1];
	return 0;
}

static void
on_hashed(void *context, struct kd_job *job, uint32_t unit, const char *sha256,
	const char *revision)
{
	(void)context;
	(void)sha256;
	(void)revision;
	kd_job_verdict(job, unit, unit == 0 ? KD_VERDICT_RUN : KD_VERDICT_SAME, "/out/x");
}

static void
on_progress(void *context, uint32_t unit, uint64_t done, uint64_t total)
{
	(void)context;
	(void)done;
	(void)total;
	if (unit >= 2)
		abort();
}

static void
on_result(void *context, struct kd_job *job, const struct kd_result *result,
	const char *reason)
{
	static const uint32_t units[] = {0, 1};
	(void)context;
	(void)reason;
	if (results++ > 0 || (result != NULL && result->unit_count != 2))
		abort();
	if (result == NULL)
		ends++;
	else
		kd_job_finish(job, units, 2);
}

static void
on_finished(void *context, const uint32_t *failed, char *const *reasons, uint32_t count,
	const char *reason)
{
	(void)context;
	(void)reasons;
	(void)reason;
	for (uint32_t i = 0; i < count; i++)
		if (failed[i] >= 2)
			abort();
	if (ends++ > 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct frame_type types[] = {{'H', KD_MSG_HELLO, 0},
		{'A', KD_MSG_HASHED, 0}, {'P', KD_MSG_UNIT_PROGRESS, 0},
		{'L', KD_MSG_KEEPER_LOG, 0}, {'R', KD_MSG_RESULT, 0},
		{'F', KD_MSG_FINISHED, 0}, {0}};
	const struct kd_job_handler handler = {.hashed = on_hashed,
		.progress = on_progress,
		.result = on_result,
		.finished = on_finished};
	if (loop == NULL) {
		/* Nothing that a keeper has to log is of interest. */
		kd_log_open("fuzz", KD_LOG_STDERR, (enum kd_log_level)0);
		loop = ev_default_loop(0);
	}
	struct kd_pool_options options = {.worker = "none"};
	struct kd_pool *pool = kd_pool_new(loop, &options);
	struct kd_manifest_unit units[2] = {
		{.id = 1, .path = (char *)"a", .output = (char *)""},
		{.id = 2, .path = (char *)"b", .output = (char *)""}};
	json_t *params = json_object();
	struct kd_manifest manifest = {.batch = 1,
		.rule = (char *)"rule",
		.revision = (char *)"rev",
		.plugin = (char *)"/p.so",
		.kernel = (char *)"copy",
		.params = params,
		.device = (char *)"cpu",
		.threads = 1,
		.repeat = 1,
		.root = (char *)"/in",
		.out = (char *)"/out",
		.unit_count = 2,
		.units = units};
	struct kd_pool_start start = {.manifest = &manifest, .idle = 1000, .warm = 1};
	struct kd_job *job;
	results = ends = 0;
	if (pool == NULL || kd_pool_start(pool, &start, &handler, &job) < 0)
		abort();
	frames_send(keeper, types, data, size);
	shutdown(keeper, SHUT_WR);
	/* Results are read on a thread of their own. */
	for (int i = 0; i < 10000 && ends == 0; i++)
		ev_run(loop, EVRUN_ONCE);
	/* The link has ended: so has the job. */
	if (ends != 1)
		abort();
	kd_pool_free(pool);
	/* A keeper that failed is reaped by the loop, not by the pool. */
	ev_run(loop, EVRUN_NOWAIT);
	close(keeper);
	json_decref(params);
	return 0;
}
