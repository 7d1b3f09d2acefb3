"""The providers of tools/fakeprovider for a suite: the service is pointed at them, and tenants connect as users do."""

import http.client
import json
import os
import subprocess
import sys
import urllib.parse
import uuid

from harness import Answer, Service, Suite

PROGRAM = os.path.join(os.path.dirname(__file__), "..", "..", "tools", "fakeprovider")
OAUTH = ["example", "github", "gitlab", "gmail", "google-calendar", "google-drive", "jira", "linear", "slack", "zoho-mail"]


def fetch(method, url, document=None, form=None, headers=None):
    """One request, as a browser that follows nothing."""
    target, headers, body = urllib.parse.urlsplit(url), dict(headers or {}), None
    if document is not None:
        headers["Content-Type"], body = "application/json", json.dumps(document)
    elif form is not None:
        headers["Content-Type"], body = "application/x-www-form-urlencoded", urllib.parse.urlencode(form)
    link = http.client.HTTPConnection(target.hostname, target.port, timeout=30)
    try:
        link.request(method, target.path + ("?" + target.query if target.query else ""), body=body, headers=headers)
        answer = link.getresponse()
        return Answer(answer.status, answer.headers, answer.read())
    finally:
        link.close()


class Zoo:
    def __init__(self, seed=1):
        self.process = subprocess.Popen([sys.executable, "-B", PROGRAM, "--seed", str(seed)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE)
        told = json.loads(self.process.stdout.readline())
        self.control, self.bases = f"http://127.0.0.1:{told['port']}/control/", told["providers"]

    def close(self):
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()

    def settings(self):
        """What makes the service take these for the providers."""
        out = {}
        for slug in OAUTH:
            prefix = slug.upper().replace("-", "_")
            out.update({prefix + "_CLIENT_ID": slug + "-client", prefix + "_CLIENT_SECRET": slug + "-client-secret-canary",
                        prefix + "_OAUTH_BASE": self.bases[slug], prefix + "_API_BASE": self.bases[slug]})
        return out

    def ask(self, name, **query):
        answer = fetch("GET", self.control + name + "?" + urllib.parse.urlencode(query))
        assert answer.status == 200, answer
        return answer.json

    def tell(self, name, **order):
        answer = fetch("POST", self.control + name, order)
        assert answer.status == 200, answer
        return answer.json

    def requests(self, provider, operation=None, account=None):
        rows = self.ask("requests", provider=provider)["requests"]
        return [row for row in rows if operation in (None, row["operation"]) and account in (None, row["account"])]

    def reuse_detected(self, provider):
        return self.ask("requests", provider=provider)["reuse_detected"]


class ZooSuite(Suite):
    """A suite whose tests each have a tenant and accounts of their own at every provider."""

    @classmethod
    def setUpClass(cls):
        cls.zoo = Zoo()
        cls.addClassCleanup(cls.zoo.close)
        cls.service = Service(**{**cls.zoo.settings(), **cls.settings})
        cls.addClassCleanup(cls.service.close)
        cls.service.start()

    @classmethod
    def tearDownClass(cls):
        pass  # the cleanups do, and also when the start failed

    def setUp(self):
        super().setUp()
        self.person = "p" + uuid.uuid4().hex[:10]
        for provider in self.zoo.bases:
            self.zoo.tell("heal", provider=provider)

    def authorize(self, provider, tenant=None, person=None):
        """From POST /connect to the address that the provider sends the browser to."""
        answer = self.call("POST", f"/connect/{provider}", tenant=tenant or self.tenant)
        self.assertEqual(answer.status, 200, answer)
        consent = fetch("GET", answer.json["authorize_url"] + "&account=" + (person or self.person))
        self.assertEqual(consent.status, 302, consent)
        return consent.headers["Location"]

    def callback(self, location):
        target = urllib.parse.urlsplit(location)
        return self.service.call("GET", target.path + "?" + target.query, token=None, timeout=60)

    def consent(self, provider, tenant=None, person=None):
        """A connection made by a user who consents."""
        answer = self.callback(self.authorize(provider, tenant, person))
        self.assertEqual(answer.status, 200, answer)
        return answer.json["connection"]

    def tell(self, order, provider, person=None, **members):
        return self.zoo.tell(order, provider=provider, account=person or self.person, **members)

    def connection(self, row, tenant=None):
        return self.get("/connections/" + row["id"], tenant=tenant or self.tenant)

    def sync(self, provider, tenant=None, **body):
        answer = self.call("POST", f"/sync/{provider}", body, tenant=tenant or self.tenant)
        self.assertEqual(answer.status, 202, answer)
        return answer.json

    def job(self, job_id, tenant=None):
        return self.get("/jobs/" + job_id, tenant=tenant or self.tenant)
