# SPDX-License-Identifier: Apache-2.0
# tab.zsh FOLDER LINE: what a zsh that finds our completion in FOLDER offers at the end of LINE, as it would insert it,
# with spaces between. To be run by `zsh -f`.

# The zsh that is asked, on a terminal of its own. Tab inserts all that is offered; Ctrl-G shows the line.
export SETUP='
	stty columns 2000
	PS1= PS2= RPS1= zle_bracketed_paste=
	fpath=($FOLDER $fpath)
	autoload -Uz compinit && compinit -u -D
	every() { _main_complete; compstate[insert]=all compstate[list]= }
	zle -C every complete-word every
	show() { print -rn -- "<<$BUFFER>>" }
	zle -N show
	bindkey -e
	bindkey "^I" every "^G" show
	print "rea""dy>"'

zmodload zsh/zpty
export FOLDER=$1
zpty tab zsh -f -i
zpty -w tab 'eval $SETUP'
zpty -r -m tab shown '*ready>*'
zpty -w -n tab "$2"$'\t\a'
zpty -r -m tab shown '*<<*>>*'
zpty -d tab
shown=${shown##*<<}
print -r -- ${shown%%>>*}
