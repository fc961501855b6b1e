# SPDX-License-Identifier: Apache-2.0
"""tests/lab/tools/truth.py on worlds made of files: one in which all is well, and for each kind of
difference that same world with one thing changed. Needs neither Xen nor root."""

import fcntl
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile

TOP = pathlib.Path(os.environ.get("TOP") or pathlib.Path(__file__).resolve().parents[2])
TRUTH = TOP / "tests/lab/tools/truth.py"
UP = "11111111-aaaa-4aaa-8aaa-111111111111"
OUT = "22222222-bbbb-4bbb-8bbb-222222222222"
MINE = "33333333-cccc-4ccc-8ccc-333333333333"  # xl's own
OTHER = "44444444-dddd-4ddd-8ddd-444444444444"  # of another store
LOST = "55555555-eeee-4eee-8eee-555555555555"  # of nobody
CGROUP = "sys/fs/cgroup/xenpod.slice/xenpodd.service/pod-"
LEASE = "var/lib/cni/networks/default/"


def domain_nodes(domid, uuid, store=None, generation="1"):
    home = f"/local/domain/{domid}"
    nodes = {f"/vm/{uuid}": "", f"{home}/vm": f"/vm/{uuid}", f"/libxl/{domid}/type": "pv",
             f"/local/domain/0/backend/9pfs/{domid}/0": ""}
    if store:
        nodes |= {f"{home}/xenpod/store": store, f"{home}/xenpod/generation": generation,
                  f"{home}/xenpod/built": "77"}
    return nodes


def pod(uuid, state, domid, app, **more):
    return {"uuid": uuid, "state": state, "word": state, "generation": 1, "domid": domid,
            "apps": [{"name": "web", **app}], "net": "none", "networks": [], **more}


class World:
    """One in which all is well: a pod that runs, one that has ended, two domains of others."""

    def __init__(self):
        self.domains = [(3, UP, UP, "-b----"), (9, "mine", MINE, "r-----"), (10, OTHER, OTHER, "-b----")]
        self.nodes = (domain_nodes(3, UP, "ours") | domain_nodes(9, MINE) |
                      domain_nodes(10, OTHER, "theirs") | {"/local/domain/0/name": "Domain-0"})
        self.pods = [
            pod(UP, "running", 3, {"code": None, "signal": None}, net="default",
                networks=[{"name": "default", "ip": "10.0.0.2"}]),
            pod(OUT, "exited", None, {"code": None, "signal": 9})]
        self.supervisor = {"state": "running"}
        self.listed = {UP: "running", OUT: "exited"}
        self.rows = {UP: ("running", 1, 3), OUT: ("exited", 1, -1)}
        self.locked = {UP}
        self.mounts = [f"/run/xenpod/pods/{UP}/tree/0", f"/var/lib/xenpod/pods/run/{OUT}/stage1/rootfs"]
        self.links = ["1: lo: <UP>", f"4: veth12@if2: <UP> link-netns xenpod-{UP}", "5: vif9.0: <UP>"]
        self.rules = f'ip daddr 10.0.0.2 comment "{UP}"'
        self.files = {
            f"run/netns/xenpod-{UP}": "", f"{CGROUP}{UP}/cgroup.procs": "77",
            f"{LEASE}10.0.0.2": f"{UP}\r\neth0", f"{LEASE}last_reserved_ip.0": "10.0.0.2",
            f"var/log/xen/qemu-dm-{UP}.log": "", f"var/log/xen/console/guest-{OUT}.log": "",
            f"run/xenpod/lock/{UP}": "", f"run/xenpod/pods/{UP}/tree/0/f": "",
            "proc/77/cmdline": "qemu\0-xen-domid\x003\0", "proc/78/cmdline": "qemu\0-xen-domid\x000\0",
            f"{self.rkt(UP)}/status/.none": "", f"{self.rkt(OUT)}/status/web": "9\n"}
        self.ready = {UP}
        self.broken = None

    @staticmethod
    def rkt(uuid):
        return f"var/lib/xenpod/pods/run/{uuid}/stage1/rootfs/rkt"

    def write(self, root):
        for name, text in self.files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        for uuid in self.ready:
            (root / self.rkt(uuid) / "supervisor-status").symlink_to("ready")
        with sqlite3.connect(root / "var/lib/xenpod/store.db") as db:
            db.execute("CREATE TABLE meta (key, value)")
            db.execute("INSERT INTO meta VALUES ('store_id', 'ours')")
            db.execute("CREATE TABLE pods (uuid, state, generation, domid)")
            db.executemany("INSERT INTO pods VALUES (?, ?, ?, ?)", [(u, *r) for u, r in self.rows.items()])
        (root / "proc/self").mkdir(parents=True)
        (root / "proc/self/mountinfo").write_text(
            "".join(f"1 2 0:3 / {point} rw - ext4 x rw\n" for point in self.mounts), encoding="utf-8")
        self.write_commands(root / "bin")

    def write_commands(self, folder):
        head = "Name ID Mem VCPUs State Time(s) UUID Reason-Code Security Label\n"
        rows = "".join(f"{name} {domid} 64 1 {state} 1.0 {uuid} - -\n"
                       for domid, name, uuid, state in [(0, "Domain-0", "-", "r-----")] + self.domains)
        said = {
            "xl": head + rows,
            "xenstore-ls": "".join(f'{path} = "{value}"\n' for path, value in self.nodes.items()),
            "xenpod-status": json.dumps({"pods": self.pods, "supervisor": self.supervisor}),
            "xenpod": json.dumps({"pods": [{"uuid": u, "state": s} for u, s in self.listed.items()]}),
            "ip": "\n".join(self.links), "nft": self.rules}
        folder.mkdir()
        for name, text in said.items():
            (folder / f"{name}.out").write_text(text, encoding="utf-8")
            status = 1 if name == self.broken else 0
            (folder / name).write_text(f'#!/bin/sh\ncat "$0.out"\nexit {status}\n', encoding="utf-8")
            (folder / name).chmod(0o755)

    def remove(self, name):
        del self.files[name]

    def domain(self, domid, uuid, state="-b----", **marks):
        self.domains.append((domid, uuid, uuid, state))
        self.nodes |= domain_nodes(domid, uuid, **marks)


def judged(world):
    """(exit status, lines) of truth.py there."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        world.write(root)
        for uuid in world.locked:
            place = root / f"var/lib/xenpod/pods/run/{uuid}"
            place.mkdir(parents=True, exist_ok=True)
            fcntl.flock(os.open(place, os.O_RDONLY), fcntl.LOCK_EX)  # until we end
        done = subprocess.run(
            [sys.executable, "-B", TRUTH], text=True, capture_output=True, check=False,
            env=os.environ | {"TRUTH_ROOT": folder, "PATH": f"{folder}/bin:{os.environ['PATH']}"})
        return done.returncode, done.stdout.splitlines() + done.stderr.splitlines()


# A pod that waits for its next life, and nothing of it but the lock.
def waits(world):
    one(world, state="backoff", word="restarting", domid=None)
    world.rows[UP] = ("backoff", 1, -1)
    world.domains.pop(0)
    for path in domain_nodes(3, UP, "ours"):
        world.nodes.pop(path)
    world.mounts.pop(0)
    world.ready.clear()
    for name in [n for n in world.files if "/tree/" in n or n.startswith(CGROUP) or n == "proc/77/cmdline"]:
        world.remove(name)
    return world


# What is changed in the world, and the line that must tell of it.
def one(world, **what):
    world.pods[0] |= what


def out(world, **what):
    world.pods[1] |= what


CASES = [
    # What one pod is said to be, and is not.
    (lambda w: w.domains.pop(0), f"domain {UP}: running, but 0 domains"),
    (lambda w: w.domain(4, UP, store="ours"), f"domain {UP}: running, but 2 domains"),
    (lambda w: (one(w, domid=5), w.rows.update({UP: ("running", 1, 5)})), f"domid {UP}: status says 5, Xen 3"),
    (lambda w: w.nodes.update({"/local/domain/3/xenpod/generation": "2"}), f"marker {UP}: .*'2'"),
    (lambda w: w.nodes.pop("/local/domain/3/xenpod/built"), f"marker {UP}: .* not marked as built"),
    (lambda w: w.nodes.update({"/local/domain/3/vm": "/vm/x"}), f"marker {UP}: domain 3 is /vm/x"),
    (lambda w: w.domains.__setitem__(0, (3, UP, UP, "--p---")), f"state {UP}: status says running, Xen --p---"),
    (lambda w: (one(w, state="paused", word="paused"), w.rows.update({UP: ("paused", 1, 3)})),
     f"state {UP}: status says paused, Xen -b----"),
    (lambda w: w.domains.__setitem__(0, (3, "(null)", UP, "-----d")), f"state {UP}: .*-----d"),
    (lambda w: w.remove("proc/77/cmdline"), f"qemu {UP}: domain 3 has none"),
    (lambda w: w.locked.clear(), f"lock {UP}: running, but its lock is free"),
    (lambda w: w.remove(f"{CGROUP}{UP}/cgroup.procs"), f"cgroup {UP}: running, but it has none"),
    (lambda w: w.mounts.pop(0), f"mount {UP}: running, but nothing is exported"),
    (lambda w: w.remove(f"run/netns/xenpod-{UP}"), f"netns {UP}: networked, but without"),
    (lambda w: w.files.update({f"{LEASE}10.0.0.2": f"{OUT}\neth0"}), f"lease {UP}: 10.0.0.2 of default"),
    (lambda w: w.ready.clear(), f"ready {UP}: not shown"),
    (lambda w: w.domain(5, OUT, store="ours"), f"domain {OUT}: exited, but domain 5 is there"),
    (lambda w: w.locked.add(OUT), f"lock {OUT}: exited, but its lock is held"),
    (lambda w: w.files.update({f"{CGROUP}{OUT}/x": ""}), f"cgroup {OUT}: exited, but its cgroup"),
    (lambda w: w.mounts.append(f"/run/xenpod/pods/{OUT}/tree/0"), f"mount {OUT}: exited, but its exports"),
    (lambda w: w.files.update({f"run/xenpod/pods/{OUT}/x": ""}), f"mount {OUT}: exited, but its exports"),
    (lambda w: w.ready.add(OUT), f"ready {OUT}: shown as ready"),
    (lambda w: w.remove(f"{w.rkt(OUT)}/status/web") or w.files.update({f"{w.rkt(OUT)}/x": ""}),
     f"code {OUT}: app web ended with 9, rkt reads ''"),
    (lambda w: w.files.update({f"{w.rkt(OUT)}/status/web": "0\n"}), f"code {OUT}: .* rkt reads '0'"),
    (lambda w: out(w, apps=[{"name": "web", "code": None, "signal": None}]), f"code {OUT}: .* with None"),
    (lambda w: waits(w).locked.clear(), f"lock {UP}: backoff, but its lock is free"),
    (lambda w: waits(w).domain(4, UP, store="ours"), f"domain {UP}: restarting, but domain 4 is there"),
    (lambda w: waits(w).ready.add(UP), f"ready {UP}: shown as ready"),
    # What disk, list and status say of each other.
    (lambda w: w.rows.update({UP: ("booting", 1, 3)}), f"disk {UP}: .*booting"),
    (lambda w: w.rows.update({LOST: ("exited", 1, -1)}), f"disk {LOST}: the store has it"),
    (lambda w: w.listed.update({UP: "exited"}), f"list {UP}: xenpod list says exited"),
    (lambda w: w.pods.append(pod(LOST, "failed", None, {})), f"directory {LOST}: it has none"),
    (lambda w: one(w, state="stopping", word="stopping"), f"unsettled {UP}: it is stopping"),
    (lambda w: w.supervisor.update({"state": "recovering"}), "unsettled supervisor: it is recovering"),
    # What nobody owns.
    (lambda w: w.domain(6, LOST, store="ours"), f"domain {LOST}: domain 6 of this store has no pod"),
    (lambda w: w.domains.append((7, "(null)", LOST, "--p---")), f"domain {LOST}: domain 7 is half there"),
    (lambda w: w.locked.add(LOST), f"lock {LOST}: held, and no pod"),
    (lambda w: w.files.update({f"{CGROUP}{LOST}/x": ""}), f"cgroup {LOST}: no pod"),
    (lambda w: w.files.update({"proc/80/cmdline": "qemu\0-xen-domid\x0012\0"}), "qemu 80: its domain 12"),
    (lambda w: w.nodes.update({"/local/domain/12/x": ""}), "xenstore /local/domain/12: of no domain"),
    (lambda w: w.nodes.update({"/libxl/12/x": ""}), "xenstore /libxl/12: of no domain"),
    (lambda w: w.nodes.update({f"/vm/{LOST}": ""}), f"xenstore /vm/{LOST}: of no domain"),
    (lambda w: w.nodes.update({"/local/domain/0/backend/vif/12/0": ""}),
     "xenstore /local/domain/0/backend/vif/12: of no domain"),
    (lambda w: w.nodes.update({"/local/domain/0/device-model/12/state": "running"}),
     "xenstore /local/domain/0/device-model/12: of no domain"),
    (lambda w: w.files.update({f"run/netns/xenpod-{LOST}": ""}), f"netns xenpod-{LOST}: no pod"),
    (lambda w: w.files.update({f"run/netns/xenpod-{OUT}": ""}), f"netns xenpod-{OUT}: no pod with networks"),
    (lambda w: w.files.update({f"{LEASE}10.0.0.9": LOST}), f"lease .*10.0.0.9: {LOST}"),
    (lambda w: w.links.append("8: veth9@if2: <UP> link-netnsid 7"), "link veth9: it leads to no pod"),
    (lambda w: w.links.append("8: vif12.0: <UP>"), "link vif12.0: no domain 12"),
    (lambda w: setattr(w, "rules", f'comment "{LOST}"'), f"rules {LOST}: no pod"),
    (lambda w: w.mounts.append(f"/run/xenpod/pods/{LOST}/tree/0"), f"mount .*{LOST}/tree/0: no pod"),
    (lambda w: w.mounts.append(f"/var/lib/xenpod/pods/run/{LOST}/stage1/rootfs"), f"mount .*{LOST}"),
    (lambda w: w.files.update({f"var/log/xen/qemu-dm-{LOST}.log.1": ""}), f"file .*qemu-dm-{LOST}.log.1"),
    (lambda w: w.files.update({f"var/log/xen/console/guest-{LOST}.log": ""}), f"file .*guest-{LOST}.log"),
    (lambda w: w.files.update({f"run/xenpod/lock/{LOST}": ""}), f"file /run/xenpod/lock/{LOST}: no pod"),
]


def main():
    passed, failed = 0, 0
    status, lines = judged(World())
    checks = [("all is well", status == 0 and not lines, lines)]
    status, lines = judged(waits(World()))
    checks.append(("all is well with one that waits", status == 0 and not lines, lines))
    world = World()
    world.nodes["/local/domain/3/data/x"] = "of a guest\n\nin three\f\x1clines"
    status, lines = judged(world)
    checks.append(("all is well whatever a guest writes", status == 0 and not lines, lines))
    world = World()
    world.broken = "xl"
    status, lines = judged(world)
    checks.append(("it cannot look", status == 254 and "cannot look: xl list -v" in lines[0], lines))
    for change, wanted in CASES:
        world = World()
        change(world)
        status, lines = judged(world)
        good = status == 1 and any(re.match(wanted, line) for line in lines)
        checks.append((wanted, good, lines))
    for what, good, lines in checks:
        passed, failed = passed + good, failed + (not good)
        if not good:
            print(f"FAILED: {what}", *lines, sep="\n    ")
    print(f"{passed} passed, {failed} failed")
    return failed > 0


sys.exit(main())
