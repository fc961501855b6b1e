#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""schema.py NAME FILE: is each JSON document of FILE what one of docs/schema/*.schema.json calls NAME?

Stricter than the schema, which lets members be added: one that it does not describe is to be described. Prints what
is wrong; the last line is the number of documents that are right."""

import glob
import json
import os
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCHEMAS = os.path.join(TOP, "docs/schema/*.schema.json")


def validator():
    """jsonschema is Debian's python3-jsonschema, which another python3 may not see."""
    try:
        import jsonschema
    except ImportError:
        if sys.executable == "/usr/bin/python3":
            raise
        os.execv("/usr/bin/python3", ["python3", *sys.argv])
    return jsonschema.Draft202012Validator


def strict(schema):
    if isinstance(schema, list):
        return [strict(s) for s in schema]
    if not isinstance(schema, dict):
        return schema
    out = {k: strict(v) for k, v in schema.items()}
    if isinstance(out.get("properties"), dict) and "required" in out:
        out.setdefault("additionalProperties", False)
    return out


def schema_of(name):
    for path in sorted(glob.glob(SCHEMAS)):
        with open(path, encoding="utf-8") as f:
            schema = json.load(f)
        if name in schema["$defs"]:
            return schema
    sys.exit(f"no schema has {name}")


def documents(text):
    decoder = json.JSONDecoder()
    while text.strip():
        text = text.lstrip()
        value, end = decoder.raw_decode(text)
        yield value
        text = text[end:]


def main():
    check = validator()
    schema = schema_of(sys.argv[1])
    check.check_schema(schema)
    with open(sys.argv[2], encoding="utf-8") as f:
        found = list(documents(f.read()))
    right = 0
    for rules in (schema, strict({"$ref": "#/$defs/" + sys.argv[1], "$defs": schema["$defs"]})):
        right = 0
        for document in found:
            wrong = list(check(rules).iter_errors(document))
            for error in wrong:
                print(f"{error.json_path}: {error.message}"[:500])
            right += not wrong
    print(right)


main()
