"""docs/adding-a-provider.md, to the letter: its files and its commands, against a desk that is played here."""

import base64
import hashlib
import hmac
import http.client
import http.server
import json
import os
import re
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

import harness
from harness import OPERATOR, Service, eventually

PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "adding-a-provider.md")
TICKET = {"id": 7, "title": "No toner", "status": "open", "updated_at": "2025-05-06T07:08:09Z"}


def blocks():
    """(file name in the paragraph above, or None; language; text) of every fenced block."""
    with open(PAGE, encoding="utf-8") as page:
        found = re.findall(r"([^\n]*)\n\n```(\w+)\n(.*?)```", page.read(), re.S)
    named = re.compile(r"`(providers/[^`]+)`:$")
    return [(named.search(above) and named.search(above)[1], language, text) for above, language, text in found]


class Desk(http.server.BaseHTTPRequestHandler):
    """The tool of the page: OAuth with PKCE, an account, two pages of tickets."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=None, **headers):
        data = json.dumps(body).encode() if body is not None else b""
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        if url.path == "/oauth/authorize":
            self.server.challenge = query["code_challenge"]
            back = urllib.parse.urlencode({"code": "the-code", "state": query["state"]})
            return self.answer(302, Location=f"{query['redirect_uri']}?{back}")
        if self.headers["Authorization"] != "Bearer the-access-token":
            return self.answer(401, {})
        if url.path == "/api/me":
            return self.answer(200, {"id": "u-3", "workspace": {"id": "w-7", "name": "Acme"}})
        if url.path == "/api/tickets" and query.get("order") == "updated":
            more = "after" not in query
            return self.answer(200, {"next": "p2" if more else None, "tickets": [] if more else [TICKET]})
        return self.answer(404, {})

    def do_POST(self):
        form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proven = base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == self.server.challenge
        known = (form.get("client_id"), form.get("client_secret")) == ("connectord", "the-secret-of-the-app")
        if self.path != "/oauth/token" or form.get("code") != "the-code" or not (proven and known):
            return self.answer(400, {"error": "invalid_grant"})
        return self.answer(200, {"access_token": "the-access-token", "refresh_token": "the-refresh-token",
                                 "token_type": "Bearer", "expires_in": 3600, "scope": "tickets:read"})


class TwelfthProvider(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.desk = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Desk)
        threading.Thread(target=cls.desk.serve_forever, daemon=True).start()
        cls.service = Service()

    @classmethod
    def tearDownClass(cls):
        cls.service.close()
        cls.desk.shutdown()
        cls.desk.server_close()

    def run_block(self, text, **variables):
        """A block of the page, in the folder and with the settings of the service."""
        tools = os.path.join(self.service.folder, "bin")
        if not os.path.exists(tools):
            os.mkdir(tools)
            os.symlink(harness.binary(), os.path.join(tools, "connectord"))
        env = {**self.service.env, "PATH": tools + os.pathsep + os.environ["PATH"], **variables}
        done = subprocess.run(["bash", "-euc", text], cwd=self.service.folder, env=env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_the_page_leads_to_signals_from_webhook_and_sync(self):
        files = {name: text for name, _, text in blocks() if name}
        commands = [text for _, language, text in blocks() if language == "sh"]
        self.assertEqual((len(files), len(commands)), (4, 5))
        self.assertLessEqual(files["providers/acme-desk.yaml"].count("\n"), 120)
        for name, text in files.items():
            path = os.path.join(self.service.folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        check, settings, serve, connect, look = commands

        self.assertEqual(self.run_block(check), "fixtures written: 3\nprovider ok: acme-desk 1.0.0, deliveries 2, syncs 1\n" +
                         "provider ok: acme-desk 1.0.0, deliveries 2, syncs 1\n")
        desk = f"http://127.0.0.1:{self.desk.server_port}"
        exported = self.run_block(settings + "\nenv -0", DESK=desk).split("\0")
        self.service.env.update(pair.split("=", 1) for pair in exported if pair.startswith("POBLYSH_"))
        self.assertEqual(serve, "connectord serve\n")
        self.service.start()

        made = self.service.call("POST", "/api/v1/tenants", {"name": "twelve"})
        tenant = made.json["data"]["id"]
        shell = {"CONNECTORD": f"http://127.0.0.1:{self.service.port}", "OPERATOR_TOKEN": OPERATOR, "TENANT": tenant}
        self.browse(json.loads(self.run_block(connect, **shell))["authorize_url"])
        self.deliver(tenant)

        def both():
            signals = json.loads(self.run_block(look, **shell))["signals"]
            return signals if len(signals) >= 2 else None

        signals = eventually(both, what="the signals of webhook and sync")
        self.assertEqual(sorted(s["kind"] for s in signals), ["issue_created", "issue_updated"])

    def browse(self, url):
        """What a browser does: the desk's page, then where it is sent."""
        link = http.client.HTTPConnection("127.0.0.1", self.desk.server_port, timeout=10)
        link.request("GET", url.split(str(self.desk.server_port), 1)[1])
        back = urllib.parse.urlsplit(link.getresponse().getheader("Location"))
        link.close()
        self.assertEqual(back.path, "/connect/acme-desk/callback")
        answer = self.service.call("GET", back.path + "?" + back.query, token=None)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.json["connection"]["external_id"], "w-7")

    def deliver(self, tenant):
        ticket = {**TICKET, "id": 8, "title": "Printer on fire"}
        body = json.dumps({"type": "ticket.opened", "workspace": {"id": "w-7"}, "ticket": ticket,
                           "user": {"id": "u-3", "name": "Ada"}}).encode()
        at = str(int(time.time()))
        proof = hmac.new(b"the-secret-of-the-webhooks", f"{at}.".encode() + body, hashlib.sha256).hexdigest()
        headers = {"X-Desk-Time": at, "X-Desk-Signature": "v1=" + proof, "X-Desk-Delivery": "d-1"}
        answer = self.service.call("POST", f"/webhooks/acme-desk/{tenant}", body, token=None, headers=headers)
        self.assertEqual(answer.status, 202, answer)
        forged = self.service.call("POST", f"/webhooks/acme-desk/{tenant}", body + b" ", token=None, headers=headers)
        self.assertEqual(forged.status, 401, forged)


class Check(unittest.TestCase):
    def test_a_mistake_is_named_as_the_page_says(self):
        yaml = next(text for name, _, text in blocks() if name == "providers/acme-desk.yaml")
        with tempfile.TemporaryDirectory() as folder, open(PAGE, encoding="utf-8") as page:
            os.mkdir(os.path.join(folder, "providers"))
            with open(os.path.join(folder, "providers", "acme-desk.yaml"), "w", encoding="utf-8") as file:
                file.write(yaml.replace("issue_closed", "issue_vanished", 1))
            said = re.search(r"`(providers/acme-desk.yaml:\d+: [^`]+)`", page.read())[1]
            for command in ("check", "accept"):
                done = harness.run("providers", command, "providers/acme-desk.yaml", cwd=folder)
                self.assertEqual((done.returncode, done.stderr), (78, said + "\n"))

    def test_exit_codes(self):
        ours = os.path.join(os.path.dirname(PAGE), "..", "config", "providers")
        for name in sorted(os.listdir(ours)):
            if name.endswith(".yaml"):
                done = harness.run("providers", "check", os.path.join(ours, name))
                self.assertEqual((done.returncode, done.stderr), (0, ""), name)
        absent = harness.run("providers", "check", "absent.yaml")
        self.assertEqual((absent.returncode, absent.stderr), (78, "absent.yaml: cannot be read\n"))
        for arguments in (("providers",), ("providers", "check"), ("providers", "check", "a.yaml", "--log-level", "info")):
            self.assertEqual(harness.run(*arguments).returncode, 64, arguments)

    def test_a_folder_with_a_definition_that_nothing_proves_stops_the_start_in_the_words_of_the_check(self):
        yaml = next(text for name, _, text in blocks() if name == "providers/acme-desk.yaml")
        service = Service(PROVIDERS_DIR=".")
        self.addCleanup(service.close)
        path = os.path.join(service.folder, "acme-desk.yaml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(yaml)
        checked, started = (harness.run(*arguments, cwd=service.folder, env=service.env)
                            for arguments in (("providers", "check", "./acme-desk.yaml"), ("serve",)))
        self.assertEqual((checked.returncode, started.returncode), (78, 78))
        self.assertIn("webhook: needs a recorded delivery", checked.stderr)
        self.assertEqual(started.stderr, "".join("POBLYSH_PROVIDERS_DIR: " + line for line in checked.stderr.splitlines(True)))


if __name__ == "__main__":
    harness.main()
