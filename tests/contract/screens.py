#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""screens.py COLUMNS ROWS <FILE: what a terminal of that size has shown of these bytes, as JSON.

A list of {"lines": the screen without what is empty, "row", "column": where the cursor is, "colours": of each colour
other than the usual one the text, "other": the alternate screen is on}: one each time that something is about to be
drawn anew (a carriage return that ends no line, a jump to the top, another screen), and one at the end. What is the same as the one
before is left out. A line that is longer than the terminal is wide goes on in the next one, as it would."""

import copy
import json
import re
import sys

import pyte  # Debian's python3-pyte: hence the python3 of Debian

OTHER = 1049 << 5  # private modes are shifted in pyte, which does not know this one


class Terminal(pyte.Screen):
    first = None

    def set_mode(self, *modes, **how):
        super().set_mode(*modes, **how)
        if how.get("private") and 1049 in modes and self.first is None:
            self.first = copy.deepcopy((self.buffer, self.cursor))
            self.erase_in_display(2)

    def reset_mode(self, *modes, **how):
        super().reset_mode(*modes, **how)
        if how.get("private") and 1049 in modes and self.first is not None:
            self.buffer, self.cursor = self.first
            self.first = None

    def shown(self):
        lines = [line.rstrip() for line in self.display]
        while lines and not lines[-1]:
            lines.pop()
        colours = {}
        for y in range(self.lines):
            for x in range(self.columns):
                cell = self.buffer[y][x]
                if cell.fg != "default" and cell.data.strip():
                    colours[cell.fg] = colours.get(cell.fg, "") + cell.data
        return {"lines": lines, "row": self.cursor.y, "column": self.cursor.x, "colours": colours,
                "other": self.first is not None}


def main():
    terminal = Terminal(int(sys.argv[1]), int(sys.argv[2]))
    stream = pyte.Stream(terminal)
    text = sys.stdin.buffer.read().decode("utf-8", "replace")
    seen = []
    for piece in re.split(r"(?=\r(?!\n)|\x1b\[H|\x1b\[\?1049h)", text):
        stream.feed(piece)
        now = terminal.shown()
        if not seen or now != seen[-1]:
            seen.append(now)
    json.dump(seen, sys.stdout)


main()
