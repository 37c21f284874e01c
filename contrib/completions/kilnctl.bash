# SPDX-License-Identifier: BSD-2-Clause
# bash completion for kilnctl(1)

_kilnctl_kernels()
{
	kilnctl kernels 2>/dev/null | awk 'NR > 1 { print $1 }'
}

# The parameters of a kernel as "name=".
_kilnctl_params()
{
	kilnctl describe "$1" 2>/dev/null | sed -n 's/^  \([a-z0-9_-]*\): .*/\1=/p'
}

_kilnctl_rules()
{
	kilnctl status 2>/dev/null | awk 'rules { print $1 } $1 == "RULE" { rules = 1 }'
}

_kilnctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command="" kernel="" words="" i
	local commands='run check status list show explain watch sync drop retry cancel pause resume
		backup prune reload kernels describe'
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		--state | -c | --config | -p | --param | -d | --device | -j | --threads | -o | \
			--output | --repeat | --plugins | -r | --rule | -s | --status | -n | \
			--limit | --older)
			((i++)) ;;
		-*) ;;
		*)
			if [ -z "$command" ]; then
				command=${COMP_WORDS[i]}
			elif [ -z "$kernel" ]; then
				kernel=${COMP_WORDS[i]}
			fi
			;;
		esac
	done
	COMPREPLY=()
	case $prev in
	--state | -o | --output | --plugins)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	-c | --config)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	-d | --device) words='auto cpu cuda' ;;
	-r | --rule) words=$(_kilnctl_rules) ;;
	-s | --status) words='ready running deferred published skipped kept failed gone cancelled' ;;
	-j | --threads | --repeat | -n | --limit | --older) return ;;
	-p | --param)
		case $cur in
		*=*)
			mapfile -t COMPREPLY < <(compgen -f -- "${cur#*=}")
			;;
		*)
			words=$(_kilnctl_params "$kernel")
			mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
			compopt -o nospace 2>/dev/null
			;;
		esac
		return
		;;
	*)
		case $command/$cur in
		/-*) words='--state --config --json --help --version' ;;
		/*) words=$commands ;;
		run/-*) words='-p -d -j -o --repeat --collision --plugins --json --help' ;;
		list/-*) words='--rule --status --limit --json --state --help' ;;
		watch/-*) words='--rule --json --state --help' ;;
		reload/-*) words='--wait --state --help' ;;
		sync/-*) words='--idle --state --help' ;;
		retry/-* | cancel/-*) words='--rule --json --state --help' ;;
		drop/-*) words='--wait --json --state --help' ;;
		drop/*)
			if [ -z "$kernel" ]; then
				words=$(_kilnctl_rules)
			else
				mapfile -t COMPREPLY < <(compgen -f -- "$cur")
				return
			fi
			;;
		prune/-*) words='--older --json --state --help' ;;
		pause/* | resume/*) words=$(_kilnctl_rules) ;;
		kernels/-*) words='--plugins --json --help' ;;
		describe/-*) words='-p --plugins --json --help' ;;
		*/-*) words='--json --state --config --help' ;;
		run/* | describe/*)
			if [ -z "$kernel" ]; then
				words=$(_kilnctl_kernels)
			else
				mapfile -t COMPREPLY < <(compgen -f -- "$cur")
				return
			fi
			;;
		*)
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			return
			;;
		esac
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -o filenames -F _kilnctl kilnctl
