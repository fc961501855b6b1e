# SPDX-License-Identifier: Apache-2.0
# fish completion: what there is to complete is asked of the programs themselves.

function __xenpod_verbs
    xenpod --help 2>/dev/null | string replace -rf '^  ([a-z]+) +(.*)$' '$1' | string match -v xenpod
end

function __xenpod_options
    $argv --help 2>/dev/null | string match -rag -- '(?:^ +(?:-., )?|[\[|] ?)(--[a-z][a-z-]*=?)' | sort -u
end

function __xenpod_pods
    xenpod-status --no-legend --full 2>/dev/null | string replace -r '^(\S+)\s+(\S+).*' '$1\t$2'
end

function __xenpod_verb
    set -l words (commandline -opc)
    test (count $words) -gt 1; and echo $words[2]
end

# What follows `xenpod host`: a command, or its verb.
function __xenpod_host
    set -l words (commandline -opc)
    set -l commands (xenpod host --help 2>/dev/null | string replace -rf '^  ([a-z]+) +([a-z]+(?:\|[a-z]+)*)? .*' '$1 $2')
    if test (count $words) -eq 2
        string split -f1 ' ' $commands
    else if test (count $words) -eq 3
        string replace -rf "^$words[3] " '' $commands | string split '|'
    end
end

function __xenpod_command
    set -l words (commandline -opc)
    test "$words[2]" = host; and echo $words[2..3] | string split ' '; or __xenpod_verb
end

complete -c xenpod -n '__fish_use_subcommand' -f -a '(__xenpod_verbs)'
complete -c xenpod -n 'not __fish_use_subcommand; and string match -q -- "-*" (commandline -ct)' -a '(__xenpod_options xenpod (__xenpod_command))'
complete -c xenpod -n 'not __fish_use_subcommand; and not __fish_seen_subcommand_from run list gc fsck host' -f -a '(__xenpod_pods)'
complete -c xenpod -n '__fish_seen_subcommand_from host' -f -a '(__xenpod_host)'
complete -c xenpod-status -f -a '(__xenpod_pods)'
for program in xenpod-status xenpodd xenpod-metrics
    complete -c $program -n 'string match -q -- "-*" (commandline -ct)' -a "(__xenpod_options $program)"
end
