#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the pages for people have one type exists: each option of `xenpod VERB` and of our other programs is in
# that one's --help, each verb, unit and program is there, JSON is JSON. Needs no Xen and no root.
# The last line is `N passed, N failed`.
set -u

# shellcheck source-path=SCRIPTDIR source=checks.bash
. "$(dirname "$0")/checks.bash"
verbs=$("$bin/xenpod" --help | awk '/^  [a-z]+ +/ && !/^  xenpod / { print $1 }')

# Commands of a page: its blocks of code and its pieces of code, a command a line. What stands behind ` -- `
# is an app's, behind # a remark. In a block that begins with ```console a line after # is typed, the rest came.
commands() {
	awk '/^```/ { on = !on; typed = on && /console/; next }
		typed && !held && !sub(/^# /, "") { next }
		on { if (sub(/\\$/, "")) { held = held $0; next } print held $0; held = ""; next }
		/^\* `/ { next } # a message
		{ n = split($0, piece, "`"); for (i = 2; i <= n; i += 2) print piece[i] }' "$1" |
		sed -e 's/ -- .*//' -e 's/ # .*//' -e 's/[|;()]/\n/g' |
		grep -oE '(^ *|/)xenpod(d|-status|-metrics)? .*' | sed 's/^[ /]*//'
}
# options COMMAND: its long options, and the letters that stand alone.
options() { grep -oE -- ' -(-[a-z][a-z0-9-]+|[a-zA-Z]\b)' <<<" $1" | tr -d ' ' | sort -u | grep -vxE -- '--(help|version)'; }
help_of() { # PROGRAM [VERB [COMMAND]]
	"$bin/$1" ${2:+"$2"} ${3:+"$3"} --help >"$T/help" 2>&1
}
# Targets: `make x`, also in `make x && make y`, and in blocks; not those with a variable.
commands_of_make() {
	grep -v '^\* `' "$1" | grep -oE '(^|[`&] ?)make [a-z][a-z-]*' | sed 's/.*make //' | sort -u
}
# host_command PAGE COMMAND VERB: there is such a command of `xenpod host`, and it has the verb, if one is named.
host_command() {
	same "$1: there is a command xenpod host $2" "$2" \
		"$("$bin/xenpod-host" --help | sed -n 's/^  \([a-z]*\)  *[^ ].*/\1/p' | grep -x -- "$2")"
	[[ ! $3 =~ ^[a-z]+$ ]] || same "$1: xenpod host $2 has a verb $3" 1 \
		"$("$bin/xenpod-host" "$2" --help 2>&1 | sed '/^$/q' | grep -cE -m1 "^(Usage:|  *)  *xenpod host $2 ([a-z|]*\|)?$3\b")"
}

for page in docs/TUTORIAL.md docs/TROUBLESHOOTING.md docs/TROUBLESHOOTING-INSIDE.md docs/STATUS.md docs/INSTALL.md \
	README.md; do
	count=0
	while read -r line; do
		read -r program verb command more _ <<<"$line"
		if [ "$program" = xenpod ]; then
			case $verb in
			[A-Z]* | -* | \[* | "" | ...) continue ;; # a placeholder, or of the program itself
			esac
			same "$page: there is a verb $verb, in: $line" "$verb" "$(grep -x -- "$verb" <<<"$verbs")"
		else
			verb=
		fi
		if [ "$verb" = host ] && [[ $command =~ ^[a-z]+$ ]]; then
			host_command "$page" "$command" "$more"
			help_of xenpod host "$command"
		else
			help_of "$program" "$verb"
		fi
		for option in $(options "$line"); do
			count=$((count + 1))
			same "$page: $program $verb has $option, in: $line" 1 \
				"$(grep -qE -- "(^|[][ (|,])$option([][ =,|).;:]|\$)" "$T/help" && echo 1)"
		done
	done < <(commands "$top/$page")
	[ "$page" != docs/TUTORIAL.md ] || same "$page: options were found in it" 1 "$((count > 30))"
	# Files of ours that it names, and what it has make do.
	# shellcheck disable=SC2016 # quotes of Markdown
	while read -r path; do
		same "$page: there is $path" 1 "$([ -e "$top/$path" ] && echo 1)"
	done < <(grep -oE '`(dist|docs|src|tests)/[A-Za-z0-9_./-]+`' "$top/$page" | tr -d '`' | sort -u)
	while read -r target; do
		same "$page: there is make $target" 1 "$(cat "$top/Makefile" "$top"/*/*.mk "$top"/*/*/*.mk | grep -cE -m1 "^([a-z-]+ )*$target( [a-z-]+)*:")"
	done < <(commands_of_make "$top/$page")
	# Units, also instances, and a line of several.
	while read -r unit; do
		same "$page: there is a unit $unit" "$unit" "$(cd "$top/dist/systemd" && { ls "$unit" ||
			grep -ohF "$unit" "$top"/src/host/*.c; } 2>/dev/null | head -n 1)"
	done < <(grep -ohE '\bxenpod[a-z-]*(@[a-zA-Z]*)?\.(service|socket|timer|slice)' "$top/$page" |
		sed 's/@[a-zA-Z]*/@/' | sort -u)
	# Documents between <<'END' and END that begin with a brace.
	awk -v t="$T/json" '/<<.END.$/ { n++; on = 1; next } /^END$/ { on = 0 } on { print > (t "." n) }' "$top/$page"
	for json in "$T"/json.*; do
		[ "$(head -c 1 "$json" 2>/dev/null)" = "{" ] || continue
		same "$page: JSON" "" "$(python3 -m json.tool "$json" 2>&1 >/dev/null)"
	done
	rm -f "$T"/json.*
	# Pages and sections that it leads to.
	while read -r link; do
		target=${link%%#*}
		target=$(dirname "$top/$page")/$target
		[ "${link%%#*}" ] || target=$top/$page
		same "$page: leads to $link" 1 "$([ -e "$target" ] && echo 1)"
		[ "$link" != "${link%#*}" ] || continue
		same "$page: the section of $link" 1 "$(grep -E '^#+ ' "$target" | sed 's/^#* //' |
			tr '[:upper:]' '[:lower:]' | sed "s/[^a-z0-9 _-]//g; s/ /-/g" | grep -cx -- "${link##*#}")"
	done < <(grep -oE '\]\([^):]*\)' "$top/$page" | sed 's/](\(.*\))/\1/')
done
finish
