#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""onpty.py COLUMNS ROWS SECONDS[:TEXT] [KEYS] -- COMMAND...: runs it on a terminal of that size.

What it writes goes to stdout as it is. After SECONDS, or half a second after it has written TEXT, it is sent KEYS
(if any), then SIGINT, and after five more seconds SIGKILL. Exit status: the command's; 128 + signal when it was
killed."""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time


def main():
    cut = sys.argv.index("--")
    columns, rows = int(sys.argv[1]), int(sys.argv[2])
    seconds, _, text = sys.argv[3].partition(":")
    keys = sys.argv[4] if cut > 4 else ""
    pid, terminal = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.execvp(sys.argv[cut + 1], sys.argv[cut + 1:])
    steps = [(0, lambda: os.write(terminal, keys.encode())),
             (0.3, lambda: os.kill(pid, signal.SIGINT)),
             (5, lambda: os.kill(pid, signal.SIGKILL))]
    if not keys:
        steps.pop(0)
    due = time.monotonic() + float(seconds)
    written = b""
    while True:
        if steps and time.monotonic() >= due + steps[0][0]:
            steps.pop(0)[1]()
        if not select.select([terminal], [], [], 0.05)[0]:
            continue
        try:
            got = os.read(terminal, 65536)
        except OSError:  # EIO: the other side has been closed
            break
        if not got:
            break
        written += got
        if text and text.encode() in written:
            due = min(due, time.monotonic() + 0.5)
            text = ""
        sys.stdout.buffer.write(got)
        sys.stdout.buffer.flush()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    sys.stdout.flush()
    sys.exit(status if status >= 0 else 128 - status)


main()
