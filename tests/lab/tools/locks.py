#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# locks.py DIRECTORY..., in Dom-0: asks again and again, as fast as it can, whether the flock on each
# is held, as rkt asks it. Prints "ready" after the first round; at SIGTERM how often it has asked, and
# each directory whose lock was free even once.
import fcntl
import os
import signal
import sys

rounds = 0
free = set()


def ask(path):
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        free.add(path)
    except BlockingIOError:
        pass
    finally:
        os.close(fd)


def end(*_):
    print(f"rounds {rounds}", *(f"free {path}" for path in sorted(free)), sep="\n", flush=True)
    os._exit(0)


signal.signal(signal.SIGTERM, end)
while True:
    for directory in sys.argv[1:]:
        ask(directory)
    rounds += 1
    if rounds == 1:
        print("ready", flush=True)
