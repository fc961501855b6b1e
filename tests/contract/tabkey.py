#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tabkey.py COMMAND...: a shell on a terminal; each line of stdin is typed there and a Tab pressed.

Prints what the shell has made of each. The shell says `ready>` when it reads keys, and shows its line between << and >>
when it is sent Ctrl-G; Ctrl-U empties the line."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

PATIENCE = 30  # seconds, for a machine that has much else to do


def wait_for(terminal, pattern):
    """What the pattern's first group has found in what the shell writes from now on."""
    seen = b""
    due = time.monotonic() + PATIENCE
    while time.monotonic() < due:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        seen += os.read(terminal, 65536)
        found = re.search(pattern, seen, re.DOTALL)
        if found:
            return found[1].decode()
    sys.exit(f"tabkey: no {pattern} within {PATIENCE} s in {seen[-300:]}")


def main():
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm"
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 250, 0, 0))
        os.execvp(sys.argv[1], sys.argv[1:])
    try:
        wait_for(terminal, rb"(ready>)")
        for line in sys.stdin:
            os.write(terminal, line.rstrip("\n").encode() + b"\t\x07")
            print(wait_for(terminal, rb"<<(.*?)>>"), flush=True)
            os.write(terminal, b"\x15")
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


main()
