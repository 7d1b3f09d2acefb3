"""The authorization servers of tests/oauth for a suite: definitions that name them, and a browser that fills in their forms."""

import base64
import http.cookiejar
import json
import os
import re
import string
import subprocess
import urllib.error
import urllib.parse
import urllib.request
import uuid

import harness
from harness import Service, Suite
from zoo import fetch

PROGRAM = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oauth", "run")
DEFINITION = string.Template("""\
slug: $slug
version: 1.0.0
display_name: $slug
auth_type: oauth2
scopes:
  default: [openid, offline_access, "items:read"]
oauth:
  authorize_url: https://issuer.example$authorize
  token_url: https://issuer.example/token
  issuer: https://issuer.example
  authorize_params: {prompt: consent}
  pkce: required
  client_auth: $auth
  refresh: single_use
  revoke: {method: POST, url: "https://issuer.example$revoke", auth: $auth}
  account:
    calls:
      - {name: me, method: GET, url: "https://issuer.example$account"}
    external_id: "{me.sub}"
    display_name: "{me.sub}"
sync:
  shapes:
    item:
      entity: "{id}"
      occurred_at: {rfc3339: updated_at}
      title: "{title}"
  streams:
    - name: items
      request:
        url: https://issuer.example/items
        query: {since: "{since}", page: "{page}"}
      page: {style: token, token: next}
      records: items
      cursor: {name: since, newest: {rfc3339: updated_at}}
      rules:
        - {kind: issue_updated, as: item}
""")
RECORDING = {"connection": {"external_id": "p", "metadata": {}}, "answers": [
    {"status": 200, "headers": {}, "body": {"next": None, "items": [
        {"id": "i-1", "title": "One", "updated_at": "2026-01-02T03:04:05Z"}]}}]}
OIDC = {"server": "oidc", "authorize": "/auth", "revoke": "/token/revocation", "account": "/me"}
PROVIDERS = {
    "oidc-basic": {**OIDC, "auth": "basic"},
    "oidc-post": {**OIDC, "auth": "body"},
    "mock": {"server": "mock", "authorize": "/authorize", "revoke": "/revoke", "account": "/userinfo", "auth": "basic"},
}


def redirect_of(provider):
    return f"http://localhost:8080/connect/{provider}/callback"  # the default of PUBLIC_BASE_URL


class Issuers:
    def __init__(self):
        redirects = json.dumps({provider: redirect_of(provider) for provider in PROVIDERS})
        self.process = subprocess.Popen([PROGRAM, redirects], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL)
        told = json.loads(self.process.stdout.readline())
        self.origins, self.clients = told["origins"], told["clients"]

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def origin_of(self, provider):
        return self.origins[PROVIDERS[provider]["server"]]

    def settings(self):
        out = {"PROVIDERS_DIR": "providers"}
        for provider in PROVIDERS:
            prefix, client = provider.upper().replace("-", "_"), self.clients[provider]
            out.update({prefix + "_CLIENT_ID": client["id"], prefix + "_CLIENT_SECRET": client["secret"],
                        prefix + "_OAUTH_BASE": self.origin_of(provider), prefix + "_API_BASE": self.origin_of(provider)})
        return out

    def order(self, name, **members):
        answer = fetch("POST", f"{self.origins['oidc']}/control/{name}", members)
        assert answer.status == 200, answer
        return answer.json

    def calls(self, provider, grant_type="refresh_token"):
        """What came to the token endpoint for this client, once it is answered."""
        mine = [row for row in self.order("seen")["seen"] if row.get("client") == self.clients[provider]["id"]]
        return [row for row in mine if row["body"].get("grant_type") == grant_type]

    def present(self, provider, **form):
        """As a thief who has the client's credentials does."""
        client, headers = self.clients[provider], {}
        if PROVIDERS[provider]["auth"] == "basic":
            pair = ":".join(urllib.parse.quote_plus(client[part]) for part in ("id", "secret"))
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        else:
            form.update(client_id=client["id"], client_secret=client["secret"])
        return fetch("POST", self.origin_of(provider) + "/token", form=form, headers=headers)


class Browser:
    """Follows redirects within one origin, keeps cookies, and submits forms."""

    class Halt(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    def __init__(self, origin):
        self.origin = origin
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(self.Halt, cookies)

    def visit(self, url, form=None):
        """(where it ended, the page); the page is None when that is elsewhere."""
        while url.startswith(self.origin):
            data = urllib.parse.urlencode(form).encode() if form else None
            try:
                with self.opener.open(url, data, timeout=20) as answer:
                    return url, answer.read().decode()
            except urllib.error.HTTPError as e:
                with e:
                    if e.code not in (302, 303):
                        return url, e.read().decode()
                    url, form = urllib.parse.urljoin(url, e.headers["Location"]), None
        return url, None

    def submit(self, url, page, **filled):
        action = re.search(r'<form[^>]*action="([^"]+)"', page)[1]
        hidden = dict(re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]+)"[^>]*value="([^"]*)"', page))
        return self.visit(urllib.parse.urljoin(url, action), {**hidden, **filled})

    def abort(self, url, page):
        return self.visit(urllib.parse.urljoin(url, re.search(r'href="([^"]+/abort)"', page)[1]))


class IssuerSuite(Suite):
    """A suite whose tests each have a tenant and a person of their own."""

    @classmethod
    def setUpClass(cls):
        cls.issuers = Issuers()
        cls.addClassCleanup(cls.issuers.close)
        cls.service = cls.new_service()
        cls.service.start()

    @classmethod
    def tearDownClass(cls):
        pass  # the cleanups do, and also when the start failed

    @classmethod
    def new_service(cls):
        service = Service(**{**cls.issuers.settings(), **cls.settings})
        cls.addClassCleanup(service.close)
        for slug, facts in PROVIDERS.items():
            recordings = os.path.join(service.folder, "providers", "fixtures", slug, "sync")
            os.makedirs(recordings)
            with open(os.path.join(recordings, "one_page.json"), "w", encoding="utf-8") as file:
                json.dump(RECORDING, file)
            path = os.path.join("providers", slug + ".yaml")
            with open(os.path.join(service.folder, path), "w", encoding="utf-8") as file:
                file.write(DEFINITION.substitute(facts, slug=slug))
            done = harness.run("providers", "accept", path, cwd=service.folder)
            assert done.returncode == 0, done.stderr
        return service

    def setUp(self):
        super().setUp()
        self.person = "p" + uuid.uuid4().hex[:10]
        self.issuers.order("release")
        self.issuers.order("mock")
        self.issuers.order("lifetime", seconds=3600)

    def authorize(self, provider):
        answer = self.call("POST", f"/connect/{provider}")
        self.assertEqual(answer.status, 200, answer)
        return answer.json["authorize_url"]

    def consent(self, provider):
        """From POST /connect over the server's forms to where it sends the browser."""
        browser = Browser(self.issuers.origin_of(provider))
        at, page = browser.visit(self.authorize(provider))
        if page is not None:
            at, page = browser.submit(at, page, login=self.person, password="any")
            at, page = browser.submit(at, page)
        self.assertIsNone(page)
        return at

    def callback(self, location, **changes):
        target = urllib.parse.urlsplit(location)
        query = {**dict(urllib.parse.parse_qsl(target.query)), **changes}
        return self.service.call("GET", target.path, token=None, query=query, timeout=60)

    def connected(self, provider):
        answer = self.callback(self.consent(provider))
        self.assertEqual(answer.status, 200, answer)
        return answer.json["connection"]

    def connection(self, row):
        return self.get("/connections/" + row["id"])

    def refresh(self, row, service=None):
        return (service or self.service).call("POST", f"/connections/{row['id']}/refresh", tenant=self.tenant, timeout=60)

    def sync(self, row):
        answer = self.call("POST", f"/sync/{row['provider']}", {"connection_id": row["id"]})
        self.assertEqual(answer.status, 202, answer)
        return answer.json["job_id"]

    def quiet(self):
        """No job is queued or running."""
        return not [job for job in self.get("/jobs")["jobs"] if job["status"] in ("queued", "running")]
