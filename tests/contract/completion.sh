#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a Tab completes, in a real bash, beside a supervisor on a simulated world. Needs root, no Xen.
# The last line is `N passed, N failed`.
set -u

# shellcheck source-path=SCRIPTDIR source=statuskit.bash
. "$(dirname "$0")/statuskit.bash"
PATH=$bin:$PATH

# tab LINE: what a bash that has read the completion file offers at its end, as it cuts the line itself.
tab() {
	bash --norc -c '
		. "$1"
		line=$2
		COMP_LINE=$line COMP_POINT=${#line}
		# As readline does it: spaces part words, and "=" is one.
		read -ra COMP_WORDS <<<"${line//=/ = }"
		[ "${line: -1}" != " " ] && [ "${line: -1}" != "=" ] || COMP_WORDS+=("")
		[ "${line: -1}" != "=" ] || unset "COMP_WORDS[-1]"
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		function=$(complete -p "${COMP_WORDS[0]}" | sed "s/.*-F \([^ ]*\).*/\1/")
		"$function"
		printf "%s\n" "${COMPREPLY[@]}"' tab "$top/dist/completions/bash/xenpod" "$1" | sort | paste -sd' '
}

U=11112222-3333-4444-8555-666666666666

# ---- without a supervisor ---------------------------------------------------------------------------

verbs=$(xenpod --help | sed -n 's/^  \([a-z]*\)  *[^ ].*/\1/p' | grep -vx xenpod)
# shellcheck disable=SC2086 # a word each
same "verbs, and the two options" "$(printf '%s\n' --help --version $verbs | sort | paste -sd' ')" "$(tab 'xenpod ')"
same "verbs: there are some" 1 "$(grep -qx stop <<<"$verbs" && grep -qx run <<<"$verbs" && echo 1)"
same "the beginning of a verb" "list" "$(tab 'xenpod li')"
same "no pods" "" "$(tab 'xenpod stop ')"
same "options of a verb" "--memory=" "$(tab 'xenpod run --memo')"
same "options of stop" "--all --dir= --force --help --host-shutdown --uuid-file=" \
	"$({ tab 'xenpod stop -' | tr ' ' '\n'; echo --help; } | sort -u | paste -sd' ')"
same "options of xenpodd" "--max-starts=" "$(tab 'xenpodd --max-')"
same "options of xenpod-metrics" "--textfile=" "$(tab 'xenpod-metrics --te')"
commands=$(xenpod host --help | sed -n 's/^  \([a-z]*\)  *[^ ].*/\1/p' | sort | paste -sd' ')
same "commands of xenpod host" "$commands" "$(tab 'xenpod host ')"
same "commands of xenpod host, after an option" "$commands" "$(tab 'xenpod host --root=/x ')"
same "commands of xenpod-host" "$commands" "$(tab 'xenpod-host ')"
same "a command of xenpod host" "check" "$(tab 'xenpod host ch')"
same "options of xenpod host" "--root= --state-dir= --version" "$(tab 'xenpod host --' | tr ' ' '\n' | grep -v help | paste -sd' ')"
same "options of a command of xenpod host" "--json --quiet --timeout=" "$(tab 'xenpod host check --' | tr ' ' '\n' | grep -v help | paste -sd' ')"
same "a command without verbs" "" "$(tab 'xenpod host check ')"
same "host: a command" "services" "$(tab 'xenpod host serv')"
same "host: its verbs" "plan setup status teardown" "$(tab 'xenpod host services ')"
same "host: its options" "--prefix=" "$(tab 'xenpod host services setup --pre')"
same "values" "always" "$(tab 'xenpod run --restart=al')"
same "values: all" "auto pv pvh" "$(tab 'xenpod run --type=')"
mkdir "$T/images"
: >"$T/images/web.aci"
same "files" "$T/images/web.aci" "$(tab "xenpod run $T/images/w")"
same "files as values" "$T/images/web.aci" "$(tab "xenpod run --from=$T/images/w")"
# Each option that a help tells of is one that is completed.
for command in "xenpod run" "xenpod gc" "xenpod events" "xenpod-status" "xenpodd" "xenpod host" "xenpod host check"; do
	# shellcheck disable=SC2086 # two words
	same "$command: all of its options" "$($command --help | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort -u | paste -sd' ')" \
		"$(comm -12 <($command --help | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort -u) \
			<(tab "$command --" | tr ' ' '\n' | tr -d = | sort -u) | paste -sd' ')"
done

# ---- with a pod -----------------------------------------------------------------------------------------

supervise
accept $U=forever
wait_for 'xenpod-status --no-legend 2>/dev/null | grep -q " running "'
same "a pod's UUID" "$U" "$(tab 'xenpod stop 1')"
same "the same for xenpod-status" "$U" "$(tab 'xenpod-status ')"
same "not one that begins otherwise" "" "$(tab 'xenpod stop 2')"
same "not one that runs, for rm" "" "$(tab 'xenpod rm ')"
same "no UUID for gc" "" "$(tab 'xenpod gc ')"
finish
