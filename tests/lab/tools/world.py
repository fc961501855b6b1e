# SPDX-License-Identifier: Apache-2.0
"""Drives xenpod-watch and xenpod-act in Dom-0 as xenpodd does: src/proto/world.h's frames on a
socket pair. Also the small things that a test wants to know of Dom-0."""

import ctypes
import fcntl
import json
import os
import select
import socket
import subprocess
import sys
import time

WATCH = "/root/world/xenpod-watch"
ACT = "/root/world/xenpod-act"
ROOT = "/run/xenpod-world"
CGROUPS = "/sys/fs/cgroup/xenpod-world.slice"
FRAME_MAX = 512 * 1024
PATIENCE = 90  # seconds: a ceiling for a slow machine, not a measurement

libc = ctypes.CDLL(None, use_errno=True)
failures = 0


def check(what, good, detail=""):
    """One result line; details only when it failed."""
    global failures
    if not good:
        failures += 1
    print(("ok " if good else "not ok ") + what + ("" if good else f" | {detail or '-'}"), flush=True)
    return good


def sh(line):
    return subprocess.run(line, shell=True, text=True, capture_output=True).stdout.strip()


def soon(fn, patience=PATIENCE):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        got = fn()
        if got:
            return got
        time.sleep(0.1)
    return None


def open_tree(path):
    """open_tree(path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE)"""
    fd = libc.syscall(428, -100, path.encode(), 1 | 0o2000000 | 0x8000)
    if fd < 0:
        raise OSError(ctypes.get_errno(), path)
    return fd


class Child:
    """A program with our socket as its fd 3."""

    def __init__(self, program, stderr=None):
        self.sock, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for s in (self.sock, theirs):
            s.setsockopt(socket.SOL_SOCKET, 32, 2 * FRAME_MAX)  # SO_SNDBUFFORCE
        fd = theirs.fileno()
        self.process = subprocess.Popen(
            [program], preexec_fn=lambda: os.dup2(fd, 3, True), close_fds=False, stderr=stderr
        )
        theirs.close()
        os.set_inheritable(self.sock.fileno(), False)

    def send(self, frame, fds=()):
        socket.send_fds(self.sock, [json.dumps(frame).encode()], list(fds))

    def receive(self, patience=PATIENCE):
        """The next frame, None at end of file or when none comes in time."""
        if not select.select([self.sock], [], [], patience)[0]:
            return None
        try:
            data = self.sock.recv(FRAME_MAX)
        except ConnectionResetError:  # it died before it read what we sent
            return None
        return json.loads(data) if data else None

    def end(self):
        self.sock.close()
        return self.process.wait(PATIENCE)


class Watch(Child):
    def __init__(self):
        super().__init__(WATCH)
        self.hello = self.receive()
        self.seen = []

    def until(self, patience=PATIENCE, **want):
        """Frames are kept until one has all these members; returns it, or None."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            frame = self.receive(max(0.01, end - time.monotonic()))
            if frame is None:
                break
            self.seen.append(frame)
            if all(frame.get(k) == v for k, v in want.items()):
                return frame
        return None

    def list(self, n):
        self.send({"t": "list", "n": n})
        self.seen = []
        self.until(t="list-end", n=n)
        return [f for f in self.seen if f["t"] == "domain" and f.get("n") == n]


class Pod:
    """One pod and what belongs to it."""

    op = 0
    all = []

    def __init__(self, number, generation=1):
        Pod.all.append(self)
        self.uuid = f"0f0e0d0c-0000-4000-8000-{number:012d}"
        self.generation = generation
        self.store = "world-test"
        self.dir = f"{ROOT}/pods/{self.uuid}"
        self.lock = f"{ROOT}/lock-{self.uuid}"
        self.rkt_lock = f"{ROOT}/rkt-{self.uuid}"
        self.cgroup = f"{CGROUPS}/pod-{self.uuid}"
        self.share = f"{ROOT}/share-{self.uuid}"
        self.domid = None
        self.qemu = None
        for d in (f"{self.share}/ro", f"{self.share}/rw"):
            os.makedirs(d, exist_ok=True)
        with open(f"{self.share}/ro/question", "w") as f:
            f.write("42")

    def request(self, t, **more):
        Pod.op += 1
        return {
            "t": t, "op": Pod.op, "uuid": self.uuid, "store": self.store,
            "generation": self.generation, "lock": self.lock, **more,
        }

    def start(self, t, fds=(), stderr=None, **more):
        child = Child(ACT, stderr)
        child.send(self.request(t, **more), fds)
        return child

    def act(self, t, fds=(), **more):
        """Runs one command to its end; its last frame."""
        child = self.start(t, fds, stderr=subprocess.DEVNULL, **more)
        answer = child.receive()
        status = child.end()
        if answer and (answer["t"] == "done") != (status == 0):
            check(f"{t}: exit status {status} fits {answer['t']}", False)
        return answer or {"t": "nothing", "status": status}

    def exports(self):
        fds = [open_tree(f"{self.share}/ro"), open_tree(f"{self.share}/rw")]
        trees = [{"tag": "ro", "read_only": True}, {"tag": "rw", "read_only": False}]
        answer = self.act("exports", fds, dir=self.dir, trees=trees, cgroup=self.cgroup)
        for fd in fds:
            os.close(fd)
        return answer

    def create(self, kernel="vmlinux", locked=True, **more):
        """Starts it; the caller receives `created` and sends `go`."""
        lock = os.open(self.rkt_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if locked:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fds = [lock] + [os.open(f"/root/world/{n}", os.O_RDONLY) for n in (kernel, "ramdisk")]
        request = {
            "type": "auto", "memory_kib": 128 * 1024, "vcpus": 1, "dir": self.dir,
            "cgroup": self.cgroup, "trees": [{"tag": "ro"}, {"tag": "rw"}],
            "spec": {"uuid": self.uuid, "debug": False, "secret": "s3same"}, **more,
        }
        child = self.start("create", fds, **request)
        for fd in fds:
            os.close(fd)
        return child

    def created(self, child):
        answer = child.receive()
        if answer and answer["t"] == "created":
            self.domid, self.qemu = answer["domid"], answer["qemu_pid"]
        return answer

    def boot(self, watch):
        """exports, create, watch, go: until the guest says that it runs."""
        self.exports()
        child = self.create()
        if (self.created(child) or {}).get("t") != "created":
            return None
        watch.send({"t": "watch", "uuid": self.uuid, "domid": self.domid, "apps": 1})
        child.send({"t": "go"})
        done = child.receive()
        child.end()
        if not done or done["t"] != "done":
            return None
        return watch.until(t="guest", uuid=self.uuid, key="pod", value="2 running")

    def tell(self, command):
        """The test guest looks for this file."""
        with open(f"{self.share}/rw/command.new", "w") as f:
            f.write(command)
        os.rename(f"{self.share}/rw/command.new", f"{self.share}/rw/command")

    def is_locked(self):
        with open(self.rkt_lock) as f:
            try:
                fcntl.flock(f, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def logs(self):
        return [
            f"/var/log/xen/qemu-dm-{self.uuid}.log",
            f"/var/log/xen/console/guest-{self.uuid}.log",
        ]

    def end(self):
        """destroy, clear, release: what must always be possible."""
        destroyed = self.act("destroy", domid=-1, cgroup=self.cgroup)
        cleared = self.act("clear", dir=self.dir, cgroup=self.cgroup)
        released = self.act("release", logs=self.logs())
        good = all(a["t"] == "done" for a in (destroyed, cleared, released))
        return check(f"pod {self.uuid[-1]}: destroy, clear, release", good,
                     f"{destroyed} {cleared} {released}")


def domains(uuid):
    """[(domid, state letters)] of xl list"""
    lines = sh("xl list -v").splitlines()[1:]
    rows = [line.split() for line in lines]
    return [(int(r[1]), r[4]) for r in rows if uuid in r]
