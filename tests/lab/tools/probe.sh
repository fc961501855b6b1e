#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What an app sees of itself, as lines "WORD VALUE", for tests/lab/scenarios/40-inside.sh.
# shellcheck disable=SC2154 # X is the manifest's
echo "uid $(id -u) gid $(id -g) groups $(id -G)"
echo "cwd $(pwd)"
echo "env X=$X HOME=$HOME USER=$USER SHELL=$SHELL"
echo "arguments $*"
echo "hostname $(hostname) $(cat /etc/hostname)"
echo "machine-id $(cat /etc/machine-id)"
sed 's/^/hosts /' /etc/hosts
[ ! -e /etc/resolv.conf ] || sed 's/^/resolv /' /etc/resolv.conf
grep -E '^(CapBnd|CapEff|NoNewPrivs|Seccomp):' /proc/self/status | tr '\t' ' '
echo "oom_score_adj $(cat /proc/self/oom_score_adj)"
mkdir "/tmp/$AC_APP_NAME" && echo 'mkdir works' || echo 'mkdir fails'
touch /made-in-root && echo 'root is writable' || echo 'root is read-only'
echo h >/proc/sysrq-trigger && echo 'sysrq is open' || echo 'sysrq is closed'
echo "modules $(find /sys/module -mindepth 1 -maxdepth 1 | wc -l)"
