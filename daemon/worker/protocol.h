/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * protocol.h - what kilnd (or kilnctl run) and a keeper say to each other, and what a
 * keeper and its engine do.  Version 1.  All bodies are JSON objects; names of dropped
 * files in them are escaped (base/name.h).  Unknown keys are ignored, unknown types end
 * the link with -EPROTO.
 *
 * Client and keeper.  kiln-worker is started with the link as descriptor 3:
 *
 *   keeper  HELLO    {"version":1,"kiln":"0.1.0"}
 *   client  BATCH    fd 0: the manifest (worker/manifest.h)
 *   keeper  HASHED   {"unit":i,"sha256":hex,"revision":s}  for each unit that can be
 *                    read; revision: the manifest's, with what path parameters hold.  Of
 *                    a large batch the engine has begun by then: PROGRESS may come before
 *   client  VERDICT  {"unit":i,"run":true}  or  {"unit":i,"run":false,"output":path};
 *                    with run, "again":true: an output of the same content counts as
 *                    this unit's own only when its sidecar names this very unit
 *   keeper  PROGRESS {"unit":i,"done":n,"total":m}     at most ten a second and unit
 *   keeper  LOG      {"level":n,"text":s}
 *   keeper  RESULT   fd 0: the result (worker/manifest.h); everything that could be
 *                    published is published and durable
 *   client  FINISH   {"units":[i,...]}                 the ledger knows: inputs may go
 *   keeper  FINISHED {"failed":[{"unit":i,"reason":s}]}
 *   client  BATCH ... again: a keeper, and a warm engine, serve many batches
 *   client  CANCEL   {}                                any time: stop the batch at hand
 *   client  closes the link: the keeper kills its engine and ends
 *
 * `kiln-worker --inspect` has a manifest without units as descriptor 3 in place of the
 * link, has an engine inspect(), prints {"facts":{key:value,...}} or {"error":s} on
 * stdout and exits with 0 or 1.
 *
 * kilnctl and a keeper that takes a drop (`kiln-worker --drop FOLDER`).  kilnd makes the
 * link and gives its other end to kilnctl, so that it never holds a descriptor of
 * somebody else's; each request gets one REPLY, {} or {"error":s}.
 *
 *   kilnctl PUT    {"path":s}, fd 0: a file open for reading, to be copied; path is the
 *                  unit's name, or beneath it
 *   kilnctl PLACE  {"name":s}  all of that unit is there: it appears in the drop folder
 *   kilnctl closes the link: what was not placed is removed
 *
 * Keeper and engine.  The engine has the link as descriptor 3 and the plugin's file as
 * descriptor 4.  Requests by the engine carry a serial and get one REPLY with the same
 * serial, {"ok":0} or {"error":errno}, and the descriptor asked for.
 *
 *   keeper  OPEN      {"kernel":s,"params":{name:value,...},"device":s,"asked":b,
 *                     "memory":n,"threads":n}  asked: by name, not as "auto"
 *   engine  LOADED    {"plugin":s,"version":s,"accepts":n,"makes":n,"needs":n,
 *                     "paths":[s,...]}  the plugin passed the gate; none of its functions
 *                     ran yet.  paths: the parameters of type PATH
 *   engine  OPENED    {} or {"error":errno,"text":s}   after the gate, sandbox and open()
 *   keeper  INSPECT   like OPEN; answered by META ... then OPENED
 *   keeper  PROCESS   fd 0: {"units":[{"kind":n,"name":s,"stem":s,"inputs":[{"name":s,
 *                     "bytes":n},...]},...]} (a directory's names outgrow a body)
 *   engine  INPUT     {"unit":i,"name":s}              -> REPLY with a descriptor
 *   engine  PARAM     {"name":s,"beneath":s|null}      -> REPLY with a descriptor
 *   engine  CREATE    {"unit":i,"name":s,"flags":n}    -> REPLY with a descriptor
 *   engine  SCRATCH   {}                               -> REPLY with a descriptor
 *   engine  CHECKPOINT{"unit":i,"key":s}               -> REPLY with a descriptor
 *   engine  DONE      {"unit":i,"class":n,"reason":s|null}  -> REPLY
 *   engine  WARN META PROGRESS LOG VARIANT TIME        no reply
 *   engine  PROCESSED {"error":errno,"text":s|null}
 *   keeper  CANCEL    {}
 *   keeper  QUIT      {}                               close() and exit
 *
 * Keeper and the engine that unpacks (kiln-worker --unpack), with the archive as
 * descriptor 4:
 *
 *   keeper  UNPACK    {"name":s,"bytes":n,"limit":n,"entries":n,"depth":n,"ratio":n,
 *                     "longest":n}  limit: of bytes, 0: none; see worker/manifest.h
 *   engine  CREATE    {"name":s}                       -> REPLY with a descriptor
 *   engine  UNPACKED  {} or {"error":errno,"text":s}   EINVAL: the archive is refused
 *   keeper  CANCEL    {}
 */
#ifndef KD_PROTOCOL_H
#define KD_PROTOCOL_H

#define KD_PROTOCOL_VERSION   1
#define KD_PROTOCOL_FD	      3 /* the link, in keeper and engine */
#define KD_PROTOCOL_PLUGIN_FD 4 /* the plugin, in the engine */

enum kd_protocol_client { /* client and keeper */
	KD_MSG_HELLO = 1,
	KD_MSG_BATCH,
	KD_MSG_HASHED,
	KD_MSG_VERDICT,
	KD_MSG_UNIT_PROGRESS,
	KD_MSG_KEEPER_LOG,
	KD_MSG_RESULT,
	KD_MSG_FINISH,
	KD_MSG_FINISHED,
	KD_MSG_CANCEL,
};

enum kd_protocol_drop { /* kilnctl and keeper */
	KD_DROP_PUT = 96,
	KD_DROP_PLACE,
	KD_DROP_REPLY,
};

enum kd_protocol_engine { /* keeper and engine */
	KD_ENG_OPEN = 32,
	KD_ENG_OPENED,
	KD_ENG_INSPECT,
	KD_ENG_PROCESS,
	KD_ENG_INPUT,
	KD_ENG_PARAM,
	KD_ENG_CREATE,
	KD_ENG_SCRATCH,
	KD_ENG_CHECKPOINT,
	KD_ENG_DONE,
	KD_ENG_WARN,
	KD_ENG_META,
	KD_ENG_PROGRESS,
	KD_ENG_LOG,
	KD_ENG_VARIANT,
	KD_ENG_TIME,
	KD_ENG_PROCESSED,
	KD_ENG_CANCEL,
	KD_ENG_QUIT,
	KD_ENG_REPLY,
	KD_ENG_LOADED,
	KD_ENG_UNPACK,
	KD_ENG_UNPACKED,
};

#endif
