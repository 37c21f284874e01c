/* SPDX-License-Identifier: BSD-2-Clause */
#include "daemon/worker/identity.h"

#include "daemon/base/name.h"
#include "daemon/worker/custody.h"
#include "daemon/worker/protocol.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A unit that is hashed aside. */
struct reading {
	struct kd_aside_job job;
	struct kd_content_hashing hashing;
	struct kd_batch_unit *unit;
	int rc;
};

int
kd_identity_revise(struct kd_batch *batch, struct kd_handle *handle, int opened)
{
	struct kd_manifest *manifest = &batch->manifest;
	if (batch->asked == NULL)
		batch->asked = strdup(manifest->revision);
	char *revision = batch->asked == NULL ? NULL
					      : kd_handle_revision(handle, manifest,
							batch->asked, opened);
	if (revision == NULL)
		return -ENOMEM;
	free(manifest->revision);
	manifest->revision = revision;
	return 0;
}

/* Names and sizes; hashes once they are known. */
static void
list_inputs(struct kd_batch_unit *unit)
{
	json_decref(unit->inputs);
	unit->inputs = kd_batch_inputs(&unit->content);
}

/* Whether it was written to after it had settled, which made it another unit.  What is
 * claimed cannot have been, and what comes from quarantine may have been mended there. */
static int
is_another(const struct kd_batch_unit *unit)
{
	const struct kd_manifest_unit *given = unit->unit;
	const struct kd_content_file *file = unit->content.files;
	if (given->written == 0 || given->restore || unit->claim.held)
		return 0;
	return file->bytes != given->bytes ||
	       file->mtime.tv_sec != (time_t)(given->written / 1000000000) ||
	       file->mtime.tv_nsec != (long)(given->written % 1000000000);
}

/* Finds the files of all units; how many bytes they are. */
static uint64_t
look(const struct kd_broker *broker)
{
	struct kd_batch *batch = broker->batch;
	uint64_t bytes = 0;
	for (uint32_t i = 0; i < batch->manifest.unit_count; i++) {
		struct kd_batch_unit *unit = &batch->units[i];
		enum kd_status status;
		struct kd_err err;
		kd_custody_prepare(batch, i, broker->link);
		if (unit->stage == KD_BATCH_SETTLED)
			continue;
		if (kd_content_look(&unit->source, &unit->content, &status, &err) < 0)
			kd_batch_settle(unit, status, "%s", err.text);
		else if (is_another(unit))
			kd_batch_settle_changed(unit, -ESTALE, "before it was processed");
		else
			bytes += unit->content.bytes;
	}
	return bytes;
}

static int
has_archives(const struct kd_batch *batch)
{
	for (uint32_t i = 0; i < batch->manifest.unit_count; i++)
		if (batch->units[i].unit->kind == KD_UNIT_ARCHIVE)
			return 1;
	return 0;
}

static int
ask(const struct kd_broker *broker, const struct kd_batch_unit *unit)
{
	const struct kd_batch *batch = broker->batch;
	return kd_link_tell(broker->link, KD_MSG_HASHED,
		json_pack("{sIssss}", "unit", (json_int_t)(unit - batch->units), "sha256",
			unit->content.sha256, "revision", batch->manifest.revision),
		-1);
}

static int
hash_units(const struct kd_broker *broker)
{
	struct kd_batch *batch = broker->batch;
	struct kd_link *link = broker->link;
	for (uint32_t i = 0; i < batch->manifest.unit_count; i++) {
		struct kd_batch_unit *unit = &batch->units[i];
		struct kd_content_hashing hashing = {
			.source = &unit->source, .content = &unit->content};
		if (unit->stage == KD_BATCH_SETTLED)
			continue;
		if (kd_content_hash(&hashing) < 0) {
			kd_batch_settle(unit, hashing.status, "%s", hashing.err.text);
			continue;
		}
		list_inputs(unit);
		unit->stage = link->wire == NULL ? KD_BATCH_TO_RUN : KD_BATCH_ASKED;
		int rc = ask(broker, unit);
		/* Reading on what comes back keeps both sides' queues short. */
		if (rc == 0)
			rc = kd_link_wait(link, NULL, 0);
		if (rc < 0)
			return rc;
		if (link->cancelled)
			break;
	}
	return 0;
}

static int
await_verdicts(struct kd_batch *batch, struct kd_link *link)
{
	for (uint32_t i = 0; i < batch->manifest.unit_count && !link->cancelled;) {
		if (batch->units[i].stage != KD_BATCH_ASKED) {
			i++;
			continue;
		}
		int rc = kd_link_wait(link, NULL, -1);
		if (rc < 0)
			return rc;
	}
	if (link->cancelled)
		kd_batch_settle_rest(batch, KD_UNIT_CANCELLED, "cancelled");
	return 0;
}

/* What an attempt before us published is found before it runs, or counts. */
static int
is_published(const struct kd_broker *broker, struct kd_batch_unit *unit)
{
	struct kd_batch *batch = broker->batch;
	int directory = unit->publish.directory;
	kd_batch_describe(batch, (uint32_t)(unit - batch->units), broker->handle);
	/* A first attempt has none before it.  Should a ledger have been lost that knew of one,
	 * publishing meets what it made in the unit's own place: dearer that once, while
	 * looking for it here reads all of the output folder for every batch. */
	if (unit->unit->attempt == 1)
		return 0;
	if (kd_publish_find(batch->publisher, &unit->publish)) {
		kd_batch_settle(unit, KD_UNIT_ALREADY, "%s", unit->publish.reason);
		return 1;
	}
	unit->publish.directory = directory; /* as the engine is making it */
	return 0;
}

static int
count_to_run(const struct kd_broker *broker)
{
	struct kd_batch *batch = broker->batch;
	int count = 0;
	for (uint32_t i = 0; i < batch->manifest.unit_count; i++)
		if (batch->units[i].stage == KD_BATCH_TO_RUN)
			count += !is_published(broker, &batch->units[i]);
	/* Without a client nobody will say what becomes of the inputs. */
	if (count > 0 && broker->link->wire != NULL)
		kd_custody_claim(batch);
	return count;
}

static void
hash_aside(struct kd_aside_job *job, atomic_int *stop)
{
	struct reading *reading = (struct reading *)job;
	reading->hashing.stop = stop;
	reading->rc = kd_content_hash(&reading->hashing);
}

/* All units that can be read are to run, for now.  How many; -ENOMEM. */
static int
run_ahead(const struct kd_broker *broker)
{
	struct kd_batch *batch = broker->batch;
	int count = 0;
	for (uint32_t i = 0; i < batch->manifest.unit_count; i++) {
		struct kd_batch_unit *unit = &batch->units[i];
		if (unit->stage == KD_BATCH_SETTLED)
			continue;
		struct reading *reading = calloc(1, sizeof *reading);
		if (reading == NULL)
			return -ENOMEM;
		reading->job.run = hash_aside;
		reading->hashing.source = &unit->source;
		reading->hashing.content = &unit->content;
		reading->unit = unit;
		unit->reading = &reading->job;
		unit->ahead = KD_BATCH_HASHING;
		unit->stage = KD_BATCH_TO_RUN;
		list_inputs(unit);
		count++;
	}
	return count;
}

int
kd_identity_begin(const struct kd_broker *broker)
{
	struct kd_batch *batch = broker->batch;
	uint64_t bytes = look(broker);
	if (bytes >= KD_IDENTITY_AHEAD && !has_archives(batch) &&
		kd_aside_new(&batch->aside) == 0) {
		broker->link->aside = batch->aside;
		return run_ahead(broker);
	}
	int rc = hash_units(broker);
	if (rc == 0)
		rc = await_verdicts(batch, broker->link);
	return rc < 0 ? rc : count_to_run(broker);
}

void
kd_identity_start(const struct kd_broker *broker)
{
	struct kd_batch *batch = broker->batch;
	for (uint32_t i = 0; batch->aside != NULL && i < batch->manifest.unit_count;
		i++) {
		struct kd_batch_unit *unit = &batch->units[i];
		if (unit->reading == NULL || unit->is_begun)
			continue;
		unit->is_begun = 1;
		kd_aside_add(batch->aside, unit->reading);
	}
}

/* The engine's work on it is not wanted, whether it has ended or not. */
static void
drop(struct kd_batch_unit *unit)
{
	unit->ahead = KD_BATCH_KNOWN;
	kd_batch_forget(unit);
}

/* Whether every unit's identity and verdict is known. */
static int
is_known(const struct kd_batch *batch)
{
	for (uint32_t i = 0; i < batch->manifest.unit_count; i++)
		if (batch->units[i].ahead != KD_BATCH_KNOWN)
			return 0;
	return 1;
}

/* Claims those whose work counts.  A rename changes ctimes: what was written to them until
 * now has to be seen before. */
static void
claim(const struct kd_broker *broker)
{
	struct kd_batch *batch = broker->batch;
	for (uint32_t i = 0; i < batch->manifest.unit_count; i++) {
		struct kd_batch_unit *unit = &batch->units[i];
		if (unit->stage != KD_BATCH_TO_RUN && unit->stage != KD_BATCH_DONE)
			continue;
		int rc = kd_content_verify(&unit->source, &unit->content, 1);
		if (rc < 0) {
			drop(unit);
			kd_batch_settle_changed(unit, rc,
				"while it was processed; the result was dropped");
		}
	}
	if (broker->link->wire != NULL)
		kd_custody_claim(batch);
}

/* The client lets it run. */
static void
admit(const struct kd_broker *broker, struct kd_batch_unit *unit)
{
	unit->ahead = KD_BATCH_KNOWN;
	is_published(broker, unit);
	if (is_known(broker->batch))
		claim(broker);
}

int
kd_identity_step(const struct kd_broker *broker)
{
	struct kd_batch *batch = broker->batch;
	struct kd_aside_job *job;
	while (batch->aside != NULL && (job = kd_aside_take(batch->aside)) != NULL) {
		struct reading *reading = (struct reading *)job;
		struct kd_batch_unit *unit = reading->unit;
		int rc = reading->rc;
		if (rc < 0) {
			drop(unit);
			kd_batch_settle(unit, reading->hashing.status, "%s",
				reading->hashing.err.text);
		}
		unit->reading = NULL;
		free(reading);
		if (rc < 0) {
			if (is_known(batch))
				claim(broker);
			continue;
		}
		list_inputs(unit);
		if (broker->link->wire == NULL) {
			admit(broker, unit);
			continue;
		}
		unit->ahead = KD_BATCH_ASKING;
		rc = ask(broker, unit);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int
kd_identity_await(const struct kd_broker *broker, const struct kd_batch_unit *unit)
{
	while (unit->ahead == KD_BATCH_HASHING && !broker->link->cancelled) {
		int rc = kd_link_wait(broker->link, NULL, -1);
		if (rc >= 0)
			rc = kd_identity_step(broker);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int
kd_identity_end(const struct kd_broker *broker)
{
	struct kd_batch *batch = broker->batch;
	kd_identity_start(broker);
	while (!is_known(batch) && !broker->link->cancelled) {
		int rc = kd_link_wait(broker->link, NULL, -1);
		if (rc >= 0)
			rc = kd_identity_step(broker);
		if (rc < 0)
			return rc;
	}
	for (uint32_t i = 0; i < batch->manifest.unit_count; i++) {
		struct kd_batch_unit *unit = &batch->units[i];
		if (unit->ahead == KD_BATCH_KNOWN)
			continue;
		drop(unit);
		kd_batch_settle(unit, KD_UNIT_CANCELLED, "cancelled");
	}
	return 0;
}

/* The unit that a verdict is about and that waits for one; NULL: none. */
static struct kd_batch_unit *
asked_unit(struct kd_batch *batch, const json_t *body)
{
	const json_t *number = json_object_get(body, "unit");
	json_int_t i = json_integer_value(number);
	if (!json_is_integer(number) || i < 0 ||
		i >= (json_int_t)batch->manifest.unit_count)
		return NULL;
	struct kd_batch_unit *unit = &batch->units[i];
	return unit->stage == KD_BATCH_ASKED || unit->ahead == KD_BATCH_ASKING ? unit
									       : NULL;
}

int
kd_identity_verdict(void *context, const json_t *body)
{
	const struct kd_broker *broker = context;
	struct kd_batch_unit *unit = asked_unit(broker->batch, body);
	if (unit == NULL)
		return -EPROTO;
	if (json_is_true(json_object_get(body, "run"))) {
		unit->publish.again = json_is_true(json_object_get(body, "again"));
		if (unit->ahead == KD_BATCH_ASKING)
			admit(broker, unit);
		else
			unit->stage = KD_BATCH_TO_RUN;
		return 0;
	}
	const char *output = json_string_value(json_object_get(body, "output"));
	int is_ahead = unit->ahead != KD_BATCH_KNOWN;
	drop(unit);
	kd_batch_settle(unit, KD_UNIT_SAME, "same content as '%s'",
		output == NULL ? "an earlier unit" : output);
	free(unit->publish.primary);
	unit->publish.primary = output == NULL ? NULL : kd_name_unescape(output);
	if (is_ahead && is_known(broker->batch))
		claim(broker);
	return 0;
}

void
kd_identity_clear(struct kd_batch *batch)
{
	kd_aside_free(batch->aside);
	batch->aside = NULL;
	for (uint32_t i = 0; batch->units != NULL && i < batch->manifest.unit_count;
		i++) {
		free((struct reading *)batch->units[i].reading);
		batch->units[i].reading = NULL;
	}
}
