#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: what an administrator commands is done, and outlives kilnd: pause and resume,
# cancel, retry (out of quarantine too), prune, backup; explain says why something waits;
# and nobody else may command.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
mkdir "$scratch/plugins"
cp "$top_builddir/plugins/copy.so" "$top_builddir/tests/plugins/hostile.so" "$scratch/plugins"
mkdir "$scratch/hung" "$scratch/bad"
{
	echo '[daemon]'
	echo "plugins = [\"$scratch/plugins\"]"
	echo 'workers = 3'
} >"$conf"
rule copies 'kernel = "copy"' 'ignore = ["*.part"]' 'inputs = "delete"'
rule hung 'kernel = "hang"' "watch = \"$scratch/hung\"" 'batch = { by = "all", max_wait = "0s" }'
rule fussy 'kernel = "fussy"' "watch = \"$scratch/bad\"" 'same = "run"'
kilnd_start
is $? 0 'kilnd starts'


# pause and resume
try 'a rule is paused' ctl pause copies
like "$(ctl pause nonesuch 2>&1)" "no rule 'nonesuch'" 'one that there is not is refused'
echo one >"$drop/one.txt"
try 'sync does not wait for a paused rule' ctl sync --idle
is "$(unit_state "$drop/one.txt")" ready 'its drops are taken in and wait'
like "$(ctl status)" "rule 'copies' is paused: paused by .*kilnctl resume copies" 'status says why'
like "$(ctl explain "$drop/one.txt")" "copies': paused: the rule starts nothing: paused by" 'so does explain'
kilnd_kill
kilnd_start
ctl sync --idle
is "$(unit_state "$drop/one.txt")" ready 'the pause outlives kilnd'
try 'the rule goes on' ctl resume copies
ctl sync --idle
try 'and its drops are published' published one.txt
try 'everything is paused' ctl pause
echo two >"$drop/two.txt"
ctl sync --idle
is "$(unit_state "$drop/two.txt")" ready 'and waits'
like "$(ctl status)" 'everything is paused by' 'which status says'

# cancel
try 'one that waits is cancelled by its path' ctl cancel "$drop/two.txt"
is "$(unit_state "$drop/two.txt")" cancelled 'and is closed'
try 'its input stays' test -e "$drop/two.txt"
said=$(ctl cancel "$drop/two.txt" 2>&1)
is $? 1 'twice is once too often'
like "$said" 'is cancelled: there is nothing to cancel' 'which is said'
for i in 1 2 3; do echo $i >"$drop/many$i.txt"; done
ctl sync --idle
like "$(ctl cancel -r copies)" '3 cancelled, 0 asked' 'all of a rule'
try 'everything goes on' ctl resume
echo hangs >"$scratch/hung/a.txt"
await 20 eval 'ctl list -r hung -s running | grep -q a.txt'
like "$(ctl cancel "$scratch/hung/a.txt")" '0 cancelled, 1 asked to stop' 'one that runs is asked to stop'
ctl sync --idle
is "$(unit_state "$scratch/hung/a.txt")" cancelled 'and ended, as it does not listen'
try 'its input stays too' test -e "$scratch/hung/a.txt"
kilnd_kill
kilnd_start
ctl sync --idle
is "$(unit_state "$scratch/hung/a.txt") $(unit_state "$drop/two.txt")" 'cancelled cancelled' \
	'cancelled units stay so over a restart'

# retry
try 'a cancelled one is tried again' ctl retry "$drop/two.txt"
ctl sync --idle
try 'and published' published two.txt
echo bad >"$scratch/bad/bad.txt"
ctl sync --idle
is "$(unit_state "$scratch/bad/bad.txt")" failed 'a bad one fails'
try 'and lies in quarantine' test -e "$failed/bad.txt" -a ! -e "$scratch/bad/bad.txt"
like "$(ctl explain "$scratch/bad/bad.txt")" "failed: byte 0: expected 'K'" 'explain tells why'
tries=$(ctl show "$scratch/bad/bad.txt" --json | json 'len(d["tries"])')
like "$(ctl retry -r fussy)" '1 tried again' 'all that failed of a rule are tried again'
ctl sync --idle
is "$(ctl show "$scratch/bad/bad.txt" --json | json 'len(d["tries"])')" $((tries + 1)) \
	'it was fetched from quarantine and tried'
try 'and is back there' test -e "$failed/bad.txt" -a -e "$failed/bad.txt.reason.txt"
is "$(find "$failed" -name '*.2*')" '' 'once'
said=$(ctl retry "$drop/one.txt" 2>&1)
is $? 1 'a published one is not tried again'
like "$said" 'is published: only failed' 'which is said'

# explain
touch "$drop/x.part"
like "$(ctl explain "$drop/x.part")" 'ignored: .*is ignored by "\*\.part"' 'a pattern that ignores is named'
like "$(ctl explain "$drop/one.txt")" "published: it is published as '$output/one.txt'" 'where it is published'
like "$(ctl explain "$drop/none.txt")" 'absent: there is nothing of that name' 'nothing'
like "$(ctl explain /etc/passwd)" "below no rule's drop folder" 'elsewhere'
is "$(ctl explain "$drop/one.txt" --json | json 'd["rules"][0]["state"]')" published 'as JSON'

# prune and backup
before=$(ctl list -n 1000 --json | json 'len(d)')
like "$(ctl prune)" '^0 units' 'nothing is old'
like "$(ctl prune --older 0s)" '^[1-9][0-9]* units' 'what has left the drop folder is forgotten'
is "$(ctl list --json | json 'sorted(u["path"] for u in d if u["state"] == "cancelled")')" \
	"['a.txt', 'many1.txt', 'many2.txt', 'many3.txt']" 'what still lies there is not'
ctl sync --idle
is "$(ctl status --json | json 'sum(d["units"].values())')" \
	"$(ctl list -n 1000 --json | json 'len(d)')" 'the counters follow'
try 'fewer units are known' test "$(ctl list -n 1000 --json | json 'len(d)')" -lt "$before"
try 'a backup is made' ctl backup "$scratch/copy.db"
like "$(ctl backup "$scratch/copy.db" 2>&1)" 'is there already' 'and never over another'
is "$(/usr/bin/python3 -c '
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
print(db.execute("PRAGMA integrity_check").fetchone()[0], db.execute("SELECT count(*) FROM unit").fetchone()[0])
' "$scratch/copy.db")" "ok $(ctl list -n 1000 --json | json 'len(d)')" 'it is whole'
is "$(find "$state" -name '*backup*')" '' 'and nothing of it is left in the state folder'
kilnd_stop
is $? 0 'kilnd stops'
mv "$state/ledger.db" "$state/old.db" && rm -f "$state"/ledger.db-*
cp "$scratch/copy.db" "$state/ledger.db"
kilnd_start
ctl sync --idle
is "$(unit_state "$scratch/hung/a.txt")" cancelled 'a backup put in its place is the ledger'
kilnd_stop

# roles
if [ "$(id -u)" = 0 ]; then
	chmod 755 "$scratch" "$state"
	kilnd_start
	chmod 777 "$state/control"
	if as_nobody --version >/dev/null; then
		like "$(as_nobody status)" 'units' 'anybody who may connect may ask'
		for command in pause resume 'cancel 1' 'retry 1' prune "backup /dev/null/x" 'reload --wait'; do
			# shellcheck disable=SC2086 # a command and its argument
			said=$(as_nobody $command)
			is $? 1 "nobody may not ${command%% *}"
			like "$said" 'only root, the daemon.s own user and the admins' 'and is told who may'
		done
		echo 'admins = ["nobody"]' >>"$conf"
		ctl reload --wait
		try 'an admin may' as_nobody pause
		echo 'admins = ["@nogroup"]' | cat <(grep -v admins "$conf") - >"$conf.new"
		mv "$conf.new" "$conf"
		ctl reload --wait
		try 'so may one by his group' as_nobody resume
	else
		skip 'roles' 'only root can read the build tree here'
	fi
	kilnd_stop
else
	skip 'roles' 'needs root to be somebody else'
fi
finish
