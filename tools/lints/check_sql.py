#!/usr/bin/env python3
"""SQL stands in storage, as literals: values travel as parameters, never as text."""

import re

from source import finding, main, sources, without_comments

STATEMENT = r"(?:SELECT\s|INSERT\s+(?:OR\s+\w+\s+)?INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|CREATE\s+TABLE\s|DROP\s+TABLE\s)"
LITERAL = re.compile(r'"(?:\\.|[^"\\\n])*"|R"(\w*)\(.*?\)\1"', re.S)
SQL = re.compile(STATEMENT)
FRAGMENT = re.compile(STATEMENT + r"|\b(?:WHERE|VALUES|ORDER BY|AND|LIMIT)\b|\bSET\s+\w+\s*=")
# Text that is joined to SQL must be text of ours: a list of columns, a clause chosen from literals.
OURS = re.compile(r"\b(?:\w*columns|\w*clause|\w*where|\w*order|\w*sql|\w*placeholders)\w*(?:\(|\b)")
JOIN_AFTER = re.compile(r"\s*\+=?\s*([\w.:>()\[\]-]*)")
JOIN_BEFORE = re.compile(r"([\w.:>()\[\]-]*)\s*\+\s*(?:std::string\s*[({]\s*)?$")
FORMAT = re.compile(r"(?:std::|fmt::|absl::)?(?:format|sprintf|snprintf|StrCat)\s*\([^\"]*$")


def joined(text, match):
    """What stands on either side of a `+` next to the literal, when that is not text of ours."""
    after = JOIN_AFTER.match(text, match.end())
    before = JOIN_BEFORE.search(text[max(0, match.start() - 80):match.start()])
    for side in (after, before):
        if side:
            operand = side.group(1)
            if operand and not operand.startswith('"') and not OURS.search(operand):
                return operand
    return None


def check(root):
    found = []
    for path in sources(root, "base", "domain", "config", "actors", "http", "main.cpp", "serve.cpp"):
        text = without_comments(path.read_text())
        for match in LITERAL.finditer(text):
            if SQL.search(match.group()):
                found.append(finding(root, path, text, match.start(), "SQL outside storage"))
    for path in sources(root, "storage"):
        text = without_comments(path.read_text())
        for match in LITERAL.finditer(text):
            if not FRAGMENT.search(match.group()):
                continue
            operand = joined(text, match)
            if operand:
                found.append(finding(root, path, text, match.start(), f"SQL joined with a value: {operand}"))
            elif FORMAT.search(text[max(0, match.start() - 60):match.start()]):
                found.append(finding(root, path, text, match.start(), "SQL made by a format function"))
    return found


if __name__ == "__main__":
    main(check)
