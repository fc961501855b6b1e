# SPDX-License-Identifier: Apache-2.0
# fish completion for xenpod and its fellows. What there is to complete is asked of the programs
# themselves: verbs, options and values of their --help, pods of xenpod-status.

# The options that a command's help tells of: in its usage, and in lines that begin with one. "=" is at
# the end where a value follows; where it may, there are both.
function __xenpod_options # COMMAND...
    $argv --help 2>/dev/null | awk '
        usage && !/^ / { usage = 0 }
        /^Usage:/ { usage = 1 }
        usage || /^ +-/ {
            while (match($0, /--[a-z][a-z0-9-]*(\[?=)?/)) {
                word = substr($0, RSTART, RLENGTH)
                $0 = substr($0, RSTART + RLENGTH)
                if (sub(/\[=$/, "", word)) may[word]
                else if (sub(/=$/, "", word)) must[word]
                else alone[word]
            }
        }
        END {
            alone["--help"]
            for (word in must) print word "="
            for (word in may) print word "\n" word "="
            for (word in alone) if (!(word in must)) print word
        }' | sort -u
end

# The words that may follow OPTION=, or "/" where the help has a file there.
function __xenpod_values # OPTION COMMAND...
    switch $argv[1]
        case --net
            string split ' ' 'none default all'
        case --stream
            string split ' ' 'stdout stderr'
        case --insecure-options
            string split ' ' 'capabilities paths seccomp all-run'
        case '*'
            $argv[2..-1] --help 2>/dev/null | awk -v option="$argv[1]=" '
                usage && !/^ / { usage = 0 }
                /^Usage:/ { usage = 1 }
                { gsub(/\[=/, "=") }
                !kind && (usage || /^ +-/) && (at = index($0, option)) {
                    kind = substr($0, at + length(option))
                    sub(/[^A-Za-z|].*/, "", kind)
                }
                !/^ / { table = 0 }
                /^Columns:/ { table = 1; next }
                table { columns = columns " " tolower($1) }
                END {
                    if (kind ~ /^(DIR|FILE|PATH)$/) print "/"
                    else if (kind == "POLICY") print "never on-failure always"
                    else if (kind == "STATE")
                        print "starting running paused stopping restarting exited failed removing"
                    else if (kind == "COL") print columns
                    else if (kind ~ /^[a-z]+[|]/) { gsub(/[|]/, " ", kind); print kind }
                }' | string split -n ' '
    end
end

function __xenpod_verbs
    xenpod --help 2>/dev/null | awk '/^  [a-z]/ && $1 != "xenpod" {
        word = $1
        sub(/^  [a-z]+ +(.*  )?/, "")
        print word "\t" $0
    }'
end

# Commands of `xenpod host`, and the verbs of one of them.
function __xenpod_host_commands
    xenpod-host --help 2>/dev/null | awk '/^  [a-z]/ { print $1 }'
end

function __xenpod_host_verbs # COMMAND
    xenpod-host --help 2>/dev/null | awk -v command="$argv[1]" '
        /^  [a-z]/ && $1 == command && $2 ~ /[|]/ { gsub(/[|]/, "\n", $2); print $2 }'
end

# UUIDs of pods that are in one of these states; of all, without states.
function __xenpod_pods # STATE...
    xenpod-status --no-legend --full 2>/dev/null | awk -v states=" $argv " '
        states == "  " || index(states, " " $2 " ") { print $1 "\t" $2 }'
end

# Which pods a verb is about.
function __xenpod_pods_for
    switch $argv[1]
        case stop kill logs wait
            __xenpod_pods preparing starting running paused stopping restarting
        case enter pause
            __xenpod_pods running
        case resume
            __xenpod_pods paused
        case start
            __xenpod_pods restarting
        case rm
            __xenpod_pods exited failed
        case list gc fsck xenpodd xenpod-metrics
        case '*'
            __xenpod_pods
    end
end

# The value of an option; PREFIX is what stands before it in the same word.
function __xenpod_value # PREFIX VALUE OPTION COMMAND...
    set -l values (__xenpod_values $argv[3..-1])
    if test "$values" = /
        set values (__fish_complete_path $argv[2])
    end
    string replace -r '^' -- $argv[1] $values
end

# Those of the words that are neither options nor values of `xenpod host`'s.
function __xenpod_plain
    set -l skip
    for word in $argv
        if set -q skip[1]
            set skip
        else if contains -- $word --root --state-dir
            set skip 1
        else if not string match -q -- '-*' $word
            echo $word
        end
    end
end

# A word that is neither an option nor a value of one.
function __xenpod_word # CURRENT PLAIN COMMAND...
    set -l plain (string split -n ' ' -- $argv[2])
    switch "$argv[3..-1]"
        case xenpod-host
            __xenpod_host_commands
        case 'xenpod-host *'
            test (count $plain) -gt 1; or __xenpod_host_verbs $plain[1]
        case 'xenpod run'
            __fish_complete_path $argv[1]
        case '*'
            __xenpod_pods_for $argv[-1]
    end
end

function __xenpod_complete
    set -l given (commandline -opc)
    set -l current (commandline -ct)
    set -l command (string replace -r '.*/' '' -- $given[1])
    set -l plain
    set -e given[1]
    if test "$command" = xenpod
        if not set -q given[1]
            string match -q -- '-*' $current; and printf '%s\n' --help --version; or __xenpod_verbs
            return
        end
        set -a command $given[1]
        set -e given[1]
    end
    if contains -- "$command" xenpod-host 'xenpod host'
        set plain (__xenpod_plain $given)
        set command xenpod-host $plain[1]
    end
    if contains -- -- $given
        __fish_complete_path $current # what stands there is for an app
    else if string match -q -- '--*=*' $current
        set -l parts (string split -m 1 = -- $current)
        __xenpod_value $parts[1]= "$parts[2]" $parts[1] $command
    else if __xenpod_awaits_value "$given[-1]" $command
        __xenpod_value '' "$current" $given[-1] $command
    else if string match -q -- '-*' $current
        __xenpod_options $command
    else
        __xenpod_word "$current" "$plain" $command
    end
end

# Is this word an option whose value is the next word?
function __xenpod_awaits_value # WORD COMMAND...
    string match -q -- '--*' $argv[1]; or return
    set -l options (__xenpod_options $argv[2..-1])
    contains -- $argv[1]= $options; and not contains -- $argv[1] $options
end

for program in xenpod xenpod-status xenpodd xenpod-metrics xenpod-host
    complete -c $program -f -a '(__xenpod_complete)'
end
