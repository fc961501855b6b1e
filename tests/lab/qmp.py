#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One command of QEMU's machine protocol (QMP): prints the answer's line.

usage: qmp.py SOCKET SECONDS COMMAND      (COMMAND: JSON; an error goes to stderr, exit code 1)
"""
import json
import socket
import sys


def answer(lines):
    """The next line that answers something: events come in between."""
    for line in lines:
        said = json.loads(line)
        if "return" in said or "error" in said:
            return line, said
    raise SystemExit("qmp: QEMU has closed the connection")


def main():
    path, seconds, command = sys.argv[1:]
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(float(seconds))
        sock.connect(path)
        lines = sock.makefile()
        next(lines)  # the greeting
        for text in ('{"execute": "qmp_capabilities"}', command):
            sock.sendall(text.encode() + b"\n")
            line, said = answer(lines)
    print(line.strip(), file=sys.stderr if "error" in said else sys.stdout)
    return 1 if "error" in said else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError as e:
        sys.exit(f"qmp: {e}")
