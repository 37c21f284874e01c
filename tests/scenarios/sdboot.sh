#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# sdboot.sh - boots a real systemd as PID 1, in a container whose root is this machine's
# own below a tmpfs: what is installed here is there, and what is written there is gone
# with it.  For scenarios about the unit files.  Needs root, systemd-nspawn and nsenter.
#
#	sdboot.sh why-not          why it cannot work here; silent and 0 when it can
#	sdboot.sh up NAME          boot; returns when systemd is done starting
#	sdboot.sh exec NAME CMD... run a command inside
#	sdboot.sh root NAME        the path of its root folder, for make install DESTDIR=
#	sdboot.sh down NAME        power off and clean up
set -u
usage()
{
	sed -n 's/^#\t/usage: /p' "$0" >&2
	exit 2
}
[ $# -ge 1 ] || usage
action=$1 name=${2:-}
work=/run/kiln-sdboot/$name

leader()
{
	cat "$work.leader" 2>/dev/null || { echo "sdboot.sh: '$name' is not up" >&2; exit 1; }
}

inside() # CMD...: in all namespaces of the container's PID 1
{
	nsenter -t "$(leader)" -m -u -i -n -p -C -- "$@"
}

# Runs in a mount namespace of its own: nothing it mounts is seen outside.
boot()
{
	set -e
	mount -t tmpfs -o size=2g,mode=755 tmpfs "$work"
	mkdir "$work/upper" "$work/overlay" "$work/root"
	mount -t overlay overlay "$work/root" \
		-o "lowerdir=/,upperdir=$work/upper,workdir=$work/overlay"
	# systemd wants cgroup v2, whatever this machine itself lives in.
	umount -R /sys/fs/cgroup 2>/dev/null || umount -l /sys/fs/cgroup
	mount -t cgroup2 none /sys/fs/cgroup
	mkdir -p "/sys/fs/cgroup/$name"
	echo $$ >"/sys/fs/cgroup/$name/cgroup.procs"
	local etc=$work/root/etc unit landlock=()
	for unit in systemd-timesyncd systemd-resolved systemd-networkd systemd-udevd \
		systemd-firstboot getty@tty1 console-getty e2scrub_reap; do
		ln -sfn /dev/null "$etc/systemd/system/$unit.service"
	done
	for unit in apt-daily apt-daily-upgrade dpkg-db-backup fstrim; do
		ln -sfn /dev/null "$etc/systemd/system/$unit.timer"
	done
	: >"$etc/fstab"
	tr -d - </proc/sys/kernel/random/uuid >"$etc/machine-id"
	echo "$name" >"$etc/hostname"
	# nspawn's own filter would answer EPERM to the engines' Landlock.
	for unit in landlock_create_ruleset landlock_add_rule landlock_restrict_self; do
		landlock+=("--system-call-filter=$unit")
	done
	exec systemd-nspawn -q -D "$work/root" --machine="$name" --register=no --keep-unit \
		--boot --console=pipe --private-network --link-journal=no \
		--kill-signal=SIGRTMIN+3 "${landlock[@]}"
}

up()
{
	local outer pid state
	if [ -f "$work.leader" ] && kill -0 "$(cat "$work.leader")" 2>/dev/null; then
		echo "sdboot.sh: '$name' is up already" >&2
		exit 1
	fi
	mkdir -p "$work"
	setsid unshare -m --propagation private "$0" boot "$name" </dev/null >"$work.log" 2>&1 &
	outer=$!
	for ((i = 0; i < 600; i++)); do
		if pid=$(pgrep -P $outer -x systemd); then
			echo "$pid" >"$work.leader"
			state=$(inside systemctl is-system-running 2>/dev/null)
			case $state in
			running | degraded) return ;;
			esac
		fi
		kill -0 $outer 2>/dev/null || break
		sleep .1 # there is no event for "PID 1 has finished"
	done
	cat "$work.log" >&2
	exit 1
}

# The leader is killed, never nspawn itself, which would leave its systemd behind.
down()
{
	local pid outer
	pid=$(leader) || exit 1
	outer=$(ps -o ppid= -p "$pid" | tr -d ' ')
	inside systemctl poweroff >/dev/null 2>&1
	timeout 15 tail --pid="$pid" -f /dev/null || kill -9 "$pid" 2>/dev/null
	[ -z "$outer" ] || timeout 10 tail --pid="$outer" -f /dev/null
	for folder in /sys/fs/cgroup/unified /sys/fs/cgroup; do
		[ ! -d "$folder/$name" ] ||
			find "$folder/$name" -depth -type d -exec rmdir {} \; 2>/dev/null
	done
	rm -f "$work.leader" "$work.log"
	rmdir "$work" 2>/dev/null
	return 0
}

why_not()
{
	local tool
	[ "$(id -u)" -eq 0 ] || { echo 'only root can boot a container'; return 1; }
	for tool in systemd-nspawn nsenter unshare pgrep; do
		command -v $tool >/dev/null || { echo "systemd-nspawn needs $tool"; return 1; }
	done
	unshare -m true 2>/dev/null || { echo 'root may not mount here'; return 1; }
}

case $action in
why-not) why_not ;;
boot) boot ;;
up) up ;;
down) down ;;
root) echo "/proc/$(leader)/root" ;;
exec)
	shift 2
	inside "$@"
	;;
*) usage ;;
esac
