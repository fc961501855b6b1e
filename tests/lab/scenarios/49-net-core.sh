#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TIER: core
# PODS: 1
#
# The default network in short: a pod with an address, who reaches it and whom it reaches, a port of
# the host, and nothing left. 50 and the following have the rest.
# shellcheck source=tests/lab/net.sh
. "$(dirname "$0")/../net.sh"

net_begin
builtin_nets
plugins_warm $work/nets/99-default.conf

start core --net=default --port=web:8080 --memory=64M $work/images/server
runs core
ip=$(address default)
expect_match "an address of the default network" "$ip" '^172\.16\.28\.[0-9]+$'
expect_eq "the guest's interface has it" "$(guest_addresses eth0)" "$ip/24"
check "the guest reaches the gateway" in_pod server ping -c 1 -W 30 172.16.28.1
check "the host reaches the guest" ping -c 1 -W 30 "$ip"
expect_eq "a port of the host leads to it" "$(get http://127.0.0.1:8080/)" 'here is server'
expect_match "net-info.json is for rkt" "$(cat "$(pod_dir)/net-info.json")" "\"netName\":\"default\".*\"ip\":\"$ip\""
xenpod stop "$uuid" >/dev/null
expect_end core 0 exited stopped

net_end
