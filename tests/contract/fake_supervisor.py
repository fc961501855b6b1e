#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A supervisor that says what it is told to, for tests of the hooks without Xen.

usage: fake_supervisor.py DIR [METHOD=STEPS ...]

Listens at DIR/admin. Each call is noted in DIR/log as one JSON line (method, parameters, what each
descriptor is) and answered by the steps of its method, up to the first that ends the call; the next
call goes on behind it:
  NAME             an event of that name, more to come
  networked:PATH   that event, with what DIR/PATH holds as its nets
  ended:CODE       the last event; CODE may be empty (null), failed:TEXT, forced
  ok               an empty last reply
  error:NAME:TEXT  a varlink error
  close            hangs up; the next call goes on with the step after it
  await:METHOD     waits until that method was called (once more than awaited before)
  file:PATH        waits until DIR/PATH exists
A method without steps is noted and left unanswered. SIGTERM ends it.
"""

import array
import json
import os
import socket
import sys
import threading
import time


class Supervisor:
    def __init__(self, where, steps):
        self.where = where
        self.steps = steps
        self.lock = threading.Condition()
        self.calls = {}
        self.awaited = {}

    def note(self, method, params, fds):
        entry = {"method": method, "parameters": params, "fds": [describe(fd) for fd in fds]}
        with self.lock:
            with open(os.path.join(self.where, "log"), "a", encoding="utf-8") as log:
                log.write(json.dumps(entry) + "\n")
            self.calls[method] = self.calls.get(method, 0) + 1
            self.lock.notify_all()

    def wait_call(self, method):
        with self.lock:
            self.awaited[method] = self.awaited.get(method, 0) + 1
            self.lock.wait_for(lambda: self.calls.get(method, 0) >= self.awaited[method])

    def wait_file(self, name):
        while not os.path.exists(os.path.join(self.where, name)):
            time.sleep(0.02)


def describe(fd):
    """What a descriptor is, and that it is close-on-exec's business of the receiver only."""
    return {"link": os.readlink(f"/proc/self/fd/{fd}"), "list": listing(fd)}


def listing(fd):
    try:
        return sorted(os.listdir(f"/proc/self/fd/{fd}/"))
    except OSError:
        return None


def event_of(word, rest):
    if word != "ended":
        return {"event": word}, True
    end = {"event": "ended", "state": "exited", "cause": "apps-ended", "message": ""}
    end["forced"] = rest == "forced"
    if rest.startswith("failed:"):
        end.update(state="failed", cause="create-failed", message=rest[7:])
        rest = ""
    end["code"] = int(rest) if rest.isdigit() else None
    return end, False


class Connection:
    def __init__(self, supervisor, sock):
        self.supervisor = supervisor
        self.sock = sock

    def read_call(self):
        data = b""
        fds = array.array("i")
        while not data.endswith(b"\0"):
            part, control, _, _ = self.sock.recvmsg(65536, socket.CMSG_SPACE(4 * 64))
            for level, kind, value in control:
                if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                    fds.frombytes(value[: len(value) - len(value) % fds.itemsize])
            if not part:
                return None, []
            data += part
        return json.loads(data[:-1]), list(fds)

    def send(self, message):
        self.sock.sendall(json.dumps(message).encode() + b"\0")

    def step(self, step):
        """None: the call goes on; True: it was answered; False: the connection is done."""
        word, _, rest = step.partition(":")
        if word == "await":
            self.supervisor.wait_call(rest)
        elif word == "file":
            self.supervisor.wait_file(rest)
        elif word == "close":
            return False
        elif word == "networked":
            with open(os.path.join(self.supervisor.where, rest), encoding="utf-8") as f:
                self.send({"parameters": {"event": word, "nets": json.load(f)}, "continues": True})
        elif word == "ok":
            self.send({"parameters": {}})
            return True
        elif word == "error":
            name, _, text = rest.partition(":")
            self.send({"error": "io.xenpod." + name, "parameters": {"message": text}})
            return True
        else:
            event, more = event_of(word, rest)
            self.send({"parameters": event, **({"continues": True} if more else {})})
            return None if more else True
        return None

    def answer(self, call, fds):
        method = call["method"].rpartition(".")[2]
        self.supervisor.note(method, call["parameters"], fds)
        for fd in fds:
            os.close(fd)
        steps = self.supervisor.steps.get(method, [])
        while steps:
            done = self.step(steps.pop(0))
            if done is not None:
                return done
        return True

    def serve(self):
        try:
            while True:
                call, fds = self.read_call()
                if call is None or not self.answer(call, fds):
                    break
        except OSError:
            pass
        self.sock.close()


def main():
    where = sys.argv[1]
    steps = {}
    for arg in sys.argv[2:]:
        method, _, text = arg.partition("=")
        steps[method] = text.split()
    supervisor = Supervisor(where, steps)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.join(where, "admin"))
    listener.listen()
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=Connection(supervisor, sock).serve, daemon=True).start()


main()
