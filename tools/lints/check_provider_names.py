#!/usr/bin/env python3
"""The core knows no provider by name: what is special about one stands in config/providers/*.yaml."""

import re

from source import finding, main, sources

CORE = ("base", "domain", "storage", "actors", "http", "config", "main.cpp", "serve.cpp")
# "linear" and "example" are English too: only the slug as a literal, or a header or key made from it, counts.
NAME = re.compile(
    r"github|gitlab|atlassian|\bjira|jira\b|\bslack\b|slack[_-]|gmail|google|zoho|cliq"
    r"|\"linear\"|linear[-_](signature|delivery)|\"example\"|x-example-",
    re.I,
)
# By contract the tracker has an enumeration of providers, whose words clients send, and gates are of one provider.
NAMED = re.compile(r"^domain/tracker/|^actors/(protocol|tracker)/gates\.|^http/routes/gates\.cpp$")


def check(root):
    found = []
    for path in sources(root, *CORE):
        if NAMED.match(str(path.relative_to(root))):
            continue
        text = path.read_text()
        for match in NAME.finditer(text):
            found.append(finding(root, path, text, match.start(), f"the core names a provider: {match.group()}"))
    return found


if __name__ == "__main__":
    main(check)
