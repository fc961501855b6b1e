#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The supervisor beside the floor (docs/PERFORMANCE.md): `make bench`.

Both sides take turns in the same run, on the same file system, so that whatever else this machine
does meets both; every figure is a ratio of medians, or of the least. What is missed is printed as MISS and is no
failure of the run. All figures go to build/bench/bench.json, too."""

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, "build/release")
OUT = os.path.join(TOP, "build/bench")
ENGINE = os.path.join(BUILD, "tests/bench/engine")
FLOOR = os.path.join(BUILD, "tests/bench/floor")
STATUS = os.path.join(BUILD, "bin/xenpod-status")
XENPODD = os.path.join(BUILD, "bin/xenpodd")

DEATHS = 200  # of each number of pods; a p99 of fewer means little
BURSTS = 30
STARTS = 15
SHOWS = 9

# What xenpod-status shows in its table, as the sqlite3 shell would show it.
QUERY = """SELECT substr(p.uuid, 1, 8) AS UUID, p.state AS STATE, p.domid AS DOMID,
 (SELECT group_concat(a.name || '=' || a.code, ' ') FROM apps a WHERE a.uuid = p.uuid) AS APPS,
 coalesce((SELECT nets FROM networks n WHERE n.uuid = p.uuid), '-') AS NETWORKS,
 (unixepoch() - p.created_at / 1000000000) || 's' AS AGE, p.cause AS WHY
 FROM pods p ORDER BY p.rowid"""

results = []


def report(name, value, goal, unit="", detail=None):
    """One line and one record; a goal of None is a figure without one."""
    missed = goal is not None and value > goal
    verdict = "" if goal is None else "MISS" if missed else "ok"
    bound = "" if goal is None else f"<= {goal:g}{unit}"
    print(f"{name:<58} {value:>9.2f}{unit:<4} {bound:<12} {verdict}", flush=True)
    results.append({"name": name, "value": value, "goal": goal, "unit": unit, "missed": missed,
                    **(detail or {})})


def report_least(name, value, goal, detail=None):
    """As report(), for what must not be less."""
    missed = value < goal
    print(f"{name:<58} {value:>9.2f}     >= {goal:<9g} {'MISS' if missed else 'ok'}", flush=True)
    results.append({"name": name, "value": value, "at_least": goal, "missed": missed,
                    **(detail or {})})


class Server:
    """A program that answers a line on stdin with a JSON object on stdout."""

    def __init__(self, *argv):
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"bench: {self.process.args[0]} has ended")
        return json.loads(line)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer()

    def quit(self):
        self.process.stdin.close()
        if self.process.wait():
            sys.exit(f"bench: {self.process.args[0]} failed")


def once(*argv):
    return json.loads(subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout)


def fill(work, name, pods, state):
    """Two copies of one store."""
    ours = os.path.join(work, name)
    os.mkdir(ours, 0o700)
    subprocess.run([ENGINE, "fill", ours, str(pods), state], check=True)
    bare = ours + "-floor"
    shutil.copytree(ours, bare)
    return ours, bare


def percentile(values, p):
    return sorted(values)[min(len(values) - 1, int(len(values) * p / 100))]


def deaths(work, pods):
    """One pod of so many dies: until its lock is free."""
    ours, bare = fill(work, f"death-{pods}", pods, "running")
    measured, floor = Server(ENGINE, "serve", ours), Server(FLOOR, "serve", bare)
    a, b = [], []
    last = {}
    for i in range(DEATHS):
        # Who goes first changes, so that neither always meets what the other left to write.
        for side in ((measured, a), (floor, b))[:: 1 if i % 2 else -1]:
            answer = side[0].ask("die")
            side[1].append(answer["ns"])
            if side[0] is measured:
                last = answer
    measured.quit()
    floor.quit()
    raw = {"ours_ms": statistics.median(a) / 1e6, "floor_ms": statistics.median(b) / 1e6}
    for p, goal in ((50, 1.5), (99, 2.0)):
        report(f"death to free lock, {pods} pods, p{p}", percentile(a, p) / percentile(b, p), goal,
               detail=raw)
    return last


def writes(last):
    report("durable writes on that path: commits", last["commits"], 2)
    report("  fsyncs of files, for one app", last["fsyncs"], 1)
    report("  commits until the pod has ended", last["commits_in_all"], None)


def bursts(work):
    """1000 ready events; and the longest turn of the loop meanwhile."""
    ours, bare = fill(work, "burst", 1000, "running")
    measured, floor = Server(ENGINE, "serve", ours), Server(FLOOR, "serve", bare)
    rates, stalls, own = [], [], []
    for _ in range(BURSTS):
        a, b = measured.ask("burst 1000"), floor.ask("burst 1000")
        rates.append((a["turns"] / a["ns"]) / (b["turns"] / b["ns"]))
        stalls.append(a["longest"] / b["batch"])
        own.append(b["longest"] / b["batch"])
    measured.quit()
    floor.quit()
    report_least("transitions per second, 1000 ready events",
                 statistics.median(rates), 0.7)
    report("longest turn of the loop, in batches of 64", statistics.median(stalls), 3)
    report("  the floor's own longest", statistics.median(own), None)


def starts(work):
    """From nothing to the open barrier; one pod in ten runs: no host has a thousand domains more.

    The least of each side counts: what other processes add to a start is no multiple of it."""
    ours, bare, small, checked, rss = [], [], [], [], []
    many, many_bare = fill(work, "start-10000", 10000, "mixed")
    few, _ = fill(work, "start-1000", 1000, "mixed")
    for _ in range(STARTS):
        a = once(ENGINE, "start", many)
        ours.append(a["ns"] - a["world_ns"])
        rss.append(a["rss_kib"])
        bare.append(once(FLOOR, "read", many_bare)["ns"])
        checked.append(once(FLOOR, "check", many_bare)["ns"])
        a = once(ENGINE, "start", few)
        small.append(a["ns"] - a["world_ns"])
    raw = {"ours_ms": min(ours) / 1e6, "floor_ms": min(bare) / 1e6}
    report("cold start to open barrier, 10000 pods, against 1000",
           min(ours) / min(small), 12, detail=raw)
    report("cold start, 10000 pods, against a bare read of the rows",
           min(ours) / min(bare), 3, detail=raw)
    report("  against a read after the same check of all pages", min(ours) / min(checked), None)
    report("resident memory, 10000 pods", statistics.median(rss) / 1024, 16 + 10000 * 2 / 1024,
           " MiB")


def wait_for(path, process):
    for _ in range(600):
        if os.path.exists(path):
            return
        if process.poll() is not None:
            sys.exit("bench: xenpodd has ended")
        time.sleep(0.05)
    sys.exit("bench: xenpodd does not listen")


def timed(argv, env):
    with open(os.path.join(OUT, "shown"), "wb") as out:
        began = time.perf_counter()
        subprocess.run(argv, check=True, stdout=out, stderr=subprocess.DEVNULL, env=env)
        return time.perf_counter() - began


def show(name, state, run):
    """The table of 10000 pods, beside the sqlite3 shell with the same rows from the same file."""
    env = {**os.environ, "XENPOD_STATE_DIR": state, "XENPOD_RUN_DIR": run}
    shell = ["sqlite3", "-readonly", "-header", "-column", os.path.join(state, "store.db"), QUERY]
    ours, bare = [], []
    for _ in range(SHOWS):
        ours.append(timed([STATUS], env))
        bare.append(timed(shell, env))
    with open(os.path.join(OUT, "shown"), encoding="utf-8") as shown:
        if sum(1 for _ in shown) < 10000:
            sys.exit("bench: not all pods were shown")
    raw = {"ours_ms": min(ours) * 1e3, "floor_ms": min(bare) * 1e3}
    report(name, min(ours) / min(bare), 1.5, detail=raw)


def status(work):
    state, _ = fill(work, "status", 10000, "exited")
    run = os.path.join(state, "run")
    show("xenpod-status, 10000 pods, against sqlite3: no supervisor", state, run)
    with open(os.path.join(work, "xenpodd.log"), "wb") as log, subprocess.Popen(
            [XENPODD, "--world=sim", f"--state-dir={state}", f"--run-dir={run}",
             "--cgroup-root="], stderr=log) as daemon:
        try:
            wait_for(os.path.join(run, "status"), daemon)
            show("xenpod-status, 10000 pods, against sqlite3: supervisor", state, run)
        finally:
            daemon.terminate()


def main():
    os.makedirs(OUT, exist_ok=True)
    wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory(dir=OUT) as work:
        if not wanted or "death" in wanted:
            for pods in (10, 100, 1000):
                last = deaths(work, pods)
            writes(last)
        if not wanted or "burst" in wanted:
            bursts(work)
        if not wanted or "start" in wanted:
            starts(work)
        if not wanted or "status" in wanted:
            status(work)
    missed = sum(r["missed"] for r in results)
    with open(os.path.join(OUT, "bench.json"), "w", encoding="utf-8") as f:
        json.dump({"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                   "machine": platform.platform(), "cpus": os.cpu_count(),
                   "load": os.getloadavg(), "figures": results}, f, indent=1)
    print(f"{len(results)} figures, {missed} goals missed; build/bench/bench.json has them")


main()
