#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Runs in Dom-0: prints everything that a pod could leave behind, one thing a line, sorted, with how
# often it is there. Prints nothing that changes by itself (process ids, counters, values in
# xenstore), nor the few containers that the first domain of a boot makes and that stay.
# One process that reads /proc itself: under emulation each new process costs a tenth of a second.
import collections
import os
import re
import subprocess

FILES = [
    "/var/log/xen", "/run/xenpod", "/run/xen", "/var/lib/xen", "/run/netns", "/var/lib/cni",
    "/tmp", "/var/tmp", "/dev/shm", "/run/systemd/transient",
]
# Long-lived daemons that could leak file descriptors.
DAEMONS = {"xenpodd", "xenpod-watch", "xenconsoled", "oxenstored", "xenstored"}
# xenstored's own log, which it rotates; made once per boot; or a worker of systemd, udev or the command channel that comes and goes.
IGNORE = re.compile(
    r"file /run/xen/domid-history|file /var/log/xen/xenstored-access\.log.*"
    r"|xenstore /(libxl|vm)|cgroup .*/system-modprobe\.slice"
    r"|cgroup .*/(init\.scope|dev-[^/]*\.mount|[^/]*\.socket)"
    r"|process (sshd: .*|\(udev-worker\).*|\(sd-.*|.*systemd-udevd.*|)")


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def run(*words):
    done = subprocess.run(words, stdout=subprocess.PIPE, check=False)
    return done.stdout.decode("utf-8", "replace").splitlines()


def names_in(path):
    try:
        return os.listdir(path)
    except OSError:
        return []


def link(path):
    try:
        return os.readlink(path)
    except OSError:
        return None


def parent(pid):
    found = re.search(r"^PPid:\s*(\d+)", read(f"/proc/{pid}/status"), re.M)
    return int(found[1]) if found else 0


# From us up to the ssh server: this is not of the system that is looked at.
def own_processes():
    own = set()
    pid = os.getpid()
    while pid > 1 and read(f"/proc/{pid}/comm").strip() != "sshd":
        own.add(pid)
        pid = parent(pid)
    return own


def processes():
    own = own_processes()
    seen = {"net": set(), "mnt": set()}
    for pid in (int(name) for name in names_in("/proc") if name.isdigit()):
        for kind, found in seen.items():
            found.add(link(f"/proc/{pid}/ns/{kind}"))
        if pid in own or 2 in (pid, parent(pid)):
            continue
        yield "process " + read(f"/proc/{pid}/cmdline").replace("\0", " ").strip()
        comm = read(f"/proc/{pid}/comm").strip()
        if comm in DAEMONS:
            yield f"fds {comm} {len(names_in(f'/proc/{pid}/fd'))}"
    for kind, found in seen.items():
        yield f"namespaces {kind} {len(found - {None})}"


def domains():
    for line in run("xl", "list", "-v")[1:]:
        word = line.split()
        # The state may be empty columns; the UUID is what looks like one.
        yield f"domain {word[0]} {word[1]} " + next((w for w in word if len(w) == 36), "-")


def control_groups():
    for folder, _, _ in os.walk("/sys/fs/cgroup"):
        yield "cgroup " + folder


def mounts():
    for line in read("/proc/self/mountinfo").splitlines():
        before, _, after = line.partition(" - ")
        yield f"mount {before.split()[4]} {after.split()[0]}"


def network():
    for name in names_in("/sys/class/net"):
        yield "link " + name
    # The table "xenpod" is the host's, and stays once a port was forwarded (src/act/ports.c).
    rules = "\n".join(run("nft", "list", "ruleset"))
    for line in re.sub(r"^table inet xenpod \{\n.*?^\}\n?", "", rules, flags=re.M | re.S).splitlines():
        yield "nft " + re.sub(r"counter packets \d+ bytes \d+", "counter", line)


def files():
    for top in FILES:
        for folder, below, names in os.walk(top):
            for name in below + names:
                yield f"file {folder}/{name}"


def units():
    for line in run("systemctl", "list-units", "--plain", "--no-legend", "--all"):
        unit, _, active, *_ = line.split()
        if active == "failed":
            yield "failed unit " + unit
        elif unit.endswith(".scope"):
            yield "scope " + unit
    yield from (f"fds systemd for xenpodd {line}" for line in
                run("systemctl", "show", "-p", "NFileDescriptorStore", "xenpodd.service"))


def xenstore():
    for line in run("xenstore-ls", "-f"):
        yield "xenstore " + line.split(" = ")[0]


def loops():
    for name in names_in("/sys/block"):
        if name.startswith("loop") and os.path.exists(f"/sys/block/{name}/loop"):
            yield "loop " + name


def main():
    counts = collections.Counter()
    for source in (domains, processes, control_groups, mounts, network, files, units, xenstore, loops):
        counts.update(line for line in source() if not IGNORE.fullmatch(line))
    for line, count in sorted(counts.items()):
        print(count, line)


main()
