/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * batch.h - one batch in its keeper's hands: what all that carry it know of it, and the
 * small verbs on it.  From the bottom up these are: place.c and custody.c (its inputs),
 * identity.c (what they are), outputs.c (what is made of them), broker.c (what the engine
 * asks for), attempt.c (one run of the engine over it), batch_run.c (from its manifest to
 * its result).
 */
#ifndef KD_BATCH_H
#define KD_BATCH_H

#include "daemon/base/err.h"
#include "daemon/publish/inputs.h"
#include "daemon/publish/publish.h"
#include "daemon/worker/aside.h"
#include "daemon/worker/claim.h"
#include "daemon/worker/content.h"
#include "daemon/worker/handle.h"
#include "daemon/worker/link.h"
#include "daemon/worker/manifest.h"

#include <jansson.h>
#include <time.h>

/* Where a unit stands. */
enum kd_batch_stage {
	KD_BATCH_NEW,
	KD_BATCH_ASKED, /* hashed, the client's verdict is awaited */
	KD_BATCH_TO_RUN,
	KD_BATCH_DONE,	  /* the kernel said OK; outputs wait in the stage */
	KD_BATCH_SETTLED, /* status and reason stand */
};

/* What of its identity is awaited while the engine has the unit already. */
enum kd_batch_ahead {
	KD_BATCH_KNOWN, /* nothing: it is known, or is found out before the engine begins */
	KD_BATCH_HASHING,
	KD_BATCH_ASKING, /* the client's verdict */
};

struct kd_batch_unit {
	const struct kd_manifest_unit *unit;
	enum kd_batch_stage stage;
	enum kd_batch_ahead ahead;
	int running; /* the engine has it and has not said done(); then SETTLED: nobody
		      * wants to hear */
	struct kd_aside_job *reading; /* is to be hashed aside; identity.c's */
	int is_begun;
	enum kd_status status;
	char *reason;
	char *stem;
	struct kd_content_source original; /* where it was dropped */
	struct kd_content_source source;   /* where it lies now */
	struct kd_claim claim;
	struct kd_content content;
	/* What the kernel reads of an archive, in the stage. */
	int is_unpacked;
	char unpacked_path[16];
	struct kd_content_source unpacked_source;
	struct kd_content unpacked;
	struct kd_publish_unit publish;
	uint32_t output_room;
	int primaries;	/* outputs made that are no companions */
	json_t *inputs; /* for the sidecar; for the engine too, but for an archive's */
	json_t *unpacked_inputs;
	json_t *facts, *warnings;
	json_t *checkpoints; /* keys handed out */
	struct timespec started, finished;
	double seconds;
};

struct kd_batch {
	struct kd_manifest manifest;
	char *asked; /* the manifest's revision as it came, without path parameters */
	int root;
	int claimed; /* some unit is, or was, in the claim folder */
	struct kd_stage stage;
	struct kd_publisher *publisher;
	struct kd_batch_unit *units; /* manifest.unit_count */
	uint32_t *running;	     /* units by the engine's numbers */
	uint32_t running_count, undone;
	struct kd_aside *aside; /* NULL: nothing is done aside */
	struct timespec turn;	/* CLOCK_REALTIME of PROCESS or the last done() */
	double *repeats;	/* kernel seconds of each */
	uint32_t repeat;	/* at hand */
	uint64_t frames;	/* of one repeat */
	uint64_t told;		/* bytes that the engine had us remember, see told.h */
	char *failure;		/* of the attempt as a whole */
	struct kd_transfer_unsynced disposed; /* folders of inputs that were finished */
	int *loose; /* unnamed files of the engine's, see spent.h */
	uint32_t loose_count;
	uint64_t free_before; /* bytes on the stage's file system */
	int refused;	      /* it is the rule's parameters' */
	struct timespec started;
};

/* Reads the manifest open at fd; all units are new.  *batch is to be cleared also when it
 * fails, which is with a negative errno and *err. */
int kd_batch_read(int fd, struct kd_batch *batch, struct kd_err *err);

/* Frees what it holds in memory. */
void kd_batch_clear(struct kd_batch *batch);

/* Fills what publishing needs to know of the unit, as far as it is known by now. */
void kd_batch_describe(
	struct kd_batch *batch, uint32_t i, const struct kd_handle *handle);

/* Forgets what the engine made of the unit and said of it. */
void kd_batch_forget(struct kd_batch_unit *unit);

/* [{"name":s,"sha256":hex,"bytes":n},...] */
json_t *kd_batch_inputs(const struct kd_content *content);

/* What the unit is to the kernel. */
uint32_t kd_batch_kind(const struct kd_batch_unit *unit);

/* Settles a unit's fate; its outputs, if any, are not published. */
void kd_batch_settle(struct kd_batch_unit *unit, enum kd_status status,
	const char *format, ...) __attribute__((format(printf, 3, 4)));
/* By what kd_content_verify() said of it. */
void kd_batch_settle_changed(struct kd_batch_unit *unit, int rc, const char *when);
/* Settles all that are not settled or done. */
void kd_batch_settle_rest(
	struct kd_batch *batch, enum kd_status status, const char *reason);
double kd_batch_seconds(const struct timespec *from, const struct timespec *to);

#endif
