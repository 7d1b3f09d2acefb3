"""Connects a tenant to three providers that tools/fakeprovider plays, and checks what becomes of their history and of
what happens next. Usage: providers.py settings FAKE  prints what points the service at them
                          providers.py BASE_URL FAKE [--once]
FAKE is the file with the line that the fake printed. The operator token comes from POBLYSH_OPERATOR_TOKENS."""

import http.client
import json
import os
import sys
import time
import urllib.parse

ITEMS = 240
# What each has to live through, and how it is called in the table.
TROUBLE = {
    "github": ({"operation": "page", "skip": 1, "retry_after": 1}, "a 429, one second long"),
    "jira": ({"operation": "page", "skip": 1, "expire_token": True}, "a token that expires on the way"),
    "linear": ({"operation": "page", "skip": 1, "truncate": True}, "an answer cut in half"),
}


def request(method, url, body=None, headers=None):
    """Status, headers and document of one call; no redirect is followed."""
    target = urllib.parse.urlsplit(url)
    link = http.client.HTTPConnection(target.hostname, target.port, timeout=60)
    try:
        headers = {**(headers or {}), **({"Content-Type": "application/json"} if body is not None else {})}
        path = target.path + ("?" + target.query if target.query else "")
        link.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
        answer = link.getresponse()
        text = answer.read()
        return answer.status, answer.headers, json.loads(text) if text[:1] in (b"{", b"[") else text.decode()
    finally:
        link.close()


class Service:
    def __init__(self, base):
        self.base, self.token = base, os.environ["POBLYSH_OPERATOR_TOKENS"].split(",")[0]
        self.tenant = None
        self.tenant = self.call("POST", "/api/v1/tenants", {"name": "Demo"})["data"]["id"]

    def call(self, method, path, body=None):
        headers = {"Authorization": "Bearer " + self.token}
        if self.tenant:
            headers["X-Tenant-Id"] = self.tenant
        status, _, document = request(method, self.base + path, body, headers)
        if status >= 300:
            raise SystemExit(f"{method} {path}: {status} {document}")
        return document

    def rows(self, path, member, **query):
        rows, cursor = [], None
        while True:
            asked = {"limit": 100, **query, **({"cursor": cursor} if cursor else {})}
            page = self.call("GET", path + "?" + urllib.parse.urlencode(asked))
            rows += page[member]
            cursor = page["next_cursor"]
            if cursor is None:
                return rows

    def signals(self, provider):
        return self.rows("/signals", "signals", provider=provider)


class Fake:
    def __init__(self, told):
        self.control, self.bases = f"http://127.0.0.1:{told['port']}/control/", told["providers"]

    def tell(self, order, provider, **members):
        status, _, document = request("POST", self.control + order, {"provider": provider, **members})
        if status != 200:
            raise SystemExit(f"fakeprovider, {order}: {document}")
        return document

    def requests(self, provider, operation):
        _, _, document = request("GET", f"{self.control}requests?provider={provider}")
        return [row for row in document["requests"] if row["operation"] == operation]


def settings(told):
    for slug in TROUBLE:
        prefix = "POBLYSH_" + slug.upper()
        for name, value in (("CLIENT_ID", "demo"), ("CLIENT_SECRET", "demo-secret"),
                            ("OAUTH_BASE", told["providers"][slug]), ("API_BASE", told["providers"][slug])):
            print(f"{prefix}_{name}={value}")


def milliseconds(started):
    return f"{(time.monotonic() - started) * 1000:.0f} ms"


class Journey:
    """One provider, from the consent to the last signal. What is not as it should be goes into `off`."""

    def __init__(self, service, fake, provider, off):
        self.service, self.fake, self.provider, self.off = service, fake, provider, off

    def check(self, what, seen, wanted):
        if seen != wanted:
            self.off.append(f"{self.provider}: {what}: {seen}, expected {wanted}")

    def say(self, text, end="\n"):
        start = "\r\033[K" if sys.stdout.isatty() else ""
        print(f"{start}    {self.provider:<8}{text}", end=end, flush=True)

    def wait(self, what, wanted):
        """Until there are so many signals and no job is at work."""
        started = time.monotonic()
        while True:
            jobs = self.service.rows("/jobs", "jobs", provider=self.provider)
            done = all(job["status"] in ("succeeded", "failed") for job in jobs)
            seen = len(self.service.signals(self.provider))  # after the jobs: what the last one stored is among them
            if sys.stdout.isatty():
                self.say(f"{what}: {seen}/{wanted}", end="")
            if done or time.monotonic() - started > 60:
                self.check(f"jobs that did not succeed ({what})", [job["id"] for job in jobs if job["status"] != "succeeded"], [])
                self.check(f"signals ({what})", seen, wanted)
                return self.say(f"{what}: {seen} signals after {milliseconds(started)}")
            time.sleep(0.05)

    def connect(self):
        self.fake.tell("items", self.provider, count=ITEMS)
        fault, self.trouble = TROUBLE[self.provider]
        self.fake.tell("faults", self.provider, **fault)
        self.fake.tell("settings", self.provider, page_size=50)
        started = time.monotonic()
        url = self.service.call("POST", f"/connect/{self.provider}")["authorize_url"]
        _, headers, _ = request("GET", url)
        back = urllib.parse.urlsplit(headers["Location"])
        connection = self.service.call("GET", back.path + "?" + back.query)["connection"]
        self.say(f"connected as {connection['display_name']} in {milliseconds(started)}; on the way: {self.trouble}")
        return connection

    def happen(self, connection):
        """Six things happen. One webhook is lost, two are repeated, and they come in any order; the poll finds the rest."""
        for change in ({}, {}, {}, {"action": "updated", "number": 1}, {"action": "updated", "number": 2},
                       {"action": "closed", "number": 3}):
            self.fake.tell("change", self.provider, **change)
        secret = self.service.call("POST", f"/connections/{connection['id']}/webhook-secret")["webhook_secret"]
        url = f"{self.service.base}/webhooks/{self.provider}/{self.service.tenant}"
        sent = self.fake.tell("webhooks", self.provider, url=url, secret=secret, lose=1, duplicate=2, reorder=True)["sent"]
        self.check("answers to webhooks", sent, [202] * 7)
        told = len(self.service.signals(self.provider)) - ITEMS
        self.say(f"webhooks: {len(sent)} sent out of order, 1 lost, 2 repeated: {told} signals at once")
        return told

    def run(self):
        connection = self.connect()
        self.wait("backfill", ITEMS)
        told = self.happen(connection)
        self.service.call("POST", f"/sync/{self.provider}", {})
        self.wait("next sync", ITEMS + 6)
        rows = self.service.signals(self.provider)
        keys = {self.service.call("GET", "/signals/" + row["id"])["dedupe_key"].split(":", 2)[2] for row in rows}
        self.check("changes told more than once", len(rows) - len(keys), 0)
        return [self.provider, ITEMS, told, ITEMS + 6 - told - ITEMS, len(rows), len(self.fake.requests(self.provider, "page")),
                len(self.fake.requests(self.provider, "refresh")), self.trouble]


def main():
    with open(sys.argv[2], encoding="utf-8") as file:
        told = json.loads(file.readline())
    if sys.argv[1] == "settings":
        return settings(told)
    service, off = Service(sys.argv[1]), []
    print(f"\nthree providers, {ITEMS} items each, and six changes that come later")
    rows = [Journey(service, Fake(told), provider, off).run() for provider in TROUBLE]
    print(f"\n    {'provider':<10}{'backfill':>10}{'webhook':>10}{'poll':>8}{'signals':>10}{'pages':>8}{'refreshes':>11}   lived through")
    for provider, backfill, webhook, poll, signals, pages, refreshes, trouble in rows:
        print(f"    {provider:<10}{backfill:>10}{webhook:>10}{poll:>8}{signals:>10}{pages:>8}{refreshes:>11}   {trouble}")
    print("    every change is one signal, however often and by whichever way it was told")
    if off:
        raise SystemExit("\noff:\n" + "\n".join("  " + line for line in off))
    if "--once" not in sys.argv:
        url = service.base.replace("127.0.0.1", "localhost")
        print(f"""
  look next
    Swagger UI      {url}/docs
    demo tenant     {service.tenant}
    its signals     . data/demo.env; curl -H "Authorization: Bearer $POBLYSH_OPERATOR_TOKENS" -H 'X-Tenant-Id: {service.tenant}' {url}/signals
    the providers   docs/fakeprovider.md; {Fake(told).control}providers
""")
    return None


if __name__ == "__main__":
    main()
