#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a Tab completes in a real fish, beside a supervisor on a simulated world: the table of tabkit.bash. Needs root,
# no Xen. The last line is `N passed, N failed`.
set -u

# shellcheck source-path=SCRIPTDIR source=tabkit.bash
. "$(dirname "$0")/tabkit.bash"

installed=$share/fish/vendor_completions.d
# Where fish keeps what it remembers.
export XDG_DATA_HOME=$T/fish XDG_CONFIG_HOME=$T/fish XDG_CACHE_HOME=$T/fish

# fish writes a word and what it is, with a tab between.
offered() {
	fish --no-config -c '
		set fish_complete_path $argv[1]
		while read -l -d \n line # the space at its end belongs to it
			set -l program (string replace -r " .*" "" $line | string replace -r ".*/" "")
			set -l file $argv[1]/$program.fish # fish looks for one of this name
			test -e $file; and set file
			echo (complete -C $line | string replace -r "\t.*" "") $file
		end' "$installed"
}

typed() {
	python3 "$top/tests/contract/tabkey.py" fish --no-config -C "
		set fish_complete_path $installed
		set -g fish_autosuggestion_enabled 0
		function fish_prompt; echo -n 'ready>'; end
		function fish_greeting; end
		bind \\cg 'echo -n \"<<\"(commandline)\">>\"'"
}

completion
