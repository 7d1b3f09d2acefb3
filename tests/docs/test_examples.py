"""Every HTTP example of the documentation, executed in the order of its page against the real binary."""

import hashlib
import hmac
import os
import subprocess
import sys
import urllib.parse

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path[:0] = [os.path.join(ROOT, "tests", "e2e")]

import harness  # noqa: E402
from examples import Comparison, Message, examples  # noqa: E402
from harness import OPERATOR  # noqa: E402
from zoo import ZooSuite, fetch  # noqa: E402

TENANT = "7f3b8f0e-6c0a-4f7e-9a52-1f0f4a6f2c11"  # on every page; this run has one of its own


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def pages():
    """Every page with a request on it."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [path for path in listed.stdout.split() if "```http" in read(path)]


class Page:
    """One page, read from top to bottom by somebody who does what it says."""

    def __init__(self, suite, path):
        self.suite, self.path = suite, path
        self.examples = examples(read(path))
        self.compare = Comparison()
        self.compare.real[TENANT] = suite.tenant
        self.authorize_url = self.last_target = self.secret = self.token = None

    def run(self):
        """How many examples there were."""
        for e in self.examples:
            with self.suite.subTest(f"{self.path}:{e.request.line}"):
                self.execute(e)
        return len(self.examples)

    def execute(self, e):
        answer = self.send(e.request)
        self.suite.assertEqual(answer.status, e.answer.status, answer)
        for name, shown in e.answer.headers.items():
            self.suite.assertEqual(answer.headers[name], shown)
        if e.answer.body:
            self.suite.assertEqual(self.compare.differences(e.answer.json, answer.json), [], answer)
        self.remember(answer)

    def remember(self, answer):
        document = answer.json if answer.body else {}
        self.authorize_url = document.get("authorize_url", self.authorize_url)
        self.secret = document.get("webhook_secret", self.secret)
        if "cdt_" in str(document.get("data", "")):
            self.token = document["data"]["secret"]

    def send(self, m: Message):
        method, target, _ = m.first
        target = self.compare.resolved(target)
        headers = {k: self.compare.resolved(v) for k, v in m.headers.items()}
        for name, token in (("$OPERATOR_TOKEN", OPERATOR), ("$TENANT_TOKEN", self.token)):
            headers = {k: v.replace(name, token or name) for k, v in headers.items()}
        body = self.compare.resolved(m.body).encode() or None
        verb = (m.note or "").partition(" ")[0]
        if verb == "consent":
            target = self.consent()
        elif verb == "again":
            target = self.last_target
        elif verb == "signed":
            headers["X-Hub-Signature-256"] = "sha256=" + hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
        self.last_target = target
        return self.suite.service.call(method, target, body, token=None, headers=headers)

    def consent(self):
        away = fetch("GET", self.authorize_url + "&account=" + self.suite.person)
        self.suite.assertEqual(away.status, 302, away)
        back = urllib.parse.urlsplit(away.headers["Location"])
        return back.path + "?" + back.query


class Documentation(ZooSuite):
    def test_every_example_does_what_its_page_shows(self):
        executed = {}
        for path in pages():
            self.tenant = self.new_tenant()
            executed[path] = Page(self, path).run()
        print(f"{sum(executed.values())} examples on {len(executed)} pages")
        self.assertEqual({path: 2 * count for path, count in executed.items()}, {path: read(path).count("```http") for path in executed})
        self.assertLessEqual({"docs/integration/connectors-service.md", "docs/tracker.md", "docs/runbooks/StoreErrors.md"}, set(executed))


if __name__ == "__main__":
    harness.main()
