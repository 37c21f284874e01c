/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile - a plugin of kernels that misbehave, each in the way its name says, so that
 * tests can see a keeper deal with it.  Installed nowhere.
 */
#include "plugins/kiln_plugin.h"
#include "tests/plugins/hostile_talk.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LINK = 3 };

static void
nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 10 * 1000 * 1000}, NULL);
}

static int
open_nothing(const struct kiln_host *host, const struct kiln_params *params, void **state)
{
	(void)host;
	(void)params;
	*state = NULL;
	return 0;
}

static void
close_nothing(const struct kiln_host *host, void *state)
{
	(void)host;
	(void)state;
}

/* An output of `bytes` bytes, named by the stem and `rest`; its descriptor stays open. */
static int
make(const struct kiln_host *host, const struct kiln_batch *batch, uint32_t i,
	const char *rest)
{
	char name[512];
	snprintf(name, sizeof name, "%s%s", batch->units[i]->stem, rest);
	int fd = host->create(host, i, name, KILN_PRIMARY);
	if (fd >= 0 && write(fd, "output\n", 7) != 7)
		return -EIO;
	return fd;
}

static void
finish(const struct kiln_host *host, const struct kiln_batch *batch, uint32_t i)
{
	int fd = make(host, batch, i, ".out");
	if (fd >= 0)
		close(fd);
	host->done(host, i, fd < 0 ? KILN_TRANSIENT : KILN_OK,
		fd < 0 ? "cannot create its output" : NULL);
}

static int
crash(void)
{
	/* Not a write through NULL, which a sanitizer would turn into something else. */
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
	return 0;
}

static int
segfault(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	finish(host, batch, 0);
	return crash();
}

static int
crash_on_name(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	for (uint32_t i = 0; i < batch->unit_count; i++) {
		if (strstr(batch->units[i]->name, "poison") != NULL)
			crash();
		finish(host, batch, i);
	}
	return 0;
}

static int
hang(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	host->progress(host, 0, 1, 2);
	while (batch->unit_count > 0)
		nap();
	return 0;
}

static int
lie_twice(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	finish(host, batch, 0);
	host->done(host, 0, KILN_OK, NULL);
	return 0;
}

static int
lie_range(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	return host->done(host, batch->unit_count, KILN_OK, NULL);
}

static int
lie_class(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	(void)batch;
	return host->done(host, 0, 9, NULL);
}

static int
lie_empty(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	(void)batch;
	return host->done(host, 0, KILN_OK, NULL);
}

static int
lie_open(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	make(host, batch, 0, ".out");
	return host->done(host, 0, KILN_OK, NULL);
}

static int
lie_escape(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	(void)batch;
	return host->create(host, 0, "../escaped", KILN_PRIMARY);
}

static int
lie_absolute(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	(void)batch;
	return host->create(host, 0, "/tmp/escaped", KILN_PRIMARY);
}

static int
lie_stem(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	(void)batch;
	return host->create(host, 0, "other.out", KILN_PRIMARY);
}

static int
lie_sidecar(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	make(host, batch, 0, ".out.kiln.json");
	return 0;
}

static int
no_verdict(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	finish(host, batch, 0);
	return 0;
}

/* A whole frame of a type nobody knows, beside the host's own traffic. */
static int
unknown_type(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	static const unsigned char frame[18] = {
		'K', 'L', 'N', '1', 99, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, '{', '}'};
	(void)state;
	struct iovec part = {(void *)frame, sizeof frame};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	sendmsg(LINK, &message, 0);
	finish(host, batch, 0);
	return 0;
}

static int
garbage(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	static const char noise[] = "GET / HTTP/1.1\r\nHost: keeper\r\n\r\n";
	(void)state;
	if (write(LINK, noise, sizeof noise) < 0)
		return -errno;
	finish(host, batch, 0);
	return 0;
}

static int
whole_fails(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	finish(host, batch, 0);
	host->fail(host, "the oven is cold: expected 900 degrees, found 20");
	return -EIO;
}

static int
open_fails(const struct kiln_host *host, const struct kiln_params *params, void **state)
{
	(void)params;
	(void)state;
	host->fail(host, "the door is stuck");
	return -EBUSY;
}

static int
transient(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	for (uint32_t i = 0; i < batch->unit_count; i++)
		host->done(host, i, KILN_TRANSIENT, "the GPU is busy");
	return 0;
}

/* Units whose name begins with 'b' are bad. */
static int
fussy(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	for (uint32_t i = 0; i < batch->unit_count; i++) {
		host->warn(host, i, "seen with \"quotes\"\nand a line break");
		host->meta(host, i, "place", "[1, {\"of\": 2}]");
		if (batch->units[i]->name[0] != 'b')
			finish(host, batch, i);
		else
			host->done(host, i, KILN_BAD_INPUT,
				"byte 0: expected 'K', found something else");
	}
	return 0;
}

/* Waits until its input grows, so that a test can change it at the right moment. */
static int
patient(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	struct stat st;
	(void)state;
	int fd = host->open_input(host, 0, batch->units[0]->inputs[0]->name);
	host->progress(host, 0, 0, 1);
	do
		nap();
	while (fstat(fd, &st) == 0 &&
		(uint64_t)st.st_size == batch->units[0]->inputs[0]->bytes);
	close(fd);
	finish(host, batch, 0);
	return 0;
}

/* Twenty steps, each with a word to the host; for killing in between. */
static int
steps(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	for (uint32_t i = 0; i < batch->unit_count; i++) {
		for (uint64_t k = 1; k <= 4; k++)
			host->log(host, KILN_INFO, "step");
		finish(host, batch, i);
	}
	return 0;
}

/* The one that behaves: a primary and a companion, what the input says in both; of an input
 * that begins with "lone" only the primary, with "other" another companion. */
static int
paired(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	for (uint32_t i = 0; i < batch->unit_count; i++) {
		char name[512], text[100];
		int in = host->open_input(host, i, batch->units[i]->inputs[0]->name);
		ssize_t got = read(in, text, sizeof text);
		close(in);
		int is_lone = got >= 4 && memcmp(text, "lone", 4) == 0;
		int is_other = got >= 5 && memcmp(text, "other", 5) == 0;
		for (uint32_t k = 0; k < 2 && !(is_lone && k == 1); k++) {
			snprintf(name, sizeof name, "%s%s", batch->units[i]->stem,
				k == 0	   ? ".out"
				: is_other ? ".curves.out"
					   : ".preview.out");
			int fd = host->create(
				host, i, name, k == 0 ? KILN_PRIMARY : KILN_COMPANION);
			if (got < 0 || write(fd, text, (size_t)got) != got)
				return -EIO;
			close(fd);
		}
		host->done(host, i, KILN_OK, NULL);
	}
	return 0;
}

static int
big(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	static char piece[65536];
	(void)state;
	for (uint32_t i = 0; i < batch->unit_count; i++) {
		int fd = make(host, batch, i, ".out"), rc = 0;
		/* Unit 0 writes past the limit in one file; the others in several. */
		for (int k = 0; k < 4 && rc == 0; k++)
			rc = write(fd, piece, sizeof piece) == sizeof piece ? 0 : -errno;
		close(fd);
		char text[100];
		snprintf(text, sizeof text, "cannot write its output: %s", strerror(-rc));
		if (rc == 0 || i > 0)
			host->done(host, i, KILN_OK, NULL);
		else
			host->done(host, i, KILN_BAD_INPUT, text);
	}
	return 0;
}

static int
greedy(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	enum { PIECE = 16 << 20 };
	size_t got = 0;
	(void)state;
	(void)batch;
	for (int i = 0; i < 4096; i++) {
		char *piece = malloc(PIECE);
		if (piece == NULL)
			break;
		memset(piece, 1, PIECE);
		got += PIECE;
	}
	char text[100];
	snprintf(text, sizeof text, "out of memory after %zu MiB", got >> 20);
	host->done(host, 0, KILN_TRANSIENT, text);
	return 0;
}

static void
report(char *text, size_t size, const char *what, int failed)
{
	size_t used = strlen(text);
	snprintf(text + used, size - used, "%s%s: %s", used == 0 ? "" : "; ", what,
		failed ? strerror(errno) : "SUCCEEDED");
}

static int
try_network(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd >= 0)
		close(fd);
	return fd;
}

static int
try_fork(void)
{
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return pid;
}

static int
try_exec(void)
{
	char *arguments[] = {(char[]){"true"}, NULL};
	return execv("/bin/true", arguments);
}

static int
try_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof address.sun_path, "%.107s", path);
	/* Socket or not, the link's descriptor is one that could be told to connect. */
	return connect(LINK, (const struct sockaddr *)&address, sizeof address);
}

static int
try_memory_of(pid_t pid)
{
	char byte;
	struct iovec here = {&byte, 1}, there = {&byte, 1};
	return (int)process_vm_readv(pid, &here, 1, &there, 1, 0);
}

static int
try_proc_of(pid_t pid, const char *what)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, what);
	return open(path, O_RDONLY);
}

/* The places that are worth something, below FOLDER/: kilnd's own state and others'
 * drops.  The name of the unit's only input says where that is, with '+' for '/'. */
static int
burglar(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	char text[900] = "", folder[300], path[400];
	(void)state;
	snprintf(folder, sizeof folder, "%s", batch->units[0]->inputs[0]->name);
	for (char *c = folder; *c != '\0'; c++)
		*c = *c == '+' ? '/' : *c;
	static const char *const places[] = {
		"state/ledger.db", "in/other.txt", "out", "done", "failed"};
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, places[i]);
		report(text, sizeof text, places[i], open(path, O_RDONLY) < 0);
	}
	snprintf(path, sizeof path, "%s/state/control", folder);
	report(text, sizeof text, "control socket", try_connect(path) < 0);
	snprintf(path, sizeof path, "%s/in/other.txt", folder);
	report(text, sizeof text, "rename", rename(path, "/tmp/stolen") < 0);
	report(text, sizeof text, "link", link(path, "/tmp/stolen") < 0);
	report(text, sizeof text, "symlink", symlink(path, "/tmp/stolen") < 0);
	report(text, sizeof text, "truncate", truncate(path, 0) < 0);
	report(text, sizeof text, "chmod", chmod(path, 0777) < 0);
	host->done(host, 0, KILN_BAD_INPUT, text);
	return 0;
}

/* Others' processes, and ways out of its own. */
static int
stalker(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	char text[900] = "";
	const pid_t keeper = getppid();
	(void)state;
	(void)batch;
	report(text, sizeof text, "kill all", kill(-1, 0) < 0);
	report(text, sizeof text, "kill kilnd", kill(1, 0) < 0);
	report(text, sizeof text, "queue", sigqueue(keeper, 0, (union sigval){0}) < 0);
	report(text, sizeof text, "tgkill", syscall(SYS_tgkill, keeper, keeper, 0) < 0);
	report(text, sizeof text, "pidfd", syscall(SYS_pidfd_open, keeper, 0) < 0);
	report(text, sizeof text, "attach", ptrace(PTRACE_ATTACH, keeper, 0, 0) < 0);
	report(text, sizeof text, "read its memory", try_memory_of(keeper) < 0);
	report(text, sizeof text, "environ", try_proc_of(keeper, "environ") < 0);
	report(text, sizeof text, "mem", try_proc_of(keeper, "mem") < 0);
	report(text, sizeof text, "init's maps", try_proc_of(1, "maps") < 0);
	report(text, sizeof text, "inet", socket(AF_INET, SOCK_STREAM, 0) < 0);
	report(text, sizeof text, "netlink", socket(AF_NETLINK, SOCK_RAW, 0) < 0);
	report(text, sizeof text, "unshare", unshare(CLONE_NEWUSER) < 0);
	report(text, sizeof text, "bpf", syscall(SYS_bpf, 0, NULL, 0) < 0);
	report(text, sizeof text, "io_uring", syscall(SYS_io_uring_setup, 1, NULL) < 0);
	report(text, sizeof text, "keyring", syscall(SYS_keyctl, 0, 0, 0, 0, 0) < 0);
	report(text, sizeof text, "setuid", setuid(0) < 0);
	report(text, sizeof text, "limits",
		setrlimit(RLIMIT_NOFILE, &(struct rlimit){1 << 20, 1 << 20}) < 0);
	host->done(host, 0, KILN_BAD_INPUT, text);
	return 0;
}

/* Dies after what it should not have tried. */
static int
trespass(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	finish(host, batch, 0);
	ptrace(PTRACE_ATTACH, getppid(), 0, 0);
	unshare(CLONE_NEWUSER);
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	return crash();
}

/* Wants no answer, or one of its own, when it is denied. */
static int
stubborn(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	sigset_t set;
	(void)state;
	finish(host, batch, 0);
	if (signal(SIGSYS, SIG_IGN) != SIG_ERR)
		return 0;
	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	sigprocmask(SIG_BLOCK, &set, NULL);
	ptrace(PTRACE_TRACEME, 0, 0, 0);
	return 0;
}

/* As many descriptors as it can have, then its work all the same. */
static int
hoarder(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	char text[200];
	int count = 0, error;
	(void)state;
	while (count < 1 << 20 && dup(LINK) >= 0)
		count++;
	error = errno;
	int fd = make(host, batch, 0, ".out");
	snprintf(text, sizeof text, "%d descriptors, then: %s; an output: %d", count,
		strerror(error), fd);
	host->done(host, 0, KILN_TRANSIENT, text);
	return 0;
}

/* Memory that RLIMIT_DATA does not see. */
static int
sharer(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	char text[900] = "";
	(void)state;
	(void)batch;
	report(text, sizeof text, "shared memory",
		mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0) == MAP_FAILED);
	report(text, sizeof text, "memfd", memfd_create("hostile", 0) < 0);
	report(text, sizeof text, "System V",
		syscall(SYS_shmget, IPC_PRIVATE, 1 << 20, 0600) < 0);
	host->done(host, 0, KILN_BAD_INPUT, text);
	return 0;
}

/* Outputs without end, each below the limit of one file; or scratch files. */
static int
flood(const struct kiln_host *host, const struct kiln_batch *batch, int is_scratch)
{
	static char piece[65536];
	char name[512];
	for (unsigned i = 0;; i++) {
		snprintf(name, sizeof name, "%s.%u.out", batch->units[0]->stem, i);
		int fd = is_scratch ? host->scratch(host)
				    : host->create(host, 0, name, KILN_COMPANION);
		if (fd < 0 || write(fd, piece, sizeof piece) != sizeof piece)
			nap();
		if (fd >= 0 && !is_scratch)
			close(fd);
	}
	return 0;
}

static int
flood_outputs(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	return flood(host, batch, 0);
}

static int
flood_scratch(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	(void)state;
	return flood(host, batch, 1);
}

/* Tries what no engine may, and tells how each ended. */
static int
spy(const struct kiln_host *host, void *state, const struct kiln_batch *batch)
{
	char text[900] = "";
	(void)state;
	(void)batch;
	report(text, sizeof text, "open /etc/passwd", open("/etc/passwd", O_RDONLY) < 0);
	report(text, sizeof text, "reopen the link", open("/proc/self/fd/3", O_RDWR) < 0);
	report(text, sizeof text, "list /", open("/", O_RDONLY | O_DIRECTORY) < 0);
	report(text, sizeof text, "write /tmp",
		open("/tmp/kiln-hostile", O_WRONLY | O_CREAT, 0600) < 0);
	report(text, sizeof text, "socket", try_network() < 0);
	report(text, sizeof text, "fork", try_fork() < 0);
	report(text, sizeof text, "exec", try_exec() < 0);
	report(text, sizeof text, "kill the keeper", kill(getppid(), 0) < 0);
	report(text, sizeof text, "ptrace", ptrace(PTRACE_TRACEME, 0, 0, 0) < 0);
	report(text, sizeof text, "unlink", unlink("/tmp/kiln-hostile") < 0);
	report(text, sizeof text, "executable memory",
		mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	host->done(host, 0, KILN_BAD_INPUT, text);
	return 0;
}

#define KERNEL(variable, word, function, opener)                                         \
	static const struct kiln_kernel variable = {                                     \
		.size = sizeof variable,                                                 \
		.accepts = KILN_FILE,                                                    \
		.makes = KILN_MAKES_FILE,                                                \
		.name = word,                                                            \
		.summary = "Misbehaves: " word ".",                                      \
		.open = opener,                                                          \
		.process = function,                                                     \
		.close = close_nothing,                                                  \
	}

KERNEL(kernel_segfault, "segfault", segfault, open_nothing);
KERNEL(kernel_crash_on_name, "crash-on-name", crash_on_name, open_nothing);
KERNEL(kernel_hang, "hang", hang, open_nothing);
KERNEL(kernel_lie_twice, "lie-twice", lie_twice, open_nothing);
KERNEL(kernel_lie_range, "lie-range", lie_range, open_nothing);
KERNEL(kernel_lie_class, "lie-class", lie_class, open_nothing);
KERNEL(kernel_lie_empty, "lie-empty", lie_empty, open_nothing);
KERNEL(kernel_lie_open, "lie-open", lie_open, open_nothing);
KERNEL(kernel_lie_escape, "lie-escape", lie_escape, open_nothing);
KERNEL(kernel_lie_absolute, "lie-absolute", lie_absolute, open_nothing);
KERNEL(kernel_lie_stem, "lie-stem", lie_stem, open_nothing);
KERNEL(kernel_lie_sidecar, "lie-sidecar", lie_sidecar, open_nothing);
KERNEL(kernel_no_verdict, "no-verdict", no_verdict, open_nothing);
KERNEL(kernel_unknown_type, "unknown-type", unknown_type, open_nothing);
KERNEL(kernel_garbage, "garbage", garbage, open_nothing);
KERNEL(kernel_deaf, "deaf", hostile_talk_deaf, open_nothing);
KERNEL(kernel_chatter, "chatter", hostile_talk_chatter, open_nothing);
KERNEL(kernel_gift, "gift", hostile_talk_gift, open_nothing);
KERNEL(kernel_whole_fails, "whole-fails", whole_fails, open_nothing);
KERNEL(kernel_open_fails, "open-fails", steps, open_fails);
KERNEL(kernel_transient, "transient", transient, open_nothing);
KERNEL(kernel_fussy, "fussy", fussy, open_nothing);
KERNEL(kernel_patient, "patient", patient, open_nothing);
KERNEL(kernel_steps, "steps", steps, open_nothing);
KERNEL(kernel_paired, "paired", paired, open_nothing);
KERNEL(kernel_big, "big", big, open_nothing);
KERNEL(kernel_greedy, "greedy", greedy, open_nothing);
KERNEL(kernel_spy, "spy", spy, open_nothing);
KERNEL(kernel_burglar, "burglar", burglar, open_nothing);
KERNEL(kernel_stalker, "stalker", stalker, open_nothing);
KERNEL(kernel_trespass, "trespass", trespass, open_nothing);
KERNEL(kernel_stubborn, "stubborn", stubborn, open_nothing);
KERNEL(kernel_hoarder, "hoarder", hoarder, open_nothing);
KERNEL(kernel_sharer, "sharer", sharer, open_nothing);
KERNEL(kernel_flood_outputs, "flood-outputs", flood_outputs, open_nothing);
KERNEL(kernel_flood_scratch, "flood-scratch", flood_scratch, open_nothing);

static const struct kiln_kernel *const kernels[] = {&kernel_segfault,
	&kernel_crash_on_name, &kernel_hang, &kernel_lie_twice, &kernel_lie_range,
	&kernel_lie_class, &kernel_lie_empty, &kernel_lie_open, &kernel_lie_escape,
	&kernel_lie_absolute, &kernel_lie_stem, &kernel_lie_sidecar, &kernel_no_verdict,
	&kernel_unknown_type, &kernel_garbage, &kernel_deaf, &kernel_chatter,
	&kernel_gift, &kernel_whole_fails, &kernel_open_fails, &kernel_transient,
	&kernel_fussy, &kernel_patient, &kernel_steps, &kernel_paired, &kernel_big,
	&kernel_greedy, &kernel_spy, &kernel_burglar, &kernel_stalker, &kernel_trespass,
	&kernel_stubborn, &kernel_hoarder, &kernel_sharer, &kernel_flood_outputs,
	&kernel_flood_scratch, NULL};

KILN_EXPORT const struct kiln_plugin kiln_plugin = {
	.magic = KILN_MAGIC,
	.abi_major = KILN_ABI_MAJOR,
	.abi_minor = KILN_ABI_MINOR,
	.size = sizeof kiln_plugin,
	.name = "hostile",
	.version = "6.6.6",
	.kernels = kernels,
};
