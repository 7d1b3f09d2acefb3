#!/usr/bin/env python3
"""Every CAF request has a deadline; the one infinite wait is named and watched (actors: guarded_by_watchdog)."""

import re

from source import finding, main, sources, without_comments

INFINITE = re.compile(r"\b(caf::)?infinite\b")
THE_ONE = re.compile(r"\bguarded_by_watchdog\s*(=\s*|\{\s*)caf::infinite\b")
REQUEST = re.compile(r"(->|\.)\s*request\s*\(")
# A deadline names itself: a duration literal, or a value whose name says that it bounds a wait.
DEADLINE = re.compile(r"\d(ms|s|min)\b|seconds\s*[({]|minutes\s*[({]|deadline|timeout|left|remaining|patience|\bwait\b|guarded_by_watchdog")


def arguments(text, start):
    """The top-level arguments of the call whose opening bracket ends at `start`."""
    depth, begin, found = 1, start, []
    for at in range(start, len(text)):
        character = text[at]
        if character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
            if depth == 0:
                found.append(text[begin:at])
                return found
        elif character == "," and depth == 1:
            found.append(text[begin:at])
            begin = at + 1
    return found


def check(root):
    found = []
    for path in sources(root, "actors", "http", "main.cpp", "serve.cpp"):
        text = without_comments(path.read_text(), strings=False)
        allowed = [match.span() for match in THE_ONE.finditer(text)]
        for match in INFINITE.finditer(text):
            if not any(first <= match.start() < last for first, last in allowed):
                found.append(finding(root, path, text, match.start(), "an infinite wait"))
        for match in REQUEST.finditer(text):
            given = arguments(text, match.end())
            if len(given) > 1 and not DEADLINE.search(given[1]):
                found.append(finding(root, path, text, match.start(), f"a request without a deadline: {given[1].strip()}"))
    return found


if __name__ == "__main__":
    main(check)
