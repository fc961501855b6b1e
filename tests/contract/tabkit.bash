# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What a Tab completes: one table of checks for every shell, beside a supervisor on a simulated world.
# To be read by bash with `.`; needs root, no Xen. Who reads it defines
#   offered    for each line of stdin a line: the words that the shell offers at its end, with spaces between
#   typed ...  for each line of stdin a line: what a Tab makes of it, in a shell with a terminal
# and calls `completion`. What is installed is what is tested: below $share.

# shellcheck source-path=SCRIPTDIR source=statuskit.bash
. "$(dirname "${BASH_SOURCE[0]}")/statuskit.bash"
PATH=$bin:$PATH
# shellcheck disable=SC2034 # for the suites
share=$T/usr/share
rows=()

# Checks that `asked` makes: which words are offered at the end of a line, in any order, and what the line is after a
# Tab. A value is the same with its option before it and without.
offers() { # WHAT LINE WORDS
	rows+=("$@")
}
becomes() { # WHAT LINE LINE
	rows+=("$@")
}
# The words of each line in order, each once.
sorted() {
	awk '{
		split("", kept)
		count = 0
		for (i = 1; i <= NF; i++) {
			for (at = count; at > 0 && kept[at] > $i; at--) kept[at + 1] = kept[at]
			if (at > 0 && kept[at] == $i) for (; at < count; at++) kept[at + 1] = kept[at + 2]
			else { kept[at + 1] = $i; count++ }
		}
		line = ""
		for (i = 1; i <= count; i++) line = line (i > 1 ? " " : "") kept[i]
		print line
	}'
}
# For each line of stdin and each of FILE: the second without the option that the first ends with.
values() { # FILE
	awk -v answers="$1" '{
		option = $NF ~ /^--.*=/ && / [^ ]+$/ ? substr($NF, 1, index($NF, "=")) : ""
		if ((getline < answers) <= 0) exit
		for (i = 1; i <= NF; i++) if (option != "" && index($i, option) == 1) $i = substr($i, length(option) + 1)
		print
	}'
}

# Asks all that has been collected of one shell: to begin one is what takes time.
asked() { # FUNCTION
	local i want got
	for ((i = 0; i < ${#rows[@]}; i += 3)); do
		printf '%s\n' "${rows[i + 1]}"
		printf '%s\n' "${rows[i + 2]}" >&3
	done >"$T/lines" 3>"$T/wanted"
	"$1" <"$T/lines" >"$T/answers" 2>"$T/err"
	same "there is an answer for each line $(head -c 300 "$T/err")" "$(wc -l <"$T/lines")" "$(wc -l <"$T/answers")"
	if [ "$1" = offered ]; then
		values "$T/answers" <"$T/lines" | sorted >"$T/got"
		sorted <"$T/wanted" >"$T/want"
	else
		mv "$T/wanted" "$T/want"
		mv "$T/answers" "$T/got"
	fi
	exec 3<"$T/want" 4<"$T/got"
	for ((i = 0; i < ${#rows[@]}; i += 3)); do
		IFS= read -r want <&3
		IFS= read -r got <&4 || got="(no answer)"
		same "${rows[i]}: ${rows[i + 1]}" "$want" "$got"
	done
	exec 3<&- 4<&-
	rows=()
}

# ---- what there is, without what the shells read it with ---------------------------------------------

declare -A helps
help_of() { # COMMAND, one word
	# shellcheck disable=SC2086 # words
	[ -n "${helps[$1]-}" ] || helps[$1]=$($1 --help 2>&1 </dev/null)
	printf '%s\n' "${helps[$1]}"
}

# Options of a command: all that its help names anywhere and the program then knows, written as the help does.
options_of() { # COMMAND
	local option form help
	help=$(help_of "$1")
	for option in $(help_of "$1" | grep -oE -- '(^|[^a-z0-9-])--[a-z][a-z0-9-]*' | grep -oE -- '--[a-z].*' | sort -u) --help; do
		form=$option
		[[ $help != *"$option="* && $help != *"${option}[="* ]] || form=$option=
		# shellcheck disable=SC2086 # words
		[ "$option" = --help ] || ! timeout 5 $1 "${form/%=/=1}" --help </dev/null 2>&1 |
			grep -qE 'is not known here|there is no (option|verb)' || continue
		echo "$form"
		[[ $help != *"${option}[="* ]] || echo "$option"
	done
}

verbs=$(xenpod --help | sed -n 's/^  \([a-z]*\)  *[^ ].*/\1/p' | grep -vx xenpod)
hosts=$(xenpod host --help | sed -n 's/^  \([a-z]*\)  *[^ ].*/\1/p')
commands() {
	printf '%s\n' xenpod-status xenpodd xenpod-metrics xenpod-host
	# shellcheck disable=SC2086 # a word each
	printf 'xenpod %s\n' $verbs
	# shellcheck disable=SC2086
	printf 'xenpod host %s\n' $hosts
}

# ---- the table ---------------------------------------------------------------------------------------

# Each verb, each option, each value that a help tells of.
table_of_helps() {
	local command option value
	# shellcheck disable=SC2086 # a word each
	same "xenpod: there are verbs" "host run stop" "$(printf '%s\n' $verbs | grep -xE 'host|run|stop' | sort | paste -sd' ')"
	offers "verbs" 'xenpod ' "${verbs//$'\n'/ }"
	offers "commands" 'xenpod host ' "${hosts//$'\n'/ }"
	for command in $hosts; do
		value=$(xenpod host --help | sed -n "s/^  $command  *\([a-z]*|[a-z|]*\).*/\1/p" | tr '|' ' ')
		offers "verbs of a command" "xenpod host $command " "$value"
		offers "verbs of a command" "xenpod-host $command " "$value"
		offers "nothing behind a verb" "xenpod host $command ${value%% *} " ''
	done
	commands >"$T/commands"
	while read -r command; do
		help_of "$command" >"$T/help"
		offers "all options" "$command -" "$(options_of "$command" | paste -sd' ')"
		while IFS='= ' read -r option value; do
			offers "a value" "$command $option=" "${value//|/ }"
		done < <(sed 's/\[=/=/g' "$T/help" | grep -oE -- '--[a-z0-9-]+=[a-z]+(\|[a-z]+)+([^a-z=|]|$)' | grep -oE '^[^])[, ]+' | sort -u)
		while IFS='=' read -r option _; do
			offers "a file" "$command $option=$T/images/w" "$T/images/web.aci"
		done < <(sed 's/\[=/=/g' "$T/help" | grep -oE -- '--[a-z0-9-]+=(DIR|FILE|PATH)\b' | sort -u)
	done <"$T/commands"
}

# What is known of the rest: by hand.
table_of_words() {
	local columns states
	offers "the beginning of a verb" 'xenpod li' list
	offers "a program by its path" "$bin/xenpod li" list
	offers "no verb" 'xenpod zz' ''
	offers "options before a verb" 'xenpod --' '--help --version'
	offers "no pods" 'xenpod stop ' ''
	offers "nothing where nothing follows" 'xenpod gc ' ''
	offers "nothing where nothing follows" 'xenpodd ' ''
	offers "the beginning of an option" 'xenpod run --memo' '--memory='
	offers "options: without and with a value" 'xenpod run --re' '--readonly-rootfs --restart='
	offers "options: a value that may follow" 'xenpod-status --wai' '--wait --wait='
	offers "options: with a digit" 'xenpod host efi install --dom' '--dom0-mem='
	offers "options behind options" 'xenpod gc --json --dry' '--dry-run'
	offers "options behind a verb" 'xenpod host network up --dry' '--dry-run'
	offers "xenpod-host" 'xenpod-host ' "$(paste -sd' ' <<<"$hosts")"
	offers "xenpod-host: options of a command" 'xenpod-host check --js' '--json'
	offers "host: the beginning of a command" 'xenpod host ch' check
	offers "host: behind an option" 'xenpod host --root=/x ch' check
	offers "host: behind an option and its value" 'xenpod host --root /x ch' check
	offers "host: verbs behind an option" 'xenpod host --root=/x services se' setup
	offers "host: verbs behind an option of the command" 'xenpod host services --xenpodd te' teardown

	offers "values" 'xenpod run --restart=' 'always never on-failure'
	offers "values: the beginning" 'xenpod run --restart=al' always
	offers "values: behind a space" 'xenpod run --restart al' always
	offers "values: of a help" 'xenpod run --type=' 'auto pv pvh'
	offers "values: of a help, the beginning" 'xenpod host network up --fire' '--firewall='
	offers "values: of this command, not of another" 'xenpod host network up --port=' 'dummy none'
	offers "values: none are known" 'xenpod run --port=' ''
	offers "values: networks" 'xenpod run --net=' 'all default none'
	offers "values: networks, the beginning" 'xenpod run --net=d' default
	offers "values: streams" 'xenpod logs --stream=' 'stderr stdout'
	offers "values: what is insecure" 'xenpod run --insecure-options=' 'all-run capabilities paths seccomp'
	columns=$(xenpod-status --help | sed -n '/^Columns:/,/^$/s/^  \([A-Z]*\) .*/\L\1/p' | paste -sd' ')
	states=$(xenpod-status --help | sed -n '/^States:/,/^and/p' | tr '\n' ' ' | sed 's/^States://; s/and the.*//; s/,//g')
	same "there are columns and states" "yes yes" "$([[ $columns == *cpu* ]] && echo yes) $([[ $states == *paused* ]] && echo yes)"
	offers "values: columns" 'xenpod-status --sort=' "$columns"
	offers "values: columns, the beginning" 'xenpod-status --sort=up' uptime
	offers "values: columns" 'xenpod status --output=' "$columns"
	offers "values: states" 'xenpod-status --state=' "$states"
	offers "values: states, of one that may be left out" 'xenpod-status --wait=' "$states"
	offers "values: states, the beginning" 'xenpod status --wait=s' 'starting stopping'
	offers "no value for one that may be left out" 'xenpod status --wait ' ''

	offers "files" "xenpod run $T/images/w" "$T/images/web.aci"
	offers "files, behind an option" "xenpod run --debug $T/images/w" "$T/images/web.aci"
	offers "files, behind a space" "xenpod run --pod-manifest $T/images/w" "$T/images/web.aci"
	offers "files for an app" "xenpod run web.aci -- $T/images/w" "$T/images/web.aci"
	offers "an app's options are not ours" 'xenpod run web.aci -- --memo' ''
}

# Whole lines, a Tab pressed at their end.
table_of_lines() {
	becomes "a verb, and a space" 'xenpod sto' 'xenpod stop '
	becomes "an option, and a space" 'xenpod gc --dry' 'xenpod gc --dry-run '
	becomes "an option that waits" 'xenpod run --memo' 'xenpod run --memory='
	becomes "a value, and a space" 'xenpod run --restart=al' 'xenpod run --restart=always '
	becomes "what they have in common" 'xenpod host services st' 'xenpod host services status '
	becomes "a file, and a space" "xenpod run $T/images/w" "xenpod run $T/images/web.aci "
	becomes "a file as a value" "xenpod run --from=$T/images/w" "xenpod run --from=$T/images/web.aci "
	becomes "a file with a space" "xenpod run $T/images/od" "xenpod run $T/images/odd\\ name.aci "
	becomes "a folder, and no space" "xenpod run --dir=$T/ima" "xenpod run --dir=$T/images/"
	becomes "xenpod-host" 'xenpod-host eff' 'xenpod-host eff'
	becomes "xenpod-metrics" 'xenpod-metrics --te' 'xenpod-metrics --textfile='
	becomes "xenpodd" 'xenpodd --world=s' 'xenpodd --world=sim '
}

# A pod that runs, one that pauses, one that has ended, one that is to be started again.
U=11112222-3333-4444-8555-666666666666
P=2222aaaa-3333-4444-8555-666666666666
E=4444bbbb-3333-4444-8555-666666666666
R=5555cccc-3333-4444-8555-666666666666
pods() {
	printf 'latency %s 50ms\n' create build boot app destroy >"$T/script" # the world is quick
	supervise --sim-script="$T/script"
	accept $U=forever $P=forever $E=exit,3,after,200ms $R=exit,1,after,200ms@always
	wait_for '[ "$(state_of $P) $(state_of $E)" = "running exited" ]'
	xenpod pause $P >/dev/null
}
state_of() { xenpod-status --no-legend | awk -v pod="${1:0:8}" '$1 == pod { print $2 }'; }
# It waits for as long as the table takes.
waits_long() {
	xenpod-status --json $R | python3 -c 'import json, sys, time
pod = json.load(sys.stdin)["pod"]
sys.exit(pod["state"] != "backoff" or pod["restart"]["next"] < (time.time() + 6) * 1e9)'
}
table_of_pods() {
	local verb
	wait_for '[ "$(state_of $U) $(state_of $P)" = "running paused" ]'
	wait_for waits_long
	for verb in stop kill logs wait; do
		offers "pods that have not ended" "xenpod $verb " "$U $P $R"
	done
	for verb in inspect status events; do
		offers "any" "xenpod $verb " "$U $P $E $R"
	done
	offers "any" 'xenpod-status ' "$U $P $E $R"
	offers "one that runs" 'xenpod pause ' $U
	offers "one that runs" 'xenpod enter ' $U
	offers "one that pauses" 'xenpod resume ' $P
	offers "one that is to be started again" 'xenpod start ' $R
	offers "one that has ended" 'xenpod rm ' $E
	offers "by its beginning" 'xenpod stop 1' $U
	offers "behind an option" 'xenpod stop --force 1' $U
	offers "none" 'xenpod stop 9' ''
	for verb in gc list fsck; do
		offers "none" "xenpod $verb " ''
	done
	offers "none for run" "xenpod run $T/images/4" ''
}

# All of it; the suite's last line.
completion() {
	mkdir "$T/images"
	: >"$T/images/web.aci"
	: >"$T/images/odd name.aci"
	env -u MAKEFLAGS -u MAKELEVEL -u VARIANT -u BUILD make -C "$top" --no-print-directory install-completions \
		AUTO_SETUP=0 PREFIX=/usr DESTDIR="$T" >"$T/make" 2>&1
	same "it is installed: $(tail -c 300 "$T/make")" 0 $?
	table_of_helps
	table_of_words
	asked offered
	pods
	table_of_lines
	becomes "a pod, and a space" 'xenpod inspect 4' "xenpod inspect $E "
	asked typed
	table_of_pods
	asked offered
	finish
}
