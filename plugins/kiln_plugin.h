/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kiln_plugin.h - the contract between kiln and its plugins, ABI 1.0.
 *
 * A plugin is one shared object that exports exactly one symbol, the constant
 * struct kiln_plugin named kiln_plugin.  It names one or more kernels.  kiln loads it
 * only inside an engine: a process that holds one plugin, cannot open any path, has no
 * network and is thrown away when it misbehaves.  Everything a kernel reads or writes
 * comes to it as a file descriptor through struct kiln_host.
 *
 * Growth.  Every struct that crosses the border begins with its own size in bytes and
 * grows at its end only; whoever reads a field that was not there in 1.0 compares that
 * size first.  Whatever comes in numbers crosses as an array of pointers, so that a
 * longer struct never moves its neighbours.  A major number that differs, or a plugin's
 * minor number above the host's, is refused before any code of the plugin is called.
 *
 * Ownership.  Nothing allocated on one side is freed on the other.  Strings and structs
 * handed to a callback live until that callback returns, and are const to the plugin.
 *
 * Errors.  Every int is 0, or a negative errno value.  A sentence for people goes with
 * it by host->done() for a unit or host->fail() for the whole attempt: what was
 * expected, what was found, where.
 *
 * In brackets stands when a function may be called and from which thread.
 */
#ifndef KILN_PLUGIN_H
#define KILN_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#define KILN_MAGIC     0x6e6c696bu /* "kiln", little-endian */
#define KILN_ABI_MAJOR 1
#define KILN_ABI_MINOR 0
#define KILN_EXPORT    __attribute__((visibility("default")))

/* The unit number that stands for the whole batch, model or kernel. */
#define KILN_WHOLE UINT32_MAX

/* What a unit can be; struct kiln_kernel.accepts is a set of these. */
enum kiln_unit_kind {
	KILN_FILE = 1,	    /* one file */
	KILN_DIRECTORY = 2, /* a directory and all regular files below it */
	KILN_SEQUENCE = 4,  /* numbered files of one directory, "frame_%04d.png" */
	KILN_BUNDLE = 8,    /* a file and its companions by stem: chair.obj, chair.mtl,
			       chair_diffuse.png */
};

/* What becomes of one unit. */
enum kiln_class {
	KILN_OK = 0,
	KILN_BAD_INPUT = 1, /* the same input will fail again: quarantined, not retried */
	KILN_TRANSIENT = 2, /* may well succeed later (memory, a busy GPU): retried */
	KILN_CANCELLED = 3, /* the host asked to stop; the unit is queued again */
};

/* What a kernel makes of a unit. */
enum kiln_product {
	KILN_MAKES_FILE = 1,	  /* one primary file, with companions beside it */
	KILN_MAKES_DIRECTORY = 2, /* one directory named like the unit */
	KILN_MAKES_SAME = 3,	  /* a file of a file, a directory of everything else */
};

/* What a kernel needs beyond a bare engine; the administrator grants it per rule. */
enum kiln_needs {
	KILN_NEEDS_CUDA = 1, /* the GPU's device nodes and a driver */
	KILN_NEEDS_JIT = 2,  /* memory that is writable and executable */
	KILN_NEEDS_EXEC = 4, /* to start programs and open their files */
};

enum kiln_level { KILN_ERROR = 3, KILN_WARNING = 4, KILN_INFO = 6, KILN_DEBUG = 7 };

enum kiln_create_flags {
	KILN_PRIMARY = 0,   /* the output itself */
	KILN_COMPANION = 1, /* something beside it: a preview, a report */
};

/* One file of a unit.  name is relative to the unit ("" never; a single component for
 * all but a DIRECTORY), bytes as the dropper wrote them, not necessarily UTF-8. */
struct kiln_input {
	uint32_t size;
	uint32_t reserved;
	const char *name;
	uint64_t bytes;
};

/* One unit.  name is its last path component ("dance.vmd", "shot01"), of a sequence the
 * pattern that printf(3) would make its files' names of ("frame_%04d.png"), of a bundle
 * its main file ("chair.obj"); stem is what its outputs must begin with ("dance",
 * "shot01", "frame", "chair").  The inputs of a sequence come by number, those of other
 * units by name. */
struct kiln_unit {
	uint32_t size;
	uint32_t kind; /* one of enum kiln_unit_kind */
	const char *name;
	const char *stem;
	const struct kiln_input *const *inputs;
	uint32_t input_count;
};

/* Units that run together.  A unit's number is its index here.  Its result must not
 * depend on its neighbours, on its place, or on earlier batches. */
struct kiln_batch {
	uint32_t size;
	uint32_t unit_count;
	const struct kiln_unit *const *units;
};

enum kiln_type {
	KILN_BOOL = 1,	  /* value.integer is 0 or 1 */
	KILN_INTEGER = 2, /* value.integer, minimum..maximum */
	KILN_NUMBER = 3,  /* value.number, minimum..maximum; integers are taken too */
	KILN_STRING = 4,  /* value.text; one of choices, where there are any */
	KILN_PATH = 5,	  /* value.text for messages; open it with host->open_param() */
	KILN_LIST = 6,	  /* value.list: strings; one string is taken as a list of one */
	KILN_JSON =
		7, /* value.text: any TOML value as JSON, for what has its own shape */
};

enum kiln_param_flags {
	KILN_REQUIRED = 1, /* the rule must set it; otherwise default_text holds */
};

/* One parameter, as data: kiln parses, checks, documents and records it. */
struct kiln_param {
	uint32_t size;
	uint32_t type;	/* one of enum kiln_type */
	uint32_t flags; /* set of enum kiln_param_flags */
	uint32_t reserved;
	const char *name;
	const char *
		default_text; /* as it would stand in TOML: "true", "30", "\"all\"", "[]";
				     NULL: unset (then the value has set = 0) */
	double minimum, maximum;    /* of a number; both 0: any */
	const char *unit;	    /* "frames", "degrees"; NULL: none */
	const char *const *choices; /* NULL-ended; NULL: any */
	const char *help;	    /* one sentence */
};

/* One parameter's value: of the schema's type, inside its range. */
struct kiln_value {
	uint32_t size;
	uint32_t type;
	uint32_t set; /* 0: neither the rule nor the schema gave a value */
	uint32_t list_count;
	const char *name;
	int64_t integer;
	double number;
	const char *text;
	const char *const *list;
};

/* All parameters of the kernel's schema, in the schema's order. */
struct kiln_params {
	uint32_t size;
	uint32_t count;
	const struct kiln_value *const *values;
};

/*
 * What the host does for a plugin.  All of these may be called from any thread of the
 * engine, between the start of open() and the end of close(), unless said otherwise.
 */
struct kiln_host {
	uint32_t size;
	uint16_t abi_major, abi_minor;

	/* Set for the life of this struct. */
	uint64_t
		memory_budget; /* bytes this engine should stay within; 0: no limit known */
	uint32_t threads;      /* how many threads to use, >= 1 */
	uint32_t device_asked; /* 1: the rule names the device, so it is worth a warning
				  when another serves; 0: kiln chose it */
	const char *
		device; /* "cpu", "cuda:0"; what the batch was given, not what is there */

	/* A descriptor of input `name` of a unit, read-only, positioned at 0.  The caller
	 * closes it.  -ENOENT: the unit has no such input.  [in process] */
	int (*open_input)(const struct kiln_host *host, uint32_t unit, const char *name);

	/* A descriptor of a parameter of type PATH; beneath NULL: the file itself, else a
	 * file beneath the directory it names.  The caller closes it. [in open, inspect,
	 * process] */
	int (*open_param)(
		const struct kiln_host *host, const char *param, const char *beneath);

	/* A new, empty output file, readable and writable.  The plugin closes it as soon as
	 * it is written.  Kernels that make files: name begins with the unit's stem and has
	 * no '/', and exactly one output is PRIMARY.  Kernels that make directories: name is
	 * relative, sub-folders are made as needed.  -EEXIST: made before.  [in process] */
	int (*create)(const struct kiln_host *host, uint32_t unit, const char *name,
		uint32_t flags);

	/* The verdict on a unit, exactly once for each; reason is NULL for OK. A unit that
	 * is done is published whatever happens to the rest.  [in process] */
	int (*done)(const struct kiln_host *host, uint32_t unit, uint32_t klass,
		const char *reason);

	/* A sentence for people about a unit that is fine all the same; it goes into the
	 * sidecar.  [in process] */
	void (*warn)(const struct kiln_host *host, uint32_t unit, const char *text);

	/* A fact for the sidecar, under "facts"; json is one JSON value.  In inspect(), with
	 * KILN_WHOLE, a fact for `kilnctl describe`.  [in open, inspect, process] */
	void (*meta)(const struct kiln_host *host, uint32_t unit, const char *key,
		const char *json);

	/* How far a unit is: done of total, in units of the kernel's own (frames).  Cheap;
	 * call it as often as you like.  [in process] */
	void (*progress)(const struct kiln_host *host, uint32_t unit, uint64_t done,
		uint64_t total);

	/* Nonzero when the plugin should stop soon: finish or give up the unit at hand, call
	 * done(CANCELLED) for the rest, return.  Ask at least every 100 ms of work. */
	int (*cancelled)(const struct kiln_host *host);

	/* One line for the log. */
	void (*log)(const struct kiln_host *host, uint32_t level, const char *text);

	/* Why open(), inspect() or process() is about to return a negative value. The last
	 * text given counts. */
	void (*fail)(const struct kiln_host *host, const char *text);

	/* A scratch file of this engine, unnamed, gone when closed. */
	int (*scratch)(const struct kiln_host *host);

	/* A file that survives a crashed or cancelled attempt of the same unit with the same
	 * parameters: created empty at first, found as it was left later, removed when the
	 * unit is published.  key is a name of [a-z0-9-]. [in process] */
	int (*checkpoint)(const struct kiln_host *host, uint32_t unit, const char *key);

	/* Which variant of its primitives the kernel uses from now on ("c", "avx2",
	 * "cuda"); for the sidecar, where one whose name does not begin with "cuda" means
	 * that the CPU did the work, whatever the device. [in open, process] */
	void (*variant)(const struct kiln_host *host, const char *name);

	/* Adds to the seconds that the kernel's own arithmetic took, and the frames (or the
	 * kernel's own unit of work) it covered; for `kilnctl run --json`. [in process] */
	void (*kernel_time)(
		const struct kiln_host *host, double seconds, uint64_t frames);
};

struct kiln_kernel {
	uint32_t size;
	uint32_t accepts; /* set of enum kiln_unit_kind */
	uint32_t makes;	  /* one of enum kiln_product */
	uint32_t needs;	  /* set of enum kiln_needs that it cannot do without */
	const char *name; /* [a-z0-9-]+ */
	const char *summary;
	const struct kiln_param *const *params; /* NULL-ended */

	/* REQUIRED [engine's main thread, once].  Loads what serves many batches: models,
	 * maps, contexts.  *state is untouched on failure. */
	int (*open)(const struct kiln_host *host, const struct kiln_params *params,
		void **state);

	/* REQUIRED [engine's main thread, after open, many times].  0 when every unit got
	 * its done(); negative when the attempt as a whole failed (units already done
	 * still count). */
	int (*process)(const struct kiln_host *host, void *state,
		const struct kiln_batch *batch);

	/* REQUIRED [engine's main thread, once].  state may be NULL. */
	void (*close)(const struct kiln_host *host, void *state);

	/* OPTIONAL [engine's main thread, instead of open].  Tells facts about what the
	 * parameters name, a model's bones, by host->meta(KILN_WHOLE, ...). */
	int (*inspect)(const struct kiln_host *host, const struct kiln_params *params);
};

struct kiln_plugin {
	uint32_t magic; /* KILN_MAGIC */
	uint16_t abi_major, abi_minor;
	uint32_t size;
	uint32_t reserved;
	const char *name;
	const char *version;
	const struct kiln_kernel *const *kernels; /* NULL-ended */
};

#endif
