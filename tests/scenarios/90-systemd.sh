#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: the shipped unit under a real systemd: what the analysers say of it; started it
# publishes as its own user, reloads or says why not, comes back after a kill with its
# control socket, and stops.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"

unit=$top_builddir/systemd/kilnd.service
sdboot=$top_srcdir/tests/scenarios/sdboot.sh
name=kiln-$$

verify() # UNIT: fails when there is anything to say
{
	local said
	said=$(systemd-analyze verify --man=no "$1" 2>&1) && [ -z "$said" ] && return
	echo "$said"
	return 1
}

# --- What the unit promises, without booting anything -------------------------
if command -v systemd-analyze >/dev/null; then
	# verify wants the programs to be there: it is the unit that is judged here.
	sed -E 's|^(Exec[A-Za-z]*=)[^ ]*|\1/bin/true|' "$unit" >"$scratch/kilnd.service"
	try 'systemd-analyze verify has nothing to say' verify "$scratch/kilnd.service"
	try 'its exposure is at most 1.5 of 10' systemd-analyze security --no-pager \
		--threshold=15 --offline=true "$scratch/kilnd.service"
	mkdir "$scratch/kilnd.service.d"
	cp "$top_srcdir/systemd/kilnd-gpu.conf" "$scratch/kilnd.service.d/"
	try 'nor of the unit with the GPU drop-in' verify "$scratch/kilnd.service"
else
	skip 'what the analysers say' 'no systemd-nspawn here, nor systemd-analyze'
fi

if ! reason=$("$sdboot" why-not); then
	skip 'the unit under a real systemd' "$reason"
	finish
fi

# PrivateTmp= and ProtectHome= hide such a prefix (distcheck's) from the unit itself.
case $(sed -n 's/^ExecReload=\([^ ]*\) .*/\1/p' "$unit") in
/tmp/* | /var/tmp/* | /home/* | /root/*)
	skip 'the unit under a real systemd' 'the prefix lies where the unit sees nothing'
	finish
	;;
esac

# --- A real systemd -----------------------------------------------------------
in_it()
{
	"$sdboot" exec "$name" "$@"
}
over()
{
	"$sdboot" down "$name" >/dev/null 2>&1
	_end
}
trap over EXIT
if ! "$sdboot" up "$name" 2>"$scratch/boot.log"; then
	# Containers of CI often forbid mounts to root, too.
	skip 'the unit under a real systemd' \
		"systemd-nspawn cannot boot here: $(tail -n 1 "$scratch/boot.log")"
	finish
fi
root=$("$sdboot" root "$name")
# Where systemd looks for units, wherever else this build would install to.
try 'make install' make -s -C "$top_builddir" install DESTDIR="$root" \
	systemdsystemunitdir=/lib/systemd/system
kilnctl=$(sed -n 's/^ExecReload=\([^ ]*\) .*/\1/p' "$unit")
conf_dir=$root$(dirname "$(sed -n 's/^ExecStart=.* -c \([^ ]*\) .*/\1/p' "$unit")")
prefix=${kilnctl%/bin/kilnctl}
# The container's root is an overlay; drops belong on a file system of their own kind.
try 'the user and the folders are made' in_it sh -c "
	systemd-sysusers $prefix/lib/sysusers.d/kiln.conf &&
	systemd-tmpfiles --create $prefix/lib/tmpfiles.d/kiln.conf &&
	mount -t tmpfs tmpfs /srv/kiln && chown kilnd:kilnd /srv/kiln &&
	install -d -o kilnd -g kilnd /srv/kiln/in /srv/kiln/out &&
	systemctl daemon-reload"
cat >"$conf_dir/rules.d/copies.toml" <<'RULE'
[rule.copies]
watch = "/srv/kiln/in"
output = "/srv/kiln/out"
kernel = "copy"
settle = "100ms"
inputs = "delete"
RULE
try 'systemctl start ends when kilnd is ready' in_it systemctl start kilnd
is "$(in_it systemctl is-active kilnd)" active 'it is active'
[ "$_bad" -eq 0 ] || note "$(in_it journalctl --no-pager -n 30 -u kilnd)"
is "$(in_it systemctl show -P NFileDescriptorStore kilnd)" 1 'its control socket is kept'
like "$(in_it systemctl show -P StatusText kilnd)" '^0 waiting, .* rule' 'its status says how things stand'

ask=("$kilnctl" --state /var/lib/kilnd)
in_it sh -c 'echo dance >/srv/kiln/in/a.txt && chown kilnd:kilnd /srv/kiln/in/a.txt'
try 'everything dropped is done' in_it "${ask[@]}" sync --idle
is "$(in_it cat /srv/kiln/out/a.txt)" dance 'a drop is published'
is "$(in_it stat -c %U:%G /srv/kiln/out/a.txt)" kilnd:kilnd 'as the user kilnd'
try 'with its sidecar' in_it test -s /srv/kiln/out/a.txt.kiln.json

try 'systemctl reload, when the new rules are fine' in_it systemctl reload kilnd
echo 'kernel = "no such key here"' >"$conf_dir/rules.d/wrong.toml"
if in_it systemctl reload kilnd >/dev/null 2>&1; then
	fail 'systemctl reload fails when they are not'
else
	pass 'systemctl reload fails when they are not'
fi
is "$(in_it systemctl is-active kilnd)" active 'and kilnd stays as it is'
like "$(in_it systemctl show -P StatusText kilnd)" ' done, .* the last reload was refused: ' \
	'and systemctl status says why'
like "$(in_it journalctl --no-pager -o cat -u kilnd)" 'wrong\.toml:[0-9]+:[0-9]+' \
	'and the journal says where'
rm "$conf_dir/rules.d/wrong.toml"

before=$(in_it systemctl show -P MainPID kilnd)
in_it systemctl kill -s KILL --kill-who=main kilnd
try 'after a kill, the kept socket answers' in_it timeout 60 sh -c "
	until ${ask[*]} status >/dev/null 2>&1; do sleep .1; done"
after=$(in_it systemctl show -P MainPID kilnd)
try 'by another process' test "$before" != "$after" -a "$after" != 0
in_it sh -c 'echo again >/srv/kiln/in/b.txt && chown kilnd:kilnd /srv/kiln/in/b.txt'
try 'which works on' in_it "${ask[@]}" sync --idle
is "$(in_it cat /srv/kiln/out/b.txt)" again 'and publishes'

try 'systemctl stop' in_it systemctl stop kilnd
is "$(in_it systemctl show -P Result kilnd)" success 'ends well'
if in_it "${ask[@]}" status >/dev/null 2>&1; then
	fail 'and nobody answers any more'
else
	is $? 3 'and nobody answers any more'
fi
finish
