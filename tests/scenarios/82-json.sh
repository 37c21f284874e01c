#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Goal: whoever writes a script against `kilnctl --json` finds every field in kilnctl(1), and
# no field there that is not printed: units of every fate are made, every command is asked.
. "${top_srcdir:-.}/tests/scenarios/lib.sh"
answers=$scratch/answers
mkdir "$answers" "$scratch/plugins" "$scratch/slow"
for plugin in copy vmd-fk; do
	[ ! -e "$top_builddir/plugins/$plugin.so" ] ||
		cp "$top_builddir/plugins/$plugin.so" "$scratch/plugins"
done
echo 'no plugin' >"$scratch/plugins/broken.so"
{ echo '[daemon]'; echo "plugins = [\"$scratch/plugins\"]"; } >"$conf"
rule copies 'kernel = "copy"' 'inputs = "delete"'
rule slow 'kernel = "copy"' "watch = \"$scratch/slow\"" \
	'params = { chunk = 16, pause = 0.05 }'
kilnd_start
is $? 0 'kilnd starts'

ask() # NAME ARGUMENT...: what kilnctl says of it, among others
{
	local name=$1
	shift
	ctl "$@" --json >>"$answers/$name"
}
ask watch watch 2>/dev/null &
watcher=$!
await 10 test -e "$answers/watch"
echo good >"$scratch/good.txt"
mkfifo "$drop/pipe"
try 'drop' ask drop drop copies "$scratch/good.txt" --wait
head -c 2000000 /dev/zero >"$scratch/slow/long.bin"
is_running()
{
	ctl list -r slow -s running | grep -q long.bin
}
has_progress()
{
	grep -q '"event":.*"progress"' "$answers/watch"
}
try 'one unit runs' await 20 is_running
try 'and is watched' await 20 has_progress
for command in status list sync pause resume 'explain '"$scratch/slow/long.bin" "show 1" "show $drop/good.txt" \
	'explain '"$output/good.txt" 'cancel -r slow' 'sync --idle' 'retry -r slow' prune \
	"backup $scratch/copy" 'reload --wait' status list; do
	# shellcheck disable=SC2086 # a command and its arguments
	try "$command" ask "${command%% *}" $command
done
try 'a file of any name' ask backup backup "$scratch/"$'\xff'
like "$(cat "$answers/backup")" '"file": ".*/\\\\xff"' 'is told of, escaped'
kill -TERM "$watcher"
wait "$watcher" 2>/dev/null
kilnd_stop

try 'check' ask check check -c "$conf"
echo 'nonsense' >"$scratch/wrong.toml"
ask check check -c "$scratch/wrong.toml" 2>/dev/null
is $? 1 'a check of what is wrong'
try 'kernels' ask kernels kernels --plugins "$scratch/plugins" 2>/dev/null
try 'describe' ask describe describe copy
try 'run' ask run run copy -o "$scratch/made" "$scratch/good.txt"

# Fields of data, whose names are not ours, are left aside: a rule's params by their names,
# and what a kernel tells of itself.
look() # MAN-PAGE: every field that is printed and not named, or named and not printed
{
	/usr/bin/python3 - "$1" "$answers" <<'END'
import json, os, re, sys
page = open(sys.argv[1]).read()
section = page.split("\n.Sh JSON\n")[1].split("\n.Sh ")[0]
of, fields, takes = [], {}, {}
before = ""
for line in section.split("\n.Bl ", 1)[1].splitlines():
    if line.startswith(".It Cm "):
        of = [word for word in line[7:].split() if word != ","]
        fields.update({name: set() for name in of})
        takes.update({name: set() for name in of})
    else:
        words = line.split()
        marked = set()
        for i, word in enumerate(words):
            if word in ("Cm", ".Cm"):
                for w in words[i + 1:]:
                    if w in ("No", "Ql", "Fl"):
                        break
                    if re.fullmatch(r"[a-z_0-9]+", w):
                        marked.add(w)
        for name in of:
            (takes if before.endswith("as of") else fields)[name] |= marked
    before = line
for _ in takes:
    for name, others in takes.items():
        for other in others:
            fields[name] |= fields[other]
NOT_OURS = {("check", "params"), ("describe", "facts")}
def keys(command, value):
    if isinstance(value, list):
        return set().union(*(keys(command, v) for v in value))
    if not isinstance(value, dict):
        return set()
    found = set(value)
    for key, inner in value.items():
        if (command, key) not in NOT_OURS:
            found |= keys(command, inner)
    return found
bad = []
for command in sorted(set(os.listdir(sys.argv[2])) | set(fields)):
    path = os.path.join(sys.argv[2], command)
    text, found = open(path).read() if os.path.exists(path) else "", set()
    while text.strip():
        value, end = json.JSONDecoder().raw_decode(text.lstrip())
        text = text.lstrip()[end:]
        found |= keys(command, value)
    named = fields.get(command, set())
    if command == "describe": # of one kernel, which does not inspect
        named = named - {"facts", "kernels", "refused", "reason"}
    bad += [f"{command}: '{key}' is printed and not named" for key in found - named]
    bad += [f"{command}: '{key}' is named and not printed" for key in named - found]
print("\n".join(bad))
sys.exit(bool(bad))
END
}
try 'kilnctl(1) names every field, and no other' look "$top_srcdir/daemon/kilnctl.1"
sed '/^\.Cm undisposed$/d' "$top_srcdir/daemon/kilnctl.1" >"$scratch/lacks"
is "$(look "$scratch/lacks")" "status: 'undisposed' is printed and not named" \
	'a field that it lacks is noticed'
sed 's/^\.Cm undisposed$/&\n.Cm planted/' "$top_srcdir/daemon/kilnctl.1" >"$scratch/more"
is "$(look "$scratch/more")" "status: 'planted' is named and not printed" \
	'and one that is not printed'
finish
