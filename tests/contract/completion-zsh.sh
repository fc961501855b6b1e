#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a Tab completes in a real zsh, beside a supervisor on a simulated world: the table of tabkit.bash. Needs root,
# no Xen. The last line is `N passed, N failed`.
set -u

# shellcheck source-path=SCRIPTDIR source=tabkit.bash
. "$(dirname "$0")/tabkit.bash"

installed=$share/zsh/site-functions

offered() {
	timeout 120 zsh -f "$top/tests/contract/tab.zsh" "$installed"
}

typed() {
	mkdir -p "$T/zsh"
	cat >"$T/zsh/.zshrc" <<-END
		PS1='ready>' PROMPT_EOL_MARK= zle_highlight=(none)
		unset zle_bracketed_paste
		fpath=($installed \$fpath)
		autoload -Uz compinit && compinit -u -D
		show() { print -rn -- "<<\$BUFFER>>" }
		zle -N show
		bindkey -e
		bindkey '^G' show
	END
	ZDOTDIR=$T/zsh python3 "$top/tests/contract/tabkey.py" zsh -o no_global_rcs -i
}

# What make install takes by itself, and what Debian's package says.
zsh -fc 'print -l $fpath' >"$T/fpath"
for folder in /usr/local/share/zsh/site-functions "$(sed -n 's/.* ZSHDIR=\([^ ]*\) .*/\1/p' "$top/dist/debian/rules")"; do
	same "Debian's zsh looks in $folder" 1 "$(grep -cxF -- "$folder" "$T/fpath")"
done
completion
