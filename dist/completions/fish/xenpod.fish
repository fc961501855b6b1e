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

function __xenpod_host_commands
    xenpod host --help 2>/dev/null | string replace -rf '^  ([a-z]+) +(.*)$' '$1'
end

# The command of `xenpod host` on this line, if there is one.
function __xenpod_host_command
    for word in (commandline -opc)[2..-1]
        contains -- $word (__xenpod_host_commands); and echo $word; and return
    end
    return 1
end

function __xenpod_host_verbs
    xenpod host --help 2>/dev/null | string match -rg "^  $argv[1] +([a-z]+\\|[a-z|]+)" | string split '|'
end

complete -c xenpod -n '__fish_use_subcommand' -f -a '(__xenpod_verbs)'
complete -c xenpod -n 'not __fish_use_subcommand; and string match -q -- "-*" (commandline -ct)' -a '(__xenpod_options xenpod (__xenpod_verb) (__xenpod_host_command))'
complete -c xenpod -n 'not __fish_use_subcommand; and not __fish_seen_subcommand_from run list gc fsck host' -f -a '(__xenpod_pods)'
complete -c xenpod -n '__fish_seen_subcommand_from host; and not __xenpod_host_command >/dev/null' -f -a '(__xenpod_host_commands)'
complete -c xenpod -n '__fish_seen_subcommand_from host; and __xenpod_host_command >/dev/null' -f -a '(__xenpod_host_verbs (__xenpod_host_command))'
complete -c xenpod-status -f -a '(__xenpod_pods)'
for program in xenpod-status xenpodd xenpod-metrics
    complete -c $program -n 'string match -q -- "-*" (commandline -ct)' -a "(__xenpod_options $program)"
end
