#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
# kill-watches.py PID - takes all of a process's inotify watches away behind its back: it
# is stopped meanwhile, and what the kernel has to say of it is read here.  The exit status
# is 77 where descriptors of another process cannot be had.
import ctypes, os, re, signal, sys

PIDFD_GETFD = 438

pid = int(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
killed = 0
os.kill(pid, signal.SIGSTOP)
try:
    pidfd = os.pidfd_open(pid)
    for name in os.listdir(f"/proc/{pid}/fd"):
        if os.readlink(f"/proc/{pid}/fd/{name}") != "anon_inode:inotify":
            continue
        fd = libc.syscall(PIDFD_GETFD, pidfd, int(name), 0)
        if fd < 0:
            print(os.strerror(ctypes.get_errno()), file=sys.stderr)
            sys.exit(77)
        with open(f"/proc/{pid}/fdinfo/{name}") as info:
            for wd in re.findall(r"^inotify wd:([0-9a-f]+)", info.read(), re.M):
                killed += libc.inotify_rm_watch(fd, int(wd, 16)) == 0
        # The descriptor does not block.
        try:
            while os.read(fd, 65536):
                pass
        except BlockingIOError:
            pass
finally:
    os.kill(pid, signal.SIGCONT)
print(killed)
sys.exit(killed == 0)
