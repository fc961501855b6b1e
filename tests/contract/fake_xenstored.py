#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fake_xenstored.py FOLDER HOW...: answers reads as xenstored does (xen/io/xs_wire.h), at FOLDER/HOW/socket each,
for suites without a Xen.

HOW: good, empty (it has no Dom-0), silent (takes calls, never answers), junk (no xenstored at all), refuses
(EACCES), hangs-up. Prints "ready" when all can be called."""

import os
import socket
import struct
import sys
import threading

HEAD = struct.Struct("=4I")
READ, ERROR = 2, 16
NODES = {b"/": b"", b"/local/domain/0/domid": b"0", b"/local/domain/0/name": b"Domain-0"}


def exactly(conn, n):
    data = b""
    while len(data) < n:
        more = conn.recv(n - len(data))
        if not more:
            return None
        data += more
    return data


def answer(how, path):
    if how == "refuses":
        return ERROR, b"EACCES\0"
    if path not in NODES or (how == "empty" and path != b"/"):
        return ERROR, b"ENOENT\0"
    return READ, NODES[path]


def serve(conn, how):
    if how == "hangs-up":
        conn.close()
        return
    if how == "junk":
        conn.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    while True:
        try:
            head = exactly(conn, HEAD.size)
        except ConnectionResetError:
            return
        if head is None:
            return
        _, req, tx, size = HEAD.unpack(head)
        path = exactly(conn, size)
        if how in ("silent", "junk") or path is None:
            continue
        kind, text = answer(how, path.rstrip(b"\0"))
        conn.sendall(HEAD.pack(kind, req, tx, len(text)) + text)


def listen(folder, how):
    os.mkdir(os.path.join(folder, how))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.join(folder, how, "socket"))
    listener.listen(8)
    return listener


def accept(listener, how):
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=serve, args=(conn, how), daemon=True).start()


def main():
    listeners = [(listen(sys.argv[1], how), how) for how in sys.argv[2:]]
    print("ready", flush=True)
    threads = [threading.Thread(target=accept, args=each) for each in listeners]
    for thread in threads:
        thread.start()


main()
