#!/usr/bin/env python3
"""Each lint is shown code that it must refuse and code that it must let pass."""

import pathlib
import tempfile
import unittest

import check_layers
import check_provider_names
import check_requests
import check_sql


def findings(check, path, text):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder).resolve()
        file = root / path
        file.parent.mkdir(parents=True)
        file.write_text(text)
        return check(root)


class Lints(unittest.TestCase):
    def refuses(self, lint, path, *texts):
        for text in texts:
            with self.subTest(text):
                self.assertEqual(len(findings(lint.check, path, text)), 1)

    def allows(self, lint, path, *texts):
        for text in texts:
            with self.subTest(text):
                self.assertEqual(findings(lint.check, path, text), [])

    def test_layers(self):
        self.refuses(check_layers, "base/a.hpp", '#include "domain/ids.hpp"')
        self.refuses(check_layers, "domain/a.hpp", '#include "storage/session.hpp"', "#include <caf/actor.hpp>",
                     "#include <mutex>", "auto t = std::chrono::steady_clock::now();", "f(now_utc());")
        self.refuses(check_layers, "storage/a.cpp", '#include "config/settings.hpp"', "#include <boost/asio.hpp>")
        self.refuses(check_layers, "actors/a.cpp", "#include <sqlite3.h>", "#include <caf/all.hpp>",
                     "#include <boost/asio/io_context.hpp>", '#include "http/server.hpp"', "#include <spdlog/spdlog.h>")
        self.refuses(check_layers, "http/a.cpp", '#include "actors/tenant.hpp"', "#include <pqxx/pqxx>",
                     "#include <caf/actor_system.hpp>", '#include "storage/session.hpp"')
        self.allows(check_layers, "http/ask.hpp", "#include <caf/actor_system.hpp>",
                    '#include "actors/protocol/tenant.hpp"')
        self.allows(check_layers, "domain/a.cpp", '// #include "http/a.hpp"', '#include "base/time.hpp"',
                    "// never steady_clock::now()")
        self.allows(check_layers, "storage/a.cpp", "#include <pqxx/pqxx>", "#include <sqlite3.h>")
        self.allows(check_layers, "base/log.cpp", "#include <spdlog/spdlog.h>")

    def test_provider_names(self):
        self.refuses(check_provider_names, "http/a.cpp", 'if (p == "github") {}', "int slack_tolerance;", "// as gmail does",
                     'x == "linear"', '"X-Example-Signature"')
        self.allows(check_provider_names, "domain/a.cpp", "// a linear search", "// for example", "int slackened;")
        self.allows(check_provider_names, "config/providers/a.yaml", "name: github")

    def test_requests(self):
        self.refuses(check_requests, "actors/a.cpp", "self->request(store, x, m);",
                     "auto t = caf::infinite;", "self_->request(gate(1, 2), forever, m)")
        self.allows(check_requests, "actors/a.cpp", "self->request(store, 5s, m);", "self->request(f(a, b), meta.deadline, m);",
                    "constexpr auto guarded_by_watchdog = caf::infinite;", "http.request();", "// caf::infinite")

    def test_sql(self):
        self.refuses(check_sql, "http/a.cpp", 'run("SELECT 1");', 'auto s = R"(DELETE FROM t)";')
        self.refuses(check_sql, "storage/a.cpp", 'run("SELECT a FROM t WHERE id = " + id);', 'sql += name + " ORDER BY id";',
                     'std::format("SELECT {}", x)')
        self.allows(check_sql, "storage/a.cpp", 'run("SELECT a FROM t WHERE id = $1", id);',
                    'auto s = "SELECT " + columns + " FROM t";', '// "SELECT " + id')
        self.allows(check_sql, "http/a.cpp", 'say("select a row");')


if __name__ == "__main__":
    unittest.main()
