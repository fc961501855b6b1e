#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `xenpod-metrics` beside a real supervisor over the simulated world: on stdout, in a file, over HTTP
# by sockets as systemd passes them; read by Prometheus' own parser. Needs root, no Xen.
# The last line is `N passed, N failed`.
set -u

# shellcheck source-path=SCRIPTDIR source=statuskit.bash
. "$(dirname "$0")/statuskit.bash"
ENDS=11112222-3333-4444-8555-666666666666
STAYS=1111ffff-3333-4444-8555-666666666666
FAILS=2222ffff-3333-4444-8555-666666666666

# metrics WHAT EXIT-STATUS ARGS...
metrics() { tool "$1" "$2" "$bin/xenpod-metrics" "${@:3}"; }
# value FILE SAMPLE [LABEL=VALUE]: what Prometheus reads there, by Debian's module for its own Python.
cat >"$T/value.py" <<'END'
import sys
from prometheus_client.parser import text_string_to_metric_families
want = dict(word.split("=", 1) for word in sys.argv[3:])
with open(sys.argv[1], encoding="utf-8") as file:
    for family in text_string_to_metric_families(file.read()):
        for s in family.samples:
            if s.name == sys.argv[2] and s.labels == want:
                print(f"{s.value:g}")
END
value() { /usr/bin/python3 "$T/value.py" "$@"; }

# ---- nobody there ---------------------------------------------------------------------------------

metrics "no supervisor" 4
same "no supervisor: one line, nothing else" "1 0" "$(wc -l <"$T/err") $(wc -c <"$T/out")"
metrics "no supervisor, a file" 0 --textfile="$T/down.prom"
same "no supervisor, a file: it says so" "0" "$(value "$T/down.prom" xenpod_up)"
same "no supervisor, a file: nothing more" "1" "$(grep -vc '^#' "$T/down.prom")"
metrics "a file that cannot be written" 254 --textfile="$T/no/such.prom"
same "a file that cannot be written: one line" "2" "$(wc -l <"$T/err")"
metrics "usage" 254 --nope
metrics "usage" 254 word
same "usage: names it" 1 "$(grep -c '"word"' "$T/err")"
metrics "help" 0 --help
metrics "version" 0 --version

# ---- on stdout --------------------------------------------------------------------------------------

{ echo host 4096 4; printf 'latency %s\n' 'poweroff 50ms' 'create 100ms' 'build 100ms' 'boot 100ms' 'app 50ms' 'destroy 50ms'; } >"$T/script"
supervise --sim-script="$T/script"
accept "$ENDS=exit,3,after,100ms" $STAYS=forever $FAILS=init-fails
# shellcheck disable=SC2016
wait_for '[ "$("$bin/xenpod-status" --no-legend | awk "{ print \$2 }" | sort | paste -sd+)" = exited+failed+running ]'
metrics "metrics" 0
cp "$T/out" "$T/prom"
same "nothing is said beside" 0 "$(wc -c <"$T/err")"
same "up" "1 1 1 0" "$(for m in up xen_up store_up recovering; do value "$T/prom" xenpod_$m; done | paste -sd' ')"
same "version" 1 "$(value "$T/prom" xenpod_build_info version="$("$bin/xenpodd" --version | cut -d' ' -f2)")"
same "pods by state" "1 1 1 0" "$(for s in running exited failed booting; do value "$T/prom" xenpod_pods state=$s; done | paste -sd' ')"
states=$(sed -n '/^## State by state/,/^## Events/s/^### //p' "$top/docs/STATES.md" | grep -vx gone)
same "pods by state: all states" "$states" "$(sed -n 's/^xenpod_pods{state="\(.*\)"}.*/\1/p' "$T/prom")"
same "accepted" 3 "$(value "$T/prom" xenpod_pods_accepted_total)"
same "ends by cause" "1 1 0" "$(for c in finished guest-failed oom; do value "$T/prom" xenpod_pod_ends_total cause=$c; done | paste -sd' ')"
same "starts: how many, and all of them within ten minutes" "2 2 2" "$(value "$T/prom" xenpod_pod_start_duration_seconds_count) $(value "$T/prom" xenpod_pod_start_duration_seconds_bucket le=600.0)$(value "$T/prom" xenpod_pod_start_duration_seconds_bucket le=600) $(value "$T/prom" xenpod_pod_start_duration_seconds_bucket le=+Inf)"
same "an end was measured" 1 "$(value "$T/prom" xenpod_pod_end_duration_seconds_count)"
same "states were measured" 3 "$(value "$T/prom" xenpod_pod_state_duration_seconds_count state=creating)"
same "counters of truth" "0 0 0" "$(for m in events_missed orphans_collected commit_retries; do value "$T/prom" xenpod_${m}_total; done | paste -sd' ')"
# What Prometheus asks of names, types and histograms.
cat >"$T/rules.py" <<'END'
import sys
from prometheus_client.parser import text_string_to_metric_families
text = open(sys.argv[1], encoding="utf-8").read()
seen = set()
for f in text_string_to_metric_families(text):
    if f.name in seen:
        print(f"{f.name}: told twice")
    seen.add(f.name)
    if not f.name.startswith("xenpod_") or not f.documentation:
        print(f"{f.name}: no name of ours, or no help")
    if f.type not in ("counter", "gauge", "histogram"):
        print(f"{f.name}: type {f.type}")
    if "_ns" in f.name or "_ms" in f.name or "_kib" in f.name:
        print(f"{f.name}: no base unit")
    series = [(s.name, tuple(sorted(s.labels.items()))) for s in f.samples]
    if len(series) != len(set(series)) or not series:
        print(f"{f.name}: a series twice, or none")
    last = {}
    for s in f.samples:
        if s.name.endswith("_bucket"):
            key = tuple(sorted((k, v) for k, v in s.labels.items() if k != "le"))
            if s.value < last.get(key, 0):
                print(f"{f.name}: buckets shrink")
            last[key] = s.value
        elif s.name.endswith("_count") and f.type == "histogram":
            if last.get(tuple(sorted(s.labels.items()))) != s.value:
                print(f"{f.name}: +Inf is not the count")
END
same "rules" "" "$(/usr/bin/python3 "$T/rules.py" "$T/prom")"

# The dashboard asks for nothing that is not there.
same "dashboard: families" "" "$(comm -23 \
	<(grep -oE 'xenpod_[a-z0-9_]+' "$top/dist/grafana/xenpod.json" | sort -u) \
	<(grep -oE '^xenpod_[a-z0-9_]+' "$T/prom" | sort -u))"
same "dashboard: JSON" "xenpod" "$(python3 -c 'import json, sys; print(json.load(sys.stdin)["uid"])' <"$top/dist/grafana/xenpod.json")"

# ---- in a file ----------------------------------------------------------------------------------------

metrics "a file" 0 --textfile="$T/x.prom"
same "a file: the same families" "$(grep '^# TYPE' "$T/prom")" "$(grep '^# TYPE' "$T/x.prom")"
same "a file: who collects it may read it" 644 "$(stat -c %a "$T/x.prom")"
same "a file: no other is left" "x.prom" "$(cd "$T" && find . -name '*x.prom*' -printf '%f\n')"

# ---- over HTTP ------------------------------------------------------------------------------------------

systemd-socket-activate -E XENPOD_RUN_DIR -l "$T/http" "$bin/xenpod-metrics" >/dev/null 2>&1 &
clients="$clients $!"
# shellcheck disable=SC2016
wait_for '[ -S "$T/http" ]'
get() { curl -s -o "$T/out" -w '%{http_code} %{content_type}' --unix-socket "$T/http" "$@"; }
same "GET /metrics" "200 text/plain; version=0.0.4; charset=utf-8" "$(get http://x/metrics)"
same "GET /metrics: the same families" "$(grep '^# TYPE' "$T/prom")" "$(grep '^# TYPE' "$T/out")"
same "HEAD /metrics" "200" "$(get -I http://x/metrics | cut -d' ' -f1)"
same "GET /" "404" "$(get http://x/ | cut -d' ' -f1)"
same "POST" "405" "$(get -d a=b http://x/metrics | cut -d' ' -f1)"
python3 -c '
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
time.sleep(600)' "$T/http" &
clients="$clients $!"
same "beside one who says nothing" "200" "$(get http://x/metrics | cut -d" " -f1)"
same "no HTTP: refused or closed" "ended" "$(python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(20)
s.connect(sys.argv[1])
s.sendall(b"nonsense\r\n\r\n")
while s.recv(4096):
    pass
print("ended")' "$T/http")"
kill "$daemon"
wait "$daemon" 2>/dev/null
same "no supervisor any more" "200 0" "$(get http://x/metrics | cut -d' ' -f1) $(value "$T/out" xenpod_up)"
finish
