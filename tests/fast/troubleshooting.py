#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the messages of the sources against docs/TROUBLESHOOTING*.md.

Messages are the formats given to the functions of FORMATS, each conversion shown as "...". Patterns of the
pages are list items that are one piece of code, `...` standing for anything. Every message has a pattern,
every pattern a message, and under every group of patterns stands what to do. What err_wrap() puts in front
of a cause is one rule of the page (looked for), and so is a message that is nothing but somebody else's text.

    troubleshooting.py TOP            checks; the last line is `N passed, N failed`
    troubleshooting.py TOP --list     shows the messages, with their places
"""
import glob
import os
import re
import sys

# Which argument is the format; those with a level say so in the first.
FORMATS = {
    "err_set": 2, "err_sys": 1, "err_wrap": 1, "conn_fail": 2,
    "log_err": 0, "log_warning": 0, "log_notice": 0,
    "log_msg": 1, "log_fields": 3, "log_pod": 2, "log_about": 3,
    "fprintf": 1, "dprintf": 1, "fputs": 0, "usage": 0, "number": 0,
}
QUIET = ("LOG_LVL_INFO", "LOG_LVL_DEBUG")  # told to who looks for it: no error
WRAP_RULE = "the text after the last colon is the cause"
# A log line that is nothing but a thing and its error.
ONLY_WRAPPED = re.compile(r"(\w+ )?\.\.\.: \.\.\.|\w+: \.\.\.")
NO_FAULTS = ("src/daemon/trace.c",)  # tells the steps of a pod's life, one by one
BROADEST = 40  # messages that one pattern may stand for
CONVERSION = re.compile(r"%[-+ #0]*(\*|\d+)?(\.(\*|\d+)?)?(hh|h|ll|l|z|j|t)?([diouxXcsp%])")
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


def without_comments(text):
    """Comments become blanks, lines stay where they are."""
    keep = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|/\*.*?\*/|//[^\n]*', re.S)
    return keep.sub(lambda m: m[0] if m[0][0] in "\"'" else "\n" * m[0].count("\n"), text)


def arguments(text, at):
    """Of the call whose parenthesis opens at `at`: the arguments' text."""
    depth, start, found = 0, at + 1, []
    for m in re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|[][(){},]').finditer(text, at):
        if m[0] in "([{":
            depth += 1
        elif m[0] in ")]}":
            depth -= 1
        if (depth == 1 and m[0] == ",") or depth == 0:
            found.append(text[start:m.start()].strip())
            start = m.end()
        if depth == 0:
            break
    return found


def macros(texts):
    """Macros that are nothing but text."""
    found = {"PRId64": "ld", "PRIu64": "lu"}
    for text in texts:
        for m in re.finditer(r"#define[ \t]+([A-Z_0-9]+)[ \t]+((?:\\\n|[^\n])*)", text):
            if STRING.search(m[2]) and re.fullmatch(r'(?:"(?:[^"\\]|\\.)*"|[A-Z_0-9]+|[\s\\])+', m[2]):
                found[m[1]] = m[2]
    return found


def literal(expression, known):
    """The text of one expression made of literals and macros; None when it is a variable."""
    words = re.findall(r'"(?:[^"\\]|\\.)*"|[A-Za-z_]\w*', expression)
    if not any(w.startswith('"') for w in words) and not (len(words) == 1 and words[0] in known):
        return None
    out = ""
    for w in words:
        if w.startswith('"'):
            out += re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), w[1:-1])
        elif w in known:
            out += known[w] if w.startswith("PRI") else literal(known[w], known) or "..."
        else:
            out += "%s"
    return out


def alternatives(expression, known):
    """The texts that an argument can be: one, or those behind ? and :."""
    parts, start = [], 0
    for m in re.finditer(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|[?:]', expression):
        if m[0] in "?:":
            parts.append(expression[start:m.start()])
            start = m.end()
    parts.append(expression[start:])
    texts = [literal(p, known) for p in (parts[1:] if len(parts) > 1 else parts)]
    return [t for t in texts if t is not None]


def shown(text):
    """As people see it: conversions are `...`."""
    text = CONVERSION.sub(lambda m: "%" if m[5] == "%" else "...", text)
    return re.sub(r"(\.\.\.){2,}", "...", re.sub(r"\s+", " ", text)).strip()


def messages(top):
    """{message: [where, ...]}, and those that are only wrapped around a cause."""
    files = sorted(glob.glob(os.path.join(top, "src", "*", "*.[ch]")))
    files = [f for f in files if os.path.relpath(f, top) not in NO_FAULTS]
    texts = {f: without_comments(open(f, encoding="utf-8").read()) for f in files}
    known = macros(texts.values())
    found, wraps = {}, set()
    for file, text in texts.items():
        for m in re.finditer(r"\b(" + "|".join(FORMATS) + r")\(", text):
            name, args = m[1], arguments(text, m.end() - 1)
            if name in ("usage", "number") and not file.endswith("main_xenpodd.c"):
                continue
            if name in ("fprintf", "fputs") and "stderr" not in (args[0], args[-1]):
                continue
            if name == "dprintf" and args[0] not in ("2", "STDERR_FILENO"):
                continue
            if args[0] in QUIET or len(args) <= FORMATS[name]:
                continue
            for given in alternatives(args[FORMATS[name]], known):
                said = shown(given) + {"err_sys": ": ...", "usage": " ...", "number": " ..."}.get(name, "")
                if name == "err_wrap" or (name.startswith("log_") and ONLY_WRAPPED.fullmatch(said)):
                    wraps.add(said if said.endswith(": ...") else said + ": ...")
                elif re.search("[A-Za-z]", said):
                    where = "%s:%d" % (os.path.relpath(file, top), text.count("\n", 0, m.start()) + 1)
                    found.setdefault(said, []).append(where)
    return found, wraps


def entries(path):
    """[(line, [(line, pattern), ...], what stands under them)] of a page."""
    found, patterns, words = [], [], []
    for n, line in enumerate(open(path, encoding="utf-8"), 1):
        m = re.fullmatch(r"\* (`+) ?(.*?) ?\1\s*", line)
        if m or line.startswith("#"):
            if patterns and words:
                found.append((patterns[0][0], patterns, " ".join(words)))
                patterns, words = [], []
        if m:
            patterns.append((n, m[2]))
        elif line.startswith("#"):
            if patterns:
                found.append((patterns[0][0], patterns, ""))
            patterns, words = [], []
        elif patterns and line.strip():
            words.append(line.strip())
    if patterns:
        found.append((patterns[0][0], patterns, " ".join(words)))
    return found


def check(top):
    faults, passed = [], 0
    found, wraps = messages(top)
    pages = sorted(glob.glob(os.path.join(top, "docs", "TROUBLESHOOTING*.md")))
    unmatched = dict(found)
    for page in pages:
        name = os.path.relpath(page, top)
        for line, patterns, words in entries(page):
            passed += 1
            if len(words.split()) < 6:
                faults.append(f"{name}:{line}: it does not say what to do")
            for n, pattern in patterns:
                regex = re.compile(".*".join(re.escape(p) for p in pattern.split("...")))
                met = [m for m in found if regex.fullmatch(m)]
                prefixed = any(regex.fullmatch(w) or regex.fullmatch(w[:-5]) for w in wraps)
                passed += 1
                for m in met:
                    unmatched.pop(m, None)
                if not met and not prefixed:
                    faults.append(f"{name}:{n}: no message is like `{pattern}`")
                if len(met) > BROADEST or len(re.findall("[A-Za-z]", pattern)) < 3:
                    faults.append(f"{name}:{n}: `{pattern}` says too little: {len(met)} messages are like it")
    text = " ".join(" ".join(open(p, encoding="utf-8").read().split()) for p in pages)
    if wraps and WRAP_RULE not in text:
        faults.append(f"the pages do not say that {WRAP_RULE}")
    for message, where in sorted(unmatched.items()):
        faults.append(f"{where[0]}: no entry for `{message}`")
    for fault in faults:
        print("FAILED:", fault)
    passed += len(found) - len(unmatched)
    print(f"#= {len(found)} messages, {len(wraps)} prefixes")
    print(f"{passed} passed, {len(faults)} failed")
    return bool(faults) or not found


if __name__ == "__main__":
    if "--list" in sys.argv:
        for said, places in sorted(messages(sys.argv[1])[0].items()):
            print(f"{said}\t{' '.join(places)}")
    else:
        sys.exit(check(sys.argv[1]))
