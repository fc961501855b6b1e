#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A double of efibootmgr for suites without firmware: the options that xenpod uses, on variables kept as files
in $EFIVARFS_PATH, as efivarfs shows them (four bytes of attributes, then the data)."""
import glob
import os
import struct
import sys
import uuid

GUID = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
TAIL = struct.pack("<BBH", 0x7F, 0xFF, 4)


def path(name):
    return os.path.join(os.environ["EFIVARFS_PATH"], f"{name}-{GUID}")


def read(name):
    try:
        with open(path(name), "rb") as f:
            return f.read()[4:]
    except FileNotFoundError:
        return b""


def write(name, data):
    """Like the firmware: an empty variable is none, and there is no half of one."""
    if not data:
        if os.path.exists(path(name)):
            os.unlink(path(name))
        return
    with open(path(name) + ".new", "wb") as f:
        f.write(struct.pack("<I", 7) + data)
    os.rename(path(name) + ".new", path(name))


def option(args, letter, default=None):
    return args[args.index(letter) + 1] if letter in args else default


def text(value):
    return value.encode("utf-16-le") + b"\0\0"


def partition_guid(disk, part):
    """The real one reads it from the disk; here it is what udev says of it."""
    root = os.environ["EFIVARFS_PATH"].split("/sys/firmware/")[0]
    for link in glob.glob(root + "/sys/dev/block/*"):
        at = os.path.realpath(link)
        with open(at + "/partition") as f:
            if f"/dev/{at.split('/')[-2]} {f.read().strip()}" != f"{disk} {part}":
                continue
        with open(f"{root}/run/udev/data/b{os.path.basename(link)}") as f:
            return uuid.UUID(f.read().split("ID_PART_ENTRY_UUID=")[1].split()[0]).bytes_le
    sys.exit(f"Could not prepare Boot variable: No such device: {disk} {part}")


def load_option(args):
    loader = text(option(args, "-l"))
    part = int(option(args, "-p"))
    guid = partition_guid(option(args, "-d"), part)
    disk = struct.pack("<BBHIQQ16sBB", 4, 1, 42, part, 2048, 4096, guid, 2, 2)
    file = struct.pack("<BBH", 4, 4, 4 + len(loader)) + loader
    paths = disk + file + TAIL
    return struct.pack("<IH", 1, len(paths)) + text(option(args, "-L")) + paths


def main(args):
    if os.environ.get("EFIBOOTMGR_FAILS"):
        sys.exit("Could not prepare Boot variable: No space left on device")
    name = "Boot" + option(args, "-b")
    if "-C" in args:
        if read(name):
            sys.exit(f"{name} is there already")
        write(name, load_option(args))
        if os.environ.get("EFIBOOTMGR_PUTS_FIRST"):  # as some firmware does by itself
            write("BootOrder", struct.pack("<H", int(name[4:], 16)) + read("BootOrder"))
    elif "-B" in args:
        if not read(name):
            sys.exit(f"there is no {name}")
        write(name, b"")
        number = struct.pack("<H", int(name[4:], 16))
        order = read("BootOrder")
        pairs = [order[i : i + 2] for i in range(0, len(order), 2)]
        write("BootOrder", b"".join(p for p in pairs if p != number))


main(sys.argv[1:])
