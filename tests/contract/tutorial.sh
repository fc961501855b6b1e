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
# is an app's, behind # a remark.
commands() {
	awk '/^```/ { on = !on; next }
		on { if (sub(/\\$/, "")) { held = held $0; next } print held $0; held = ""; next }
		/^\* `/ { next } # a message
		{ n = split($0, piece, "`"); for (i = 2; i <= n; i += 2) print piece[i] }' "$1" |
		sed -e 's/ -- .*//' -e 's/ # .*//' -e 's/[|;()]/\n/g' |
		grep -oE '(^ *|/)xenpod(d|-status|-metrics)? .*' | sed 's/^[ /]*//'
}
# options COMMAND: its long options, and the letters that stand alone.
options() { grep -oE -- ' -(-[a-z][a-z0-9-]+|[a-zA-Z]\b)' <<<" $1" | tr -d ' ' | sort -u | grep -vxE -- '--(help|version)'; }
help_of() { # PROGRAM [VERB]
	"$bin/$1" ${2:+"$2"} --help >"$T/help" 2>&1
}

for page in docs/TUTORIAL.md docs/TROUBLESHOOTING.md docs/TROUBLESHOOTING-INSIDE.md docs/STATUS.md README.md; do
	count=0
	while read -r line; do
		read -r program verb _ <<<"$line"
		if [ "$program" = xenpod ]; then
			case $verb in
			[A-Z]* | -* | \[* | "" | ...) continue ;; # a placeholder, or of the program itself
			esac
			same "$page: there is a verb $verb, in: $line" "$verb" "$(grep -x -- "$verb" <<<"$verbs")"
		else
			verb=
		fi
		help_of "$program" "$verb"
		for option in $(options "$line"); do
			count=$((count + 1))
			same "$page: $program $verb has $option, in: $line" 1 \
				"$(grep -qE -- "(^|[][ (|,])$option([][ =,|).;:]|\$)" "$T/help" && echo 1)"
		done
	done < <(commands "$top/$page")
	[ "$page" != docs/TUTORIAL.md ] || same "$page: options were found in it" 1 "$((count > 30))"
	# Units, also instances, and a line of several.
	while read -r unit; do
		same "$page: there is a unit $unit" "$unit" "$(cd "$top/dist/systemd" && ls "$unit" 2>&1)"
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
