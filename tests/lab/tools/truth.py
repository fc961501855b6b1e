#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# truth.py [--wait SECONDS], in Dom-0: is what the supervisor says of its pods what is so? Believes only
# `xl list`, `xenstore-ls`, flock(2) on the pods' directories, /proc, cgroups, network namespaces and
# links, /var/lib/cni, nftables and the log files; holds that against `xenpod-status --json`, `xenpod
# list --json` and the rows on disk. Prints one line for each difference: KIND UUID-OR-THING: what.
#
# Nothing may be under way: a pod that is neither up nor at its end is a difference, too. --wait
# looks again until there is none. Domains of other toolstacks and of other stores are nobody's
# business. Knows nothing of src/. TRUTH_ROOT is put before every path (tests/contract/truth.py).
# Exit status: 0 no difference, 1 differences, 254 it could not look.
import argparse
import fcntl
import json
import os
import re
import sqlite3
import subprocess
import sys
import time

ROOT = os.environ.get("TRUTH_ROOT", "")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
STORE = "/var/lib/xenpod/store.db"
PODS = "/var/lib/xenpod/pods"
EXPORTS = "/run/xenpod/pods"
HELPER_LOCKS = "/run/xenpod/lock"
LEASES = "/var/lib/cni"
LOGS = ("/var/log/xen", "/var/log/xen/console")
BACKENDS = "/local/domain/0/backend/"
MODELS = "/local/domain/0/device-model/"
# `word` of xenpod-status: with a domain; ended. Everything else is on its way, but for a pod that waits for
# its next life, which may be the next boot's.
UP = ("running", "paused")
ENDED = ("exited", "failed")
WAITS = "backoff"
# What rkt's list calls them.
LISTED = {"running": ("running",), "paused": ("running",), "exited": ("exited", "garbage"),
          "failed": ("exited", "garbage"), "restarting": ("running",)}


class CannotLook(Exception):
    pass


def output(*words, may_fail=False):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode and not may_fail:
        raise CannotLook(f"{' '.join(words)}: {done.stderr.decode('utf-8', 'replace').strip()}")
    return done.stdout.decode("utf-8", "replace")


def names_in(path):
    try:
        return sorted(os.listdir(ROOT + path))
    except OSError:
        return []


def read(path):
    try:
        with open(ROOT + path, "rb") as file:
            return file.read().decode("utf-8", "replace")
    except OSError:
        return None


def uuid_in(text):
    found = UUID.search(text)
    return found[0] if found else None


# As rkt asks: a shared lock, not waiting, on an open of our own.
def lock_held(path):
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


class World:
    """What is there, whoever says otherwise."""

    def __init__(self):
        self.domains = list(self.read_domains())
        # A guest's value may hold whatever ends a line: what does not begin as a path belongs to one.
        lines = (line.split(" = ", 1) for line in output("xenstore-ls", "-f").split("\n") if line.startswith("/"))
        self.nodes = {line[0]: line[1].strip('"') if len(line) > 1 else "" for line in lines}
        self.directories = {
            name: f"{PODS}/{place}/{name}" for place in names_in(PODS)
            for name in names_in(f"{PODS}/{place}") if UUID.fullmatch(name)}
        self.held = {uuid: lock_held(ROOT + path) for uuid, path in self.directories.items()}
        self.cgroups = {
            uuid_in(name): folder for folder, below, _ in os.walk(ROOT + "/sys/fs/cgroup")
            for name in below if name.startswith("pod-") and uuid_in(name)}
        self.mounts = [line.split()[4] for line in (read("/proc/self/mountinfo") or "").splitlines()]
        self.namespaces = [name for name in names_in("/run/netns") if name.startswith("xenpod-")]
        self.links = output("ip", "-o", "link", "show", may_fail=True).splitlines()
        self.rules = set(UUID.findall(output("nft", "list", "ruleset", may_fail=True)))
        self.leases = dict(self.read_leases())
        self.qemus = dict(self.read_qemus())

    @staticmethod
    def read_domains():
        for line in output("xl", "list", "-v").splitlines()[1:]:
            word = line.split()
            uuid = next((w for w in word if UUID.fullmatch(w)), "-")
            if word[1] != "0":
                yield {"name": word[0], "domid": int(word[1]), "state": word[4], "uuid": uuid}

    # "NETWORK/ADDRESS": whose, by the file's content (host-local).
    @staticmethod
    def read_leases():
        for folder, _, files in os.walk(ROOT + LEASES):
            for name in files:
                path = f"{folder}/{name}"[len(ROOT):]
                whose = uuid_in(name) or uuid_in(read(path) or "")
                if whose:
                    yield path, whose

    @staticmethod
    def read_qemus():
        for pid in filter(str.isdigit, names_in("/proc")):
            words = (read(f"/proc/{pid}/cmdline") or "").split("\0")
            if "-xen-domid" in words[:-1]:
                yield int(pid), int(words[words.index("-xen-domid") + 1])

    def domains_of(self, uuid):
        return [d for d in self.domains if d["uuid"] == uuid]

    def node(self, domid, name):
        return self.nodes.get(f"/local/domain/{domid}/{name}")

    def is_mounted_below(self, path):
        return any(point == path or point.startswith(path + "/") for point in self.mounts)


class Claims:
    """What the supervisor, its tool and its store say."""

    def __init__(self):
        answer = json.loads(output("xenpod-status", "--json"))
        self.pods = {pod["uuid"]: pod for pod in answer["pods"]}
        self.supervisor = answer.get("supervisor") or {}
        self.listed = {pod["uuid"]: pod["state"]
                       for pod in json.loads(output("xenpod", "list", "--json"))["pods"]}
        try:
            with sqlite3.connect(f"file:{ROOT}{STORE}?mode=ro", uri=True) as db:
                self.rows = {row[0]: row[1:] for row in
                             db.execute("SELECT uuid, state, generation, domid FROM pods")}
                self.store_id = db.execute("SELECT value FROM meta WHERE key = 'store_id'").fetchone()[0]
        except (sqlite3.Error, TypeError) as error:
            raise CannotLook(f"{STORE}: {error}") from error

    def is_up(self, uuid):
        return uuid in self.pods and self.pods[uuid]["word"] in UP

    def is_networked(self, uuid):
        return uuid in self.pods and self.pods[uuid].get("net", "none") != "none"


# ---- one pod ------------------------------------------------------------------------------------


def judge_pod(uuid, pod, world, claims):
    row = (pod["state"], pod["generation"], -1 if pod["domid"] is None else pod["domid"])
    if claims.rows.get(uuid) != row:
        yield f"disk {uuid}: status says {row}, the store {claims.rows.get(uuid)}"
    if pod["word"] in UP:
        yield from judge_up(uuid, pod, world, claims)
    elif pod["word"] in ENDED:
        yield from judge_ended(uuid, pod, world)
    elif pod["state"] == WAITS:
        yield from judge_waiting(uuid, pod, world)
    else:
        yield f"unsettled {uuid}: it is {pod['state']}"
    if uuid not in world.directories:
        yield f"directory {uuid}: it has none"
    elif pod["word"] in LISTED and claims.listed.get(uuid) not in LISTED[pod["word"]]:
        yield f"list {uuid}: xenpod list says {claims.listed.get(uuid)}, status {pod['word']}"


def judge_up(uuid, pod, world, claims):
    domains = world.domains_of(uuid)
    if len(domains) != 1:
        yield f"domain {uuid}: {pod['word']}, but {len(domains)} domains have its UUID"
    elif domains[0]["domid"] != pod["domid"]:
        yield f"domid {uuid}: status says {pod['domid']}, Xen {domains[0]['domid']}"
    else:
        yield from judge_domain(uuid, pod, domains[0]["state"], world, claims)
    if not world.held.get(uuid):
        yield f"lock {uuid}: {pod['word']}, but its lock is free"
    if uuid not in world.cgroups:
        yield f"cgroup {uuid}: {pod['word']}, but it has none"
    if not world.is_mounted_below(f"{EXPORTS}/{uuid}"):
        yield f"mount {uuid}: {pod['word']}, but nothing is exported"
    if claims.is_networked(uuid) and f"xenpod-{uuid}" not in world.namespaces:
        yield f"netns {uuid}: networked, but without a namespace"
    yield from judge_addresses(uuid, pod, world)
    yield from judge_ready(uuid, world, True)


def judge_domain(uuid, pod, state, world, claims):
    domid = pod["domid"]
    marker = (world.node(domid, "xenpod/store"), world.node(domid, "xenpod/generation"))
    if marker != (claims.store_id, str(pod["generation"])):
        yield f"marker {uuid}: domain {domid} carries {marker}"
    if not world.node(domid, "xenpod/built"):
        yield f"marker {uuid}: domain {domid} is not marked as built"
    if world.node(domid, "vm") != f"/vm/{uuid}":
        yield f"marker {uuid}: domain {domid} is {world.node(domid, 'vm')}"
    if set(state) & set("dsc") or ("p" in state) != (pod["word"] == "paused"):
        yield f"state {uuid}: status says {pod['word']}, Xen {state}"
    if domid not in world.qemus.values():
        yield f"qemu {uuid}: domain {domid} has none"


def judge_ended(uuid, pod, world):
    if world.held.get(uuid):
        yield f"lock {uuid}: {pod['word']}, but its lock is held"
    yield from judge_down(uuid, pod, world)
    yield from judge_codes(uuid, pod, world)


def judge_waiting(uuid, pod, world):
    if not world.held.get(uuid):
        yield f"lock {uuid}: {pod['state']}, but its lock is free"
    yield from judge_down(uuid, pod, world)


def judge_down(uuid, pod, world):
    for domain in world.domains_of(uuid):
        yield f"domain {uuid}: {pod['word']}, but domain {domain['domid']} is there ({domain['state']})"
    if uuid in world.cgroups:
        yield f"cgroup {uuid}: {pod['word']}, but its cgroup is there"
    if world.is_mounted_below(f"{EXPORTS}/{uuid}") or uuid in names_in(EXPORTS):
        yield f"mount {uuid}: {pod['word']}, but its exports are there"
    yield from judge_ready(uuid, world, False)


# After a reboot the stage1 is not mounted any more: there is nothing to ask.
def rkt_dir(uuid, world):
    path = world.directories.get(uuid, "") + "/stage1/rootfs/rkt"
    return path if os.path.isdir(ROOT + path) else None


def judge_ready(uuid, world, wanted):
    path = rkt_dir(uuid, world)
    if path and os.path.islink(f"{ROOT}{path}/supervisor-status") != wanted:
        yield f"ready {uuid}: {'not ' if wanted else ''}shown as ready"


def judge_codes(uuid, pod, world):
    path = rkt_dir(uuid, world)
    for app in pod["apps"] if path else ():
        code = app["signal"] if app["code"] is None else app["code"]
        text = (read(f"{path}/status/{app['name']}") or "").strip()
        if text != ("" if code is None else str(code)):
            yield f"code {uuid}: app {app['name']} ended with {code}, rkt reads '{text}'"


# host-local's only: whose directory is there.
def judge_addresses(uuid, pod, world):
    for net in pod.get("networks") or ():
        path = f"{LEASES}/networks/{net['name']}"
        if net.get("ip") and names_in(path) and world.leases.get(f"{path}/{net['ip']}") != uuid:
            yield f"lease {uuid}: {net['ip']} of {net['name']} is not its own"


# ---- what nobody owns -----------------------------------------------------------------------------


def judge_rest(world, claims):
    yield from judge_domains(world, claims)
    yield from judge_xenstore(world)
    yield from judge_network(world, claims)
    yield from judge_files(world, claims)
    for uuid, held in world.held.items():
        if held and uuid not in claims.pods:
            yield f"lock {uuid}: held, and no pod"
    for uuid in world.cgroups:
        if uuid not in claims.pods:
            yield f"cgroup {uuid}: no pod"
    for pid, domid in world.qemus.items():
        if domid and domid not in [d["domid"] for d in world.domains]:
            yield f"qemu {pid}: its domain {domid} is not there"
    for uuid in claims.rows.keys() - claims.pods.keys():
        yield f"disk {uuid}: the store has it, status does not"


def judge_domains(world, claims):
    for domain in world.domains:
        store = world.node(domain["domid"], "xenpod/store")
        pod = claims.pods.get(domain["uuid"])
        if store == claims.store_id and (not pod or pod["domid"] != domain["domid"]):
            yield f"domain {domain['uuid']}: domain {domain['domid']} of this store has no pod"
        elif not world.node(domain["domid"], "vm"):
            yield f"domain {domain['uuid']}: domain {domain['domid']} is half there ({domain['state']})"


def judge_xenstore(world):
    there = {str(d["domid"]) for d in world.domains} | {"0"}
    uuids = {d["uuid"] for d in world.domains}
    gone = set()
    for path in world.nodes:
        part = path.split("/")
        if path.startswith(BACKENDS) and len(part) > 6 and part[6] not in there:
            gone.add("/".join(part[:7]))
        elif path.startswith(MODELS) and part[5] not in there:
            gone.add("/".join(part[:6]))
        elif part[1:3] == ["local", "domain"] and len(part) > 3 and part[3] not in there:
            gone.add("/".join(part[:4]))
        elif part[1] == "libxl" and len(part) > 2 and part[2] not in there:
            gone.add("/".join(part[:3]))
        elif part[1] == "vm" and len(part) > 2 and part[2] not in uuids and part[2].strip("0-"):
            gone.add("/".join(part[:3]))
    for path in sorted(gone):
        yield f"xenstore {path}: of no domain"


def judge_network(world, claims):
    there = [str(d["domid"]) for d in world.domains]
    for name in world.namespaces:
        if not claims.is_networked(uuid_in(name)):
            yield f"netns {name}: no pod with networks"
    for path, uuid in world.leases.items():
        if not claims.is_networked(uuid):
            yield f"lease {path}: {uuid} is no pod with networks"
    for uuid in world.rules:
        if uuid not in claims.pods:
            yield f"rules {uuid}: no pod"
    for line in world.links:
        name = line.split()[1].split("@")[0].rstrip(":")
        vif = re.fullmatch(r"vif(\d+)\..*", name)
        whose = re.search(r"link-netns (xenpod-\S+)", line)
        if vif and vif[1] not in there:
            yield f"link {name}: no domain {vif[1]}"
        elif name.startswith("veth") and not (whose and claims.is_networked(uuid_in(whose[1]))):
            yield f"link {name}: it leads to no pod"


def judge_files(world, claims):
    for point in world.mounts:
        uuid = uuid_in(point)
        # A directory that the list has is its user's, whatever became of its record: gc takes both.
        if point.startswith(EXPORTS) and uuid not in claims.pods or \
                point.startswith(PODS) and uuid not in claims.listed:
            yield f"mount {point}: no pod"
    for folder in LOGS + (HELPER_LOCKS, EXPORTS):
        for name in names_in(folder):
            if uuid_in(name) and uuid_in(name) not in claims.pods:
                yield f"file {folder}/{name}: no pod"


# ---- the whole --------------------------------------------------------------------------------------


def differences():
    claims = Claims()
    world = World()
    found = []
    if claims.supervisor and claims.supervisor.get("state") != "running":
        found.append(f"unsettled supervisor: it is {claims.supervisor.get('state')}")
    for uuid, pod in sorted(claims.pods.items()):
        found.extend(judge_pod(uuid, pod, world, claims))
    found.extend(judge_rest(world, claims))
    return found


def main():
    parser = argparse.ArgumentParser(description="holds xenpod-status against what is so")
    parser.add_argument("--wait", type=float, default=0, metavar="SECONDS", help="until nothing differs")
    end = time.monotonic() + parser.parse_args().wait
    while True:
        found, why = [], None
        try:
            found = differences()
        except (CannotLook, OSError, ValueError) as error:
            why = error
        if not (found or why) or time.monotonic() >= end:
            break
        time.sleep(1)
    if why:
        print(f"truth: cannot look: {why}", file=sys.stderr)
        return 254
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
