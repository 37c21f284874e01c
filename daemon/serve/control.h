/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control.h - the control socket, STATE/control: kilnctl asks, kilnd answers.  Framed by
 * base/wire.h; a connection carries one request at a time.
 *
 *   kilnctl  REQUEST {"version":1,"command":s,"arguments":{...}}
 *   kilnd    EVENT   {...}          any number
 *   kilnd    END     {"ok":true,"data":{...}} or {"ok":false,"error":s}
 *
 * Commands (arguments -> events; data).  Paths are escaped (base/name.h), times are Unix
 * seconds with a fraction, sizes bytes.
 *   status  {} -> data {"version","pid","started","state","configuration","loaded",
 *           "reload_error":s|null,"overflows":n,"polling":n,"workers":{"limit","busy",
 *           "idle"},"gpus":{"slots","busy"},"units":{STATE:n,...},"rules":[{"name",
 *           "kernel","watch","output","state":"watching"|"polling"|"waiting"|"paused",
 *           "why":s|null,"undisposed":n (units that wait for their inputs to be
 *           disposed of, after that failed),"units":{STATE:n,...}},...]}
 *           STATE: settling ready running deferred published skipped kept failed gone
 *           cancelled
 *   list    {"rule":s|null,"state":s|null,"limit":n,"before":n} -> event for each unit,
 *           newest first, at most 1000, with numbers below `before` (0: any): {"id",
 *           "rule","path","state","attempts","reason":s|null,"output":s|null,"created",
 *           "updated","batch":n|null}
 *   show    UNIT -> data: a unit as in list, with "sha256","bytes","left":bool (its
 *           input is not where it was dropped),
 *           "tries":[{"batch","attempt","started","ended","status","reason"},...],
 *           "outputs":[{"path","sha256","bytes","companion"},...]
 *           UNIT: {"unit":n} or {"path":s} (where it was dropped, or below its rule's
 *           folder)
 *   explain {"path":s,"type":"file"|"folder"|null: what kilnctl found there,"changed":
 *           when,"rule","unit": what the sidecar says, where it is an output} -> data
 *           {"rules":[{"rule","state":s,"reason":s,"unit":a unit as in show, or null},
 *           ...]}: one for each rule whose drop folder it lies in, and for the one that
 *           made it.  A file of a sequence or bundle is told its unit.  state: ignored,
 *           waiting, unseen, absent, settling, incomplete, late, queued, paused,
 *           deferred, running, or a final one of a unit's
 *   watch   {"rule":s|null} -> events until the client leaves: {"event":"watching"} at
 *           once, {"event":"unit", and a unit as in list} and {"event":"progress","id","rule","path","done","total"}
 *   sync    {"idle":bool} -> ends when everything dropped before has been seen; with idle,
 *           when moreover no unit is settling or running, nor ready in a rule that is
 *           not paused
 *   drop    {"rule":s,"names":[{"name":s,"folder":bool},...]} -> {"event":"link",
 *           "names_units":bool (each name is a unit)} with a descriptor: a link to a
 *           keeper that takes the drop (worker/protocol.h); ends when that has ended
 *   reload  {"wait":true} -> ends when the new configuration is in force, or refused
 *   pause, resume  {"rule":s|null}: null is everything
 *   cancel  UNIT or {"rule":s} -> data {"cancelled":n,"stopping":n}: of those that waited,
 *           and of those that run
 *   retry   UNIT or {"rule":s} (all that failed) -> data {"retried":n}
 *   prune   {"older":seconds|absent} -> data {"forgotten":n}
 *   backup  {} -> {"event":"backup"} with a descriptor: the copy, a database of SQLite
 *
 * Whoever may connect may ask; to drop one must be among the droppers of the rule or of
 * the configuration; reload and all behind it need root, the daemon's own user, or one of
 * the configuration's admins.  Who asks is what the kernel tells of the peer.
 *
 * A peer that breaks the protocol, lets more than 8 MiB pile up unread, neither asks nor
 * reads for half a minute, or is one of too many, is disconnected: a slow client stalls
 * nobody.  Descriptors that a peer sends are never received.
 */
#ifndef KD_CONTROL_H
#define KD_CONTROL_H

#include "daemon/base/err.h"
#include "daemon/base/wire.h"

#include <ev.h>
#include <jansson.h>
#include <sys/types.h>

enum kd_control_message { KD_CTL_REQUEST = 64, KD_CTL_EVENT, KD_CTL_END };

struct kd_control;
struct kd_control_request; /* lives until ended, or until its client leaves */

/* Who asks, as the kernel told when he connected. */
struct kd_control_peer {
	uid_t uid;
	gid_t gid;
	pid_t pid;
	size_t group_count;
	gid_t *groups; /* supplementary ones */
};

struct kd_control_handler {
	/* A new request; answer now or later, by kd_control_event() and kd_control_end().
	 * arguments are borrowed for the call. */
	void (*request)(void *context, struct kd_control_request *request,
		const char *command, const json_t *arguments);
	/* The client left before the end: forget the request. */
	void (*gone)(void *context, struct kd_control_request *request);
	void *context;
	/* Seconds after which a client that asks nothing, or does not read, is dropped;
	 * 0: 30. */
	double patience;
};

/* Listens on STATE/control (mode 0660; a stale socket is replaced, a live one is
 * -EADDRINUSE). STATE/control.lock, which is locked while kd_control lives, tells them
 * apart. fd >= 0: an already listening socket (systemd's fd store or socket unit) to use
 * instead when its path still stands; taken on success.  For one client more than 64 one
 * of the user with the most connections is dropped. */
int kd_control_new(struct ev_loop *loop, const char *path, int fd,
	const struct kd_control_handler *handler, struct kd_control **control,
	struct kd_err *err);
/* Disconnects everybody (gone() is called for requests at hand), removes the socket. */
void kd_control_free(struct kd_control *control);
int kd_control_fd(const struct kd_control *control);

const struct kd_control_peer *kd_control_peer(const struct kd_control_request *request);
/* For the handler's own use, NULL at first. */
void kd_control_set_data(struct kd_control_request *request, void *data);
void *kd_control_data(const struct kd_control_request *request);

/* body (an object of at most 1 MiB as text) and data (NULL: {}) are stolen.  After end or
 * refuse the request is gone.  Writing waits for the loop; a handler that has more than
 * 8 MiB to tell must let it turn in between. */
void kd_control_event(struct kd_control_request *request, json_t *body);
/* The same with a descriptor, which stays the caller's. */
void kd_control_hand(struct kd_control_request *request, json_t *body, int fd);
void kd_control_end(struct kd_control_request *request, json_t *data);
void kd_control_refuse(struct kd_control_request *request, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The client's side.  A connected, blocking socket, or a negative errno. */
int kd_control_connect(const char *path, struct kd_err *err);

/* The address of a path of any length.  *dir is -1, or a folder's descriptor on which the
 * address leans; close it after bind() or connect(). */
struct sockaddr_un;
int kd_control_address(const char *path, struct sockaddr_un *address, int *dir);

#endif
