#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Drives `run` as rkt does, over tables of manifests and flags, without Xen.

usage: manifests.py TABLE...

A table is a Python file beside this one with a list ROWS; manifests_table.py says what a row has.
Each row is held against a supervisor that only notes what it is told (fake_supervisor.py): what is
refused must end with 254 and one line, before anything is done or told; of the rest the Accept
request is compared. What was accepted there is then run for real on the simulated world, where each
app's command is ["sim", "exit", N], and `run` must end with N. Needs root for open_tree(2).
The last line is `N passed, N failed`.
"""

import copy
import fcntl
import importlib
import json
import os
import pty
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import termios
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.environ.get("TOP", os.path.dirname(os.path.dirname(HERE)))
BIN = os.path.join(os.environ.get("BUILD", os.path.join(TOP, "build/release")), "bin")
APP = {"exec": ["/bin/a"], "user": "0", "group": "0"}
IMAGE = {"acKind": "ImageManifest", "acVersion": "0.8.11", "name": "example.com/image"}
POD = {"acKind": "PodManifest", "acVersion": "1.30.0", "volumes": None}
ABSENT = "(absent)"
PLUGINS = ("bridge", "ipvlan", "portmap", "ptp", "sbr", "tuning")
SIM_TIME = 120
WORKERS = 32  # a simulated pod mostly waits, and here not for what a real boot takes
SIM_SCRIPT = "latency create 100ms\nlatency build 100ms\nlatency boot 300ms\n"


def uuid_of(number):
    return f"0f9d2b5e-3c41-4c62-9d9e-{number:012x}"


def merged(base, change):
    """`base` with the members of `change`; one that is None goes."""
    change = change or {}
    return {k: v for k, v in {**base, **change}.items() if k not in change or v is not None}


def filled(value, where, listeners):
    """Texts of a row name the test's folder as @T@, and as @TCP@, @UDP@ ports that are taken."""
    text = json.dumps(value).replace("@T@", where)
    for name, listener in listeners.items():
        text = text.replace(f'"@{name}@"', str(listener.getsockname()[1]))
    return json.loads(text)


class Pod:
    """A pod directory as stage0 leaves it (contract 2.1)."""

    def __init__(self, where, row, uuid):
        self.path = os.path.join(where, uuid)
        self.uuid = uuid
        self.row = row
        self.s1 = os.path.join(self.path, "stage1/rootfs")
        for name in ("rkt/status", "rkt/env", "xenpod", "etc"):
            os.makedirs(os.path.join(self.s1, name))
        self.put("stage1/rootfs/xenpod/vmlinux", "kernel")
        self.put("stage1/rootfs/xenpod/initrd.cpio", "ramdisk")
        self.put("stage1/rootfs/etc/hosts-fallback", "127.0.0.1 localhost\n")
        self.put_networks()
        for name, text in row.get("files", {}).items():
            self.put(name, text)
        self.runtime_apps = row.get("apps") or [{}]
        for app in self.runtime_apps:
            self.put_image(app)
        self.put("pod", row.get("raw") or json.dumps(self.manifest()))

    def put(self, name, text):
        """A file below the pod directory; "!" before its name makes it executable."""
        path = os.path.join(self.path, name.replace("!", ""))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        if "!" in name:
            os.chmod(path, 0o755)

    def put_networks(self):
        """The builtin networks as dist/aci.sh ships them, and plugins, which nothing here runs."""
        nets = os.path.join(TOP, "dist/nets")
        for name in os.listdir(nets):
            with open(os.path.join(nets, name), encoding="utf-8") as f:
                self.put(f"stage1/rootfs/etc/rkt/net.d/{name}", f.read())
        for name in PLUGINS:
            self.put(f"stage1/rootfs/usr/lib/rkt/plugins/net/!{name}", "")

    def here(self, text):
        """Flags and expectations name the pod's directory as @POD@ and its UUID as @UUID@."""
        return text.replace("@POD@", self.path).replace("@UUID@", self.uuid)

    def put_image(self, app):
        name = app.get("name", "one")
        image = merged(IMAGE, self.row.get("image"))
        where = f"stage1/rootfs/opt/stage2/{name}"
        os.makedirs(os.path.join(self.path, where, "rootfs/etc"), exist_ok=True)
        self.put(f"{where}/manifest", json.dumps(image))

    def manifest(self):
        apps = []
        for app in self.runtime_apps:
            one = {"name": "one", "app": merged(APP, self.row.get("app")), **app}
            one = merged(one, self.row.get("runtime"))
            apps.append(one)
        return merged({**POD, "apps": apps}, self.row.get("pod"))

    def simulate(self, code):
        """The same pod, but each app ends with `code` at once."""
        manifest = json.loads(json.dumps(self.manifest()))
        for app in manifest["apps"]:
            inner = app.get("app") or (self.row.get("image") or {}).get("app") or APP
            key = next((k for k in inner if k.lower() == "exec"), "exec")
            app["app"] = {**inner, key: ["sim", "exit", str(code)]}
        self.put("pod", json.dumps(manifest))

    def listing(self):
        return sorted(os.path.join(d, f) for d, _, fs in os.walk(self.path) for f in fs)


class Result:
    def __init__(self):
        self.passed = 0
        self.failed = 0
        self.lock = threading.Lock()

    def check(self, what, good, *lines):
        with self.lock:
            if good:
                self.passed += 1
                return
            self.failed += 1
            print(f"FAILED: {what}")
            for line in lines:
                print(f"    {line}")

    def same(self, what, wanted, got):
        self.check(what, wanted == got, f"wanted: {wanted}", f"got:    {got}")


def start_run(pod, run_dir, terminal=None):
    """`run` with the pod's lock in RKT_LOCK_FD, cwd the pod, stdio pipes or a terminal."""
    lock = os.open(pod.path, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    flags = [pod.here(f) for f in pod.row.get("flags", [])]
    if not any(re.match("--?net(=|$)", f) for f in flags):
        flags.insert(0, "--net=none")
    env = {k: v for k, v in os.environ.items() if k not in ("TERM", "NOTIFY_SOCKET")}
    env.update(XENPOD_RUN_DIR=run_dir, RKT_LOCK_FD=str(lock), **pod.row.get("env", {}))
    stdin = terminal if terminal is not None else subprocess.DEVNULL
    stdout = terminal if terminal is not None else subprocess.PIPE
    child = subprocess.Popen(
        [os.path.join(BIN, "run"), *flags, pod.uuid], cwd=pod.path, env=env, pass_fds=[lock],
        stdin=stdin, stdout=stdout, stderr=subprocess.PIPE)
    os.close(lock)
    return child


def end_run(child, timeout=60):
    try:
        _, stderr = child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        child.kill()
        _, stderr = child.communicate()
        return "no end", stderr.decode(errors="replace")
    return child.returncode, stderr.decode(errors="replace")


def lookup(request, path):
    """`app.X` is of the first app, `apps.N.X` of another, `guest.X` of the guest's part."""
    if path.startswith("app."):
        path = "guest.apps.0." + path[4:]
    elif path.startswith("apps."):
        path = "guest." + path
    at = request
    for part in path.split("."):
        if isinstance(at, list):
            at = at[int(part)] if int(part) < len(at) else ABSENT
        else:
            at = at.get(part, ABSENT)
        if at == ABSENT:
            break
    return at


class FakeWorld:
    """The supervisor that accepts everything, notes it and lets the pod end at once."""

    def __init__(self, where, calls):
        self.where = where
        os.makedirs(where)
        self.log = os.path.join(where, "log")
        open(self.log, "w", encoding="utf-8").close()
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "fake_supervisor.py"), where,
             "Accept=" + "accepted ended:0 " * calls])
        wait_for(os.path.join(where, "admin"))

    def calls(self):
        with open(self.log, encoding="utf-8") as f:
            return [json.loads(line) for line in f]

    def end(self):
        self.process.terminate()
        self.process.wait()


class SimWorld:
    """The real supervisor on the simulated Xen."""

    def __init__(self, where):
        self.where = os.path.join(where, "run")
        self.log = os.path.join(where, "log")
        os.makedirs(where)
        with open(f"{where}/script", "w", encoding="utf-8") as script:
            script.write(SIM_SCRIPT)
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [os.path.join(BIN, "xenpodd"), "--world=sim", "--cgroup-root=",
                 f"--sim-script={where}/script", f"--max-starts={WORKERS}",
                 f"--state-dir={where}/state", f"--run-dir={self.where}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(os.path.join(self.where, "admin"))

    def end(self):
        self.process.kill()
        self.process.wait()


def wait_for(path):
    for _ in range(600):
        if os.path.exists(path):
            return
        time.sleep(0.05)
    raise SystemExit(f"{path} never came")


def title(row):
    return f"{row['of']}: {row['what']}"


def run_fake(result, world, row, where, number):
    """True: it was accepted, as it should be."""
    pod = Pod(where, row, uuid_of(number))
    before, told = pod.listing(), len(world.calls())
    leader = follower = None
    if row.get("terminal"):
        leader, follower = pty.openpty()
        termios.tcsetwinsize(leader, row.get("size", (0, 0)))
    child = start_run(pod, world.where, follower)
    status, stderr = end_run(child)
    for fd in (leader, follower):
        if fd is not None:
            os.close(fd)
    # The session of the pod before may be asked for as late as now.
    calls = [c for c in world.calls()[told:] if c["parameters"].get("uuid") == pod.uuid]
    what = title(row)
    if "refuse" in row:
        judge_refusal(result, row, status, stderr)
        result.same(f"{what}: nothing was told", [], [c["method"] for c in calls])
        result.same(f"{what}: nothing is left", before, pod.listing())
        return False
    result.check(f"{what}: is accepted", status == 0, f"exit status {status}", stderr)
    requests = [c["parameters"] for c in calls if c["method"].endswith("Accept")]
    if requests:
        judge_request(result, row, requests[0], pod)
    if "says" in row:
        result.check(f"{what}: says {row['says']}", re.search(row["says"], stderr), stderr)
    elif not any("debug" in f for f in row.get("flags", [])):
        result.same(f"{what}: says nothing", "", stderr)
    return status == 0


def judge_refusal(result, row, status, stderr):
    what = title(row)
    result.same(f"{what}: exit status", 254, status)
    result.check(f"{what}: one line that says {row['refuse']}",
                 stderr.startswith("stage1: ") and stderr.count("\n") == 1
                 and re.search(row["refuse"], stderr), stderr)


def judge_request(result, row, request, pod):
    for path, wanted in row.get("want", {}).items():
        got = lookup(request, path)
        if callable(wanted):
            result.check(f"{title(row)}: {path}", wanted(got), f"got: {got}")
        else:
            if isinstance(wanted, str):
                wanted = pod.here(wanted)
            result.same(f"{title(row)}: {path}", wanted, got)


def run_sim(result, world, row, where, number):
    code = number % 200 + 1
    pod = Pod(where, row, uuid_of(number))
    pod.simulate(code)
    row = {k: v for k, v in row.items() if k != "terminal"}
    status, stderr = end_run(start_run(pod, world.where), SIM_TIME)
    result.check(f"{title(row)}: simulated, ends with {code}", status == code,
                 f"exit status {status}", stderr)


def in_turn(jobs):
    """WORKERS threads take the jobs in order."""
    lock = threading.Lock()

    def work():
        while True:
            with lock:
                job = next(jobs, None)
            if job is None:
                return
            job()

    threads = [threading.Thread(target=work) for _ in range(WORKERS)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


def rows_of(tables, where, listeners):
    for table in tables:
        for row in importlib.import_module(table.removesuffix(".py")).ROWS:
            row = copy.copy(row)
            for part in ("flags", "pod", "app", "apps", "runtime", "image", "files"):
                if part in row:
                    row[part] = filled(row[part], where, listeners)
            yield row


def prepare_host(where):
    """What volumes can name: see manifests_volumes.py."""
    os.makedirs(f"{where}/host/dir/below")
    with open(f"{where}/host/file", "w", encoding="utf-8") as f:
        f.write("content\n")
    os.mkfifo(f"{where}/host/fifo")
    os.symlink("dir", f"{where}/host/link")


def start_listeners():
    """Ports of this host that cannot be forwarded: see manifests_network.py."""
    listeners = {"TCP": socket.socket(socket.AF_INET, socket.SOCK_STREAM),
                 "UDP": socket.socket(socket.AF_INET, socket.SOCK_DGRAM)}
    for listener in listeners.values():
        listener.bind(("127.0.0.1", 0))
    listeners["TCP"].listen()
    return listeners


def main():
    sys.dont_write_bytecode = True
    sys.path.insert(0, HERE)
    result = Result()
    where = tempfile.mkdtemp()
    worlds = []
    try:
        prepare_host(where)
        listeners = start_listeners()
        rows = list(rows_of(sys.argv[1:], where, listeners))
        worlds.append(FakeWorld(f"{where}/fake", len(rows)))
        accepted = [(n, row) for n, row in enumerate(rows, 1)
                    if run_fake(result, worlds[0], row, f"{where}/pods", n)]
        worlds.append(SimWorld(f"{where}/sim"))
        in_turn((lambda n=n, row=row: run_sim(result, worlds[1], row, f"{where}/simpods", n))
                for n, row in accepted)
        print(f"{len(rows)} rows, {len(accepted)} of them accepted and simulated")
    finally:
        for world in worlds:
            world.end()
        shutil.rmtree(where)
    print(f"{result.passed} passed, {result.failed} failed")
    return 1 if result.failed else 0


sys.exit(main())
