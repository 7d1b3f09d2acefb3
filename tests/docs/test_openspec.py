"""The specs are well-formed, and the tests that they say hold them true are there."""

import glob
import os
import re
import subprocess
import sys
import unittest

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
TOOLS = os.path.join(ROOT, "tests", "docs", "openapi")
CAPABILITIES = {"api-core", "auth", "connections", "webhooks", "signals", "jobs", "connectors", "normalization", "sync-engine",
                "crypto", "tracker", "tracker-dashboard", "observability", "tenant-mapping", "signals-ux", "integration-guide"}

sys.path[:0] = [os.path.dirname(__file__), os.path.join(ROOT, "tests", "e2e")]

from test_contract import install  # noqa: E402


def specs():
    for path in sorted(glob.glob(os.path.join(ROOT, "docs", "openspec", "specs", "*", "spec.md"))):
        with open(path, encoding="utf-8") as f:
            yield os.path.basename(os.path.dirname(path)), f.read()


def is_there(test):
    path, _, name = test.partition("::")
    if not os.path.isfile(os.path.join(ROOT, path)):
        return False
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return not name or re.search(rf"def {re.escape(name)}\(", f.read()) is not None


class OpenSpec(unittest.TestCase):
    def test_there_is_one_for_each_capability(self):
        self.assertEqual({name for name, _ in specs()}, CAPABILITIES)

    def test_each_scenario_names_tests_that_are_there(self):
        for name, text in specs():
            scenarios = text.split("#### Scenario: ")[1:]
            self.assertTrue(scenarios)
            for scenario in scenarios:
                held = re.search(r"^Held by: (.+)$", scenario, re.M)
                with self.subTest(spec=name, scenario=scenario.splitlines()[0]):
                    self.assertIsNotNone(held)
                    tests = re.findall(r"`([^`]+)`", held[1])
                    self.assertEqual([t for t in tests if not is_there(t)], [])

    def test_they_are_valid(self):
        major, minor = map(int, re.match(r"v(\d+)\.(\d+)", subprocess.run(["node", "--version"], capture_output=True, text=True).stdout).groups())
        if (major, minor) < (20, 19):
            self.skipTest("openspec needs node 20.19")
        install(TOOLS)
        ran = subprocess.run([os.path.join(TOOLS, "node_modules", ".bin", "openspec"), "validate", "--strict", "--all"],
                             cwd=os.path.join(ROOT, "docs"), env={**os.environ, "OPENSPEC_TELEMETRY": "0"}, capture_output=True, text=True)
        self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        self.assertIn("0 failed", ran.stdout)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
