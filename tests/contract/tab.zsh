# SPDX-License-Identifier: Apache-2.0
# tab.zsh FOLDER: for each line of stdin, what a zsh that finds our completion in FOLDER offers at its end: as it
# would insert it, all in one line of stdout. To be run by `zsh -f`.

# The zsh that is asked, on a terminal of its own. Tab inserts all that is offered; Ctrl-G shows the line.
export FOLDER=$1 SETUP='
	stty columns 4000
	PS1= PS2= RPS1=
	unset zle_bracketed_paste
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
zpty tab zsh -f -i
zpty -w tab 'eval $SETUP'
zpty -r -m tab shown '*ready>*'
while IFS= read -r line; do
	zpty -w -n tab "$line"$'\t\a'
	zpty -r -m tab shown '*<<*>>*'
	zpty -w -n tab $'\x15' # an empty line again
	shown=${${shown##*<<}%%>>*}
	# What is as it was has got nothing; else what stands before the word at the cursor is taken away.
	[[ $shown != "$line" ]] || shown=
	print -r -- "${shown#"${line% *} "}"
done
zpty -d tab
