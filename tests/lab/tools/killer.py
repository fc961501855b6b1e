#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# killer.py UUID STATE VICTIM, in Dom-0: follows the supervisor's events and kills VICTIM (xenpodd,
# xenpod-watch, xenpod-act, qemu) with SIGKILL as soon as the pod is in STATE. Prints "ready" when it
# listens, then "killed PID", or "missed" when the pod left the state before there was such a process.
import json
import os
import signal
import socket
import sys
import time

SOCKET = "/run/xenpod/status"
CEILING = 600


def read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def find(victim):
    if victim == "qemu":
        for pid in filter(str.isdigit, os.listdir("/proc")):
            words = read(f"/proc/{pid}/cmdline").split(b"\0")
            if b"-xen-domid" in words and words[words.index(b"-xen-domid") + 1] != b"0":
                return int(pid)
        return None
    supervisor = named(filter(str.isdigit, os.listdir("/proc")), "xenpodd")
    if victim == "xenpodd" or supervisor is None:
        return supervisor
    return named(read(f"/proc/{supervisor}/task/{supervisor}/children").decode().split(), victim)


def named(pids, comm):
    for pid in pids:
        if read(f"/proc/{pid}/comm").decode().strip() == comm:
            return int(pid)
    return None


class Events:
    def __init__(self, uuid):
        self.uuid, self.state, self.rest = uuid, None, b""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(SOCKET)
        self.sock.sendall(b'{"method":"io.xenpod.Watch","more":true}\0')
        self.sock.settimeout(0.5)

    # The pod's states in order, as far as they are known; waits up to `seconds` for more.
    def read(self, seconds):
        self.sock.settimeout(seconds)
        try:
            self.rest += self.sock.recv(65536)
        except (TimeoutError, BlockingIOError):
            return
        *whole, self.rest = self.rest.split(b"\0")
        for message in whole:
            event = json.loads(message)["parameters"]["event"]
            if event["uuid"] == self.uuid:
                yield event["to"]


def main(uuid, state, victim):
    events = Events(uuid)
    print("ready", flush=True)
    entered = False
    end = time.monotonic() + CEILING
    while time.monotonic() < end:
        for to in events.read(0.001 if entered else 1.0):
            if entered and to != state:
                return "missed"
            entered = entered or to == state
        pid = find(victim) if entered else None
        if pid:
            os.kill(pid, signal.SIGKILL)
            return f"killed {pid}"
    return "missed"


print(main(*sys.argv[1:]))
