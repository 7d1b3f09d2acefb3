"""The OpenAPI document from the outside: linted, compared with the last release, and used by a generated client."""

import copy
import email.message
import json
import os
import shutil
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path[:0] = [os.path.join(ROOT, "tests", "e2e")]

import harness  # noqa: E402
from breaking import breaking  # noqa: E402
from harness import OPERATOR  # noqa: E402
from zoo import ZooSuite  # noqa: E402

TOOLS = os.path.join(ROOT, "tests", "docs", "openapi")
EXAMPLE = os.path.join(ROOT, "docs", "examples", "core-backend")
RELEASED = os.path.join(ROOT, "docs", "openapi-released.json")


def run(*command, cwd, **environment):
    ran = subprocess.run(command, cwd=cwd, env={**os.environ, "REDOCLY_TELEMETRY": "off", **environment},
                         capture_output=True, text=True, timeout=280)
    return ran.returncode, ran.stdout + ran.stderr


def install(folder):
    """The pinned packages, when they are not there yet."""
    mark, lock = os.path.join(folder, "node_modules", ".package-lock.json"), os.path.join(folder, "package-lock.json")
    if os.path.exists(mark) and os.path.getmtime(mark) > os.path.getmtime(lock):
        return
    status, said = run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", cwd=folder)
    assert status == 0, said


class Contract(ZooSuite):
    def document(self):
        return self.service.call("GET", "/openapi.json", token=None).json

    def test_a_linter_finds_nothing(self):
        install(TOOLS)
        path = os.path.join(self.service.folder, "openapi.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(self.document(), f)
        status, said = run("npx", "redocly", "lint", "--config", "redocly.yaml", "--format", "stylish", path, cwd=TOOLS)
        self.assertEqual(status, 0, said)
        self.assertNotIn("warning", said.lower().replace("deprecation warning", ""))

    def test_nothing_that_was_released_breaks(self):
        with open(RELEASED, encoding="utf-8") as f:
            self.assertEqual(breaking(json.load(f), self.document()), [])

    def test_the_comparison_sees_what_breaks(self):
        old = self.document()

        def changed(change):
            new = copy.deepcopy(old)
            change(new)
            return breaking(old, new)

        self.assertEqual(changed(lambda d: None), [])
        self.assertEqual(changed(lambda d: d["paths"].pop("/signals")), ["GET /signals is gone"])
        connection = lambda d: d["components"]["schemas"]["Connection"]
        self.assertTrue(changed(lambda d: connection(d)["properties"].pop("status")))
        self.assertTrue(changed(lambda d: connection(d)["properties"]["provider"].update(type="integer")))
        self.assertTrue(changed(lambda d: d["components"]["schemas"]["CreateTenant"]["required"].append("slug")))
        listed = lambda d: d["paths"]["/connections"]["get"]
        self.assertTrue(changed(lambda d: listed(d)["parameters"].append({"name": "x", "in": "query", "required": True})))
        self.assertEqual(changed(lambda d: connection(d)["properties"].update(more={"type": "string"})), [])

    def test_every_answer_is_held_against_the_document(self):
        healthy = self.service.call("GET", "/healthz", token=None)
        refused = self.service.call("GET", "/connections", token=None)
        see = harness.contract().objections

        def answered(answer, status=None, body=None, **headers):
            message = email.message.Message()
            for name, value in {**answer.headers, **headers}.items():
                message[name] = value
            return harness.Answer(status or answer.status, message, answer.body if body is None else json.dumps(body).encode())

        self.assertEqual(see("GET", "/healthz", answered(healthy)), [])
        self.assertEqual(see("GET", "/connections", answered(refused)), [])
        for wrong in (answered(healthy, status=418), answered(healthy, body={}), answered(healthy, body={**healthy.json, "more": 1}),
                      answered(healthy, **{"Content-Type": "text/plain"}), answered(refused, **{"x-trace-id": "another"})):
            with self.subTest(wrong):
                self.assertNotEqual(see("GET", "/healthz", wrong), [])
        self.assertNotEqual(see("GET", "/connections", answered(refused, body={**refused.json, "code": "NEW_CODE"})), [])
        self.assertNotEqual(see("DELETE", "/connections", healthy), [])

    def test_every_request_that_was_taken_is_held_against_it_too(self):
        see = harness.contract().objections_to_request
        self.assertEqual(see("POST", "/connections", {"provider": "example", "external_id": "x", "more": 1}), [])
        self.assertNotEqual(see("POST", "/connections", {"provider": "example"}), [])
        self.assertNotEqual(see("POST", "/connections", {"provider": 1, "external_id": "x"}), [])

    def test_a_generated_client_takes_the_whole_journey(self):
        install(EXAMPLE)
        work = os.path.join(self.service.folder, "core-backend")
        shutil.copytree(EXAMPLE, work, ignore=shutil.ignore_patterns("node_modules", "dist", "connectors.d.ts"))
        os.symlink(os.path.join(EXAMPLE, "node_modules"), os.path.join(work, "node_modules"))
        with open(os.path.join(work, "openapi.json"), "w", encoding="utf-8") as f:
            json.dump(self.document(), f)
        for command in (("npm", "run", "-s", "generate"), ("npm", "run", "-s", "build")):
            status, said = run(*command, cwd=work)
            self.assertEqual(status, 0, said)
        status, said = run("node", "--test", "dist/journey_test.js", cwd=work, CONNECTORS_URL=f"http://127.0.0.1:{self.service.port}",
                           OPERATOR_TOKEN=OPERATOR, PROVIDERS_CONTROL=self.zoo.control)
        self.assertEqual(status, 0, said)
        self.assertRegex(said, r"pass [5-9]")


if __name__ == "__main__":
    harness.main()
