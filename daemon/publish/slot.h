/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slot.h - the names one unit's outputs take in their folder, and the renames that take
 * them.  Version 1 is the names as the kernel gave them; version 2 puts ".2" behind the
 * stem of each, so that an output, its companions and its sidecar stay together.
 */
#ifndef KD_SLOT_H
#define KD_SLOT_H

#include "daemon/publish/publish_unit.h"
#include "daemon/publish/stage.h"

struct kd_slot {
	int directory;
	int stage;	      /* borrowed */
	char *staged_primary; /* in the stage */
	char *staged_sidecar; /* a file's in the stage, a directory's in its folder */
	char *primary,
		*sidecar; /* names in the output folder; no sidecar for a directory */
	struct kd_output *outputs;	/* final names, the unit's hashes and sizes */
	const struct kd_output *staged; /* the unit's */
	uint32_t output_count;
};

enum kd_slot_state {
	KD_SLOT_FREE,
	KD_SLOT_OURS,	  /* this content is published here */
	KD_SLOT_LEFTOVER, /* our sidecar without its primary: an attempt died here */
	KD_SLOT_TAKEN,	  /* by something else */
};

/* -ENAMETOOLONG; -EINVAL when there is no primary.  Clear it afterwards (not after a
 * failure). */
int kd_slot_name(struct kd_slot *slot, const struct kd_stage *stage,
	const struct kd_publish_unit *unit, unsigned version);
void kd_slot_clear(struct kd_slot *slot);

/* What a file's staged sidecar is called. */
void kd_slot_staged_sidecar(const struct kd_publish_unit *unit, char *name, size_t size);

/* With OURS, *found is the sidecar (the caller decrefs it). */
enum kd_slot_state kd_slot_look(int folder, const struct kd_slot *slot,
	const struct kd_publish_unit *unit, json_t **found);
int kd_slot_has_primary(int folder, const struct kd_slot *slot);
/* Whether what stands there may go: files, and a folder that is an output of kiln's.  Any
 * other folder holds what nobody asked us to throw away. */
int kd_slot_may_replace(int folder, const struct kd_slot *slot);

/* The renames into place, in two steps, between which the folder is to be fsynced: first
 * the sidecar and the companions, then the primary, so that a power cut cannot leave the
 * primary alone either.  A directory has only the second.  state: what kd_slot_look()
 * found; TAKEN means replace: the old ones end in the stage.  -EEXIST: somebody was
 * faster; nothing of ours is left there. */
int kd_slot_announce(int folder, const struct kd_slot *slot, enum kd_slot_state state);
/* Takes the first step back. */
void kd_slot_withdraw(int folder, const struct kd_slot *slot, enum kd_slot_state state);
int kd_slot_complete(int folder, const struct kd_slot *slot, enum kd_slot_state state);

#endif
