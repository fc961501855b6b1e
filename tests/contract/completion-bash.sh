#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a Tab completes in a real bash, beside a supervisor on a simulated world: the table of tabkit.bash. Needs root,
# no Xen. The last line is `N passed, N failed`.
set -u

# shellcheck source-path=SCRIPTDIR source=tabkit.bash
. "$(dirname "$0")/tabkit.bash"

installed=$share/bash-completion/completions/xenpod

# The function that the file names is called as readline does it, with the line cut as readline cuts it: spaces part
# words, and "=" is one.
offered() {
	bash --norc -c '
		. "$1"
		while IFS= read -r line; do
			COMP_LINE=$line COMP_POINT=${#line} COMPREPLY=()
			read -ra COMP_WORDS <<<"${line//=/ = }"
			[ "${line: -1}" != " " ] && [ "${line: -1}" != "=" ] || COMP_WORDS+=("")
			[ "${line: -1}" != "=" ] || unset "COMP_WORDS[-1]"
			COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
			program=${COMP_WORDS[0]##*/}
			[ -e "${1%/*}/$program" ] || echo "no file of this name"
			"$(complete -p "$program" | sed "s/.*-F \([^ ]*\).*/\1/")"
			echo "${COMPREPLY[*]}"
		done' offered "$installed"
}

typed() {
	printf '%s\n' "PS1='ready>'" 'bind "set enable-bracketed-paste off"' 'bind "set completion-query-items 0"' \
		"bind -x '\"\\C-g\": printf \"<<%s>>\" \"\$READLINE_LINE\"'" ". $installed" >"$T/bashrc"
	python3 "$top/tests/contract/tabkey.py" bash --rcfile "$T/bashrc" -i
}

completion
