#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Types at a program in a terminal of its own, as a person would, and tells what it saw.

usage: typist.py ROWSxCOLS SCRIPT COMMAND...

SCRIPT has a line for each act:
  wait TEXT       until TEXT has appeared behind what was waited for before (Python's escapes)
  type TEXT       types it (Python's escapes: \\r is Enter, \\x03 is ^C)
  press KEY TEXT  types KEY until TEXT has appeared: what it is for may need a moment to be there
  size ROWSxCOLS  the window changes
  signal NAME     to COMMAND's process
  end             until COMMAND has ended
At the end: the terminal's settings must be those of the beginning ("terminal as before", else
"terminal CHANGED"), and "exit N" or "signal N". What was seen goes to stdout as it came.
"""
import codecs
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

CEILING = 240  # seconds that one wait may take on a slow machine


def set_size(fd, text):
    rows, cols = (int(n) for n in text.split("x"))
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))


class Terminal:
    def __init__(self, size, command):
        self.master, self.slave = pty.openpty()
        set_size(self.master, size)
        self.before = termios.tcgetattr(self.slave)
        self.seen = b""
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)
            for fd in range(3):
                os.dup2(self.slave, fd)
            os.execvp(command[0], command)

    def read(self, seconds):
        ready, _, _ = select.select([self.master], [], [], seconds)
        if ready:
            data = os.read(self.master, 65536)
            self.seen += data
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    def wait(self, text, key=b""):
        end = time.monotonic() + CEILING
        again = time.monotonic()
        while text not in self.seen:
            if key and time.monotonic() >= again:
                os.write(self.master, key)
                again = time.monotonic() + 3
            if time.monotonic() > end:
                raise SystemExit(f"\ntypist: {text!r} did not come; there was {self.seen[-300:]!r}")
            self.read(1)
        self.seen = self.seen.split(text, 1)[1]

    def end(self):
        end = time.monotonic() + CEILING
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.read(0.2)
            if pid:
                return status
            if time.monotonic() > end:
                raise SystemExit("\ntypist: it does not end")


def main():
    size, script, *command = sys.argv[1:]
    terminal = Terminal(size, command)
    status = None
    for line in script.splitlines():
        act, _, text = line.strip().partition(" ")
        raw = codecs.decode(text, "unicode_escape").encode("latin-1")
        if act == "wait":
            terminal.wait(raw)
        elif act == "type":
            os.write(terminal.master, raw)
        elif act == "press":
            key, _, text = raw.partition(b" ")
            terminal.wait(text, key)
        elif act == "size":
            set_size(terminal.master, text)
            os.kill(terminal.pid, signal.SIGWINCH)
        elif act == "signal":
            os.kill(terminal.pid, getattr(signal, "SIG" + text))
        elif act == "end":
            status = terminal.end()
    after = termios.tcgetattr(terminal.slave)
    print("\nterminal", "as before" if after == terminal.before else "CHANGED")
    if status is not None:
        print(f"exit {os.WEXITSTATUS(status)}" if os.WIFEXITED(status) else f"signal {os.WTERMSIG(status)}")


if __name__ == "__main__":
    main()
