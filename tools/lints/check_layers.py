#!/usr/bin/env python3
"""The arrows of docs/architecture.md: which layer may include what, and the calls a layer must not make."""

import re

from source import finding, main, sources, without_comments

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.M)
LAYERS = ("base", "domain", "config", "storage", "actors", "http")
MAY_INCLUDE = {
    "base": set(),
    "domain": {"base"},
    "config": {"base", "domain"},
    "storage": {"base", "domain"},
    "actors": {"base", "domain", "storage"},
    "http": {"base", "domain", "actors"},
}
CAF = r"caf/"
ASIO = r"boost/(asio|beast)(/|\.hpp)"
SQL = r"(pqxx(/|$)|sqlite3\.h$|libpq-fe\.h$)"
THREADS = r"(thread|mutex|shared_mutex|condition_variable|future|stop_token|semaphore|latch|barrier)$"
FORBIDDEN = {
    "base": [CAF, ASIO, SQL],
    "domain": [CAF, ASIO, SQL, r"spdlog/", THREADS],
    "config": [CAF, ASIO, SQL],
    "storage": [CAF, ASIO],
    "actors": [ASIO, SQL],
    "http": [SQL],
}
CAF_IN_HTTP = re.compile(r"^http/ask\.hpp$")
CLOCK = re.compile(r"(_clock\s*::\s*now|\bnow_utc\s*\(|\bstd::time\s*\(|\bgettimeofday\s*\()")


def may_include(layer, name, header):
    if header.startswith("generated/"):
        return True
    target = header.split("/")[0]
    if target not in LAYERS or target == layer:
        return True
    if layer == "http" and target == "actors":
        return header.startswith("actors/protocol/")
    return target in MAY_INCLUDE[layer]


def check(root):
    found = []
    for layer in LAYERS:
        for path in sources(root, layer):
            name = str(path.relative_to(root))
            text = without_comments(path.read_text())
            for match in INCLUDE.finditer(text):
                header = match.group(1) or match.group(2)
                what = None
                if not may_include(layer, name, header):
                    what = f"{layer} must not include {header}"
                elif header == "caf/all.hpp" and name != "http/ask.hpp":
                    what = "caf/all.hpp costs seconds a file: include what is used"
                elif header.startswith("spdlog/") and name != "base/log.cpp":
                    what = "logs go through base/log.hpp"
                elif layer == "http" and re.match(CAF, header) and not CAF_IN_HTTP.match(name):
                    what = "CAF in http stands in ask.hpp only"
                elif any(re.match(pattern, header) for pattern in FORBIDDEN[layer]):
                    what = f"{layer} must not include {header}"
                if what:
                    found.append(finding(root, path, text, match.start(), what))
            if layer == "domain":
                for match in CLOCK.finditer(without_comments(text, strings=False)):
                    found.append(finding(root, path, text, match.start(), "domain reads no clock: time is an argument"))
    return found


if __name__ == "__main__":
    main(check)
