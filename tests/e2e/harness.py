"""Black-box harness: starts the real binary on a free port with a database of its own, and stops it by its pid.

Set by ctest: CONNECTORD_BIN (the binary), CONNECTORD_E2E_DATABASE (sqlite or postgresql) and, for the latter,
CONNECTORD_TEST_POSTGRESQL (the URL of a server on which databases may be made). Every answer that it passes on was held
against the OpenAPI document first.
"""

import base64
import functools
import http.client
import io
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.parse
import uuid

from contract import Contract

OPERATOR = "operator-canary-4f1d0a7c93be"
KEY = base64.b64encode(bytes(range(7, 39))).decode()
SKIPPED = 77
SECRET_KEYS = {
    "github": "POBLYSH_WEBHOOK_GITHUB_SECRET",
    "slack": "POBLYSH_WEBHOOK_SLACK_SIGNING_SECRET",
    "jira": "POBLYSH_WEBHOOK_JIRA_SECRET",
    "gitlab": "POBLYSH_WEBHOOK_GITLAB_SECRET",
    "linear": "POBLYSH_WEBHOOK_LINEAR_SECRET",
    "zoho-cliq": "POBLYSH_WEBHOOK_ZOHO_CLIQ_TOKEN",
    "google-drive": "POBLYSH_WEBHOOK_GOOGLE_DRIVE_SECRET",
    "google-calendar": "POBLYSH_WEBHOOK_GOOGLE_CALENDAR_SECRET",
    "example": "POBLYSH_WEBHOOK_EXAMPLE_SECRET",
}
SECRETS = {slug: f"{slug}-app-wide-canary-71c2" for slug in SECRET_KEYS}
SCOPES = ["connections:read", "connections:write", "sync:write", "jobs:read", "signals:read", "signals:write",
          "deliveries:read", "deliveries:write"]


def binary():
    return os.path.abspath(os.environ["CONNECTORD_BIN"])


@functools.cache
def contract():
    """What the binary says of its own answers."""
    return Contract(json.loads(subprocess.run([binary(), "openapi"], check=True, capture_output=True, timeout=30).stdout))


def promised(method, target, answer, sent=None):
    """The answer, when the OpenAPI document has it, and the body that was sent, when it was taken."""
    objections = contract().objections(method, target, answer)
    if sent is not None and answer.status < 300:
        objections += contract().objections_to_request(method, target, sent)
    if objections:
        raise AssertionError("\n".join(objections[:10]) + f"\n{answer}")
    return answer


def eventually(probe, seconds=10.0, what="the condition"):
    """Calls probe until it gives something truthy; for what the contract allows to happen a little later."""
    end = time.monotonic() + seconds
    while not (value := probe()):
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come true within {seconds} s")
        time.sleep(0.02)
    return value


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:600]!r}>"


class Received:
    """Bytes that came, for http.client to read an answer from."""

    def __init__(self, data):
        self.file = io.BytesIO(data)

    def makefile(self, _mode):
        return self.file


def first_answer(received):
    answer = http.client.HTTPResponse(Received(received))
    answer.begin()
    return Answer(answer.status, answer.headers, answer.read())


class SqliteDatabase:
    kind = "sqlite"

    def __init__(self, folder):
        self.path = os.path.join(folder, "store", "connectors.db")
        self.url = "sqlite://" + self.path

    def content(self):
        return b"".join(open(self.path + end, "rb").read() for end in ("", "-wal") if os.path.exists(self.path + end))

    def query(self, sql):
        command = ["sqlite3", "-cmd", ".timeout 5000", self.path, sql]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()

    def drop(self):
        pass


class PostgresDatabase:
    kind = "postgresql"

    def __init__(self, _folder):
        self.server = os.environ["CONNECTORD_TEST_POSTGRESQL"]
        self.name = "e2e_" + uuid.uuid4().hex[:16]
        self._psql(self.server, f'CREATE DATABASE "{self.name}"')
        self.url = urllib.parse.urlunsplit(urllib.parse.urlsplit(self.server)._replace(path="/" + self.name))

    def _psql(self, url, sql):
        command = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", sql]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def content(self):
        return subprocess.run(["pg_dump", "--data-only", self.url], check=True, capture_output=True).stdout

    def query(self, sql):
        return self._psql(self.url, sql).split()

    def drop(self):
        self._psql(self.server, f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')


def database(folder, kind=None):
    kind = kind or os.environ.get("CONNECTORD_E2E_DATABASE", "sqlite")
    return (SqliteDatabase if kind == "sqlite" else PostgresDatabase)(folder)


def environment(**changes):
    """A complete configuration; a change to None removes the key. Keys go without their prefix."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("POBLYSH_")}
    settings = {
        "PROFILE": "test",
        "API_BIND_ADDR": "127.0.0.1:0",
        "LOG_LEVEL": "debug",
        "OPERATOR_TOKENS": OPERATOR,
        "CRYPTO_KEY": KEY,
        "PUBSUB_OIDC_AUDIENCE": "https://connectors.test/push",
        "SHUTDOWN_TIMEOUT_SECONDS": "10",
        "WEBHOOK_RATE_LIMIT_PER_MINUTE": "1000000",
        "WEBHOOK_RATE_LIMIT_BURST_SIZE": "1000000",
    }
    settings.update({SECRET_KEYS[slug].removeprefix("POBLYSH_"): secret for slug, secret in SECRETS.items()})
    settings.update(changes)
    env.update({"POBLYSH_" + key: value for key, value in settings.items() if value is not None})
    return env


def run(*arguments, cwd=None, env=None, **changes):
    """Runs `connectord ARGUMENTS` to its end in an empty folder."""
    with tempfile.TemporaryDirectory(prefix="connectord-") as folder:
        return subprocess.run([binary(), *arguments], cwd=cwd or folder, env=env if env is not None else environment(**changes),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)


class Service:
    """One connectord in a folder of its own, with so many open files at most. Settings are given without their prefix."""

    def __init__(self, *, kind=None, preload=None, files=None, **settings):
        self.folder = tempfile.mkdtemp(prefix="connectord-")
        self.database = database(self.folder, kind)
        self.env = environment(DATABASE_URL=self.database.url, **settings)
        self.env.update(preload or {})
        self.process, self.port, self.runs, self.files = None, None, 0, files

    def start(self, ready=True):
        self.runs += 1
        with open(self._log(self.runs), "wb") as log:
            self.process = subprocess.Popen([binary(), "serve"], cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=subprocess.STDOUT, preexec_fn=self._limit if self.files else None)
        self.port = eventually(self._listening, 30, "the listening line")
        if ready:
            eventually(lambda: self.call("GET", "/readyz", token=None).status == 200, 30, "readiness")
        return self

    def _limit(self):
        resource.setrlimit(resource.RLIMIT_NOFILE, (self.files, self.files))

    def _log(self, number):
        return os.path.join(self.folder, f"run{number}.log")

    def _listening(self):
        for line in self.events(self.runs):
            if line.get("event") == "listening":
                return line["port"]
        if self.process.poll() is not None:
            raise AssertionError(f"connectord ended with {self.process.returncode}: {self.log()[-2000:]}")
        return None

    def log(self, number=None):
        numbers = [number] if number else range(1, self.runs + 1)
        return "".join(open(self._log(n), encoding="utf-8", errors="replace").read() for n in numbers)

    def events(self, number=None):
        found = []
        for line in self.log(number).splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                pass
        return [line for line in found if isinstance(line, dict)]

    def stop(self, number=signal.SIGTERM):
        """Asks for a drain; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("connectord did not end within 20 s") from None

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait(10)

    def restart(self, **settings):
        self.stop()
        for key, value in settings.items():
            self.env.pop("POBLYSH_" + key, None)
            if value is not None:
                self.env["POBLYSH_" + key] = value
        return self.start()

    def close(self):
        self.kill()
        self.database.drop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, method, path, body=None, *, token=OPERATOR, tenant=None, headers=None, query=None, timeout=20):
        """One request on a connection of its own. A dict is sent as JSON, bytes and text as they are."""
        send = {}
        if token is not None:
            send["Authorization"] = "Bearer " + token
        if tenant is not None:
            send["X-Tenant-Id"] = tenant
        document = body
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            send["Content-Type"] = "application/json"
        elif isinstance(body, str):
            body = body.encode()
        send.update(headers or {})
        if query:
            path += "?" + urllib.parse.urlencode({k: v for k, v in query.items() if v is not None})
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            try:
                link.request(method, path, body=body, headers={k: v for k, v in send.items() if v is not None})
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused early; the answer is there to be read
            answer = link.getresponse()
            sent = document if isinstance(document, dict) else None
            return promised(method, path, Answer(answer.status, answer.headers, answer.read()), sent)
        finally:
            link.close()

    def raw(self, data, timeout=10):
        """Sends bytes; what came back, and whether the service closed the connection."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout) as link:
            link.sendall(data)
            received, closed = b"", False
            link.settimeout(3)
            try:
                while part := link.recv(65536):
                    received += part
                closed = True
            except TimeoutError:
                pass
        if received:
            method, target, *_ = data.split(b"\r\n", 1)[0].decode("latin-1").split(" ") + ["", ""]
            promised(method, target, first_answer(received))
        return received, closed

    def pages(self, path, member, *, tenant=None, token=OPERATOR, **query):
        """Every row of a list, page by page."""
        rows, cursor = [], None
        while True:
            answer = self.call("GET", path, tenant=tenant, token=token, query={**query, "cursor": cursor})
            if answer.status != 200:
                raise AssertionError(f"GET {path}: {answer}")
            rows += answer.json[member]
            cursor = answer.json["next_cursor"]
            if cursor is None:
                return rows


class Suite(unittest.TestCase):
    """One service for a class, one new tenant for a test."""

    settings = {}

    @classmethod
    def setUpClass(cls):
        cls.service = Service(**cls.settings)
        try:
            cls.service.start()
        except BaseException:
            cls.service.close()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.service.close()

    def setUp(self):
        self.tenant = self.new_tenant()

    def new_tenant(self, **members):
        answer = self.service.call("POST", "/api/v1/tenants", {"name": self.id().rsplit(".", 1)[-1], **members})
        self.assertEqual(answer.status, 201, answer)
        return answer.json["data"]["id"]

    def call(self, method, path, body=None, **options):
        """As the operator, for this test's tenant."""
        options.setdefault("tenant", self.tenant)
        return self.service.call(method, path, body, **options)

    def get(self, path, status=200, **options):
        answer = self.call("GET", path, **options)
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def connect(self, provider, external_id=None, tenant=None, **members):
        body = {"provider": provider, "external_id": external_id or uuid.uuid4().hex, **members}
        answer = self.call("POST", "/connections", body, tenant=tenant or self.tenant)
        self.assertEqual(answer.status, 201, answer)
        return answer.json

    def token(self, *scopes, tenant=None, **members):
        path = f"/api/v1/tenants/{tenant or self.tenant}/tokens"
        answer = self.service.call("POST", path, {"name": "test", "scopes": list(scopes) or SCOPES, **members})
        self.assertEqual(answer.status, 201, answer)
        return answer.json["data"]

    def deliver(self, provider, body, headers, tenant=None, status=202):
        """A public webhook; headers as a signer made them."""
        answer = self.service.call("POST", f"/webhooks/{provider}/{tenant or self.tenant}", body, token=None, headers=headers)
        self.assertEqual(answer.status, status, answer)
        return answer

    def signals(self, tenant=None, **query):
        return self.service.pages("/signals", "signals", tenant=tenant or self.tenant, **query)

    def deliveries(self, tenant=None, **query):
        return self.service.pages("/deliveries", "deliveries", tenant=tenant or self.tenant, **query)

    def settled(self, delivery_id, tenant=None):
        """The delivery, once it is no longer `received`."""
        def probe():
            row = self.get("/deliveries/" + delivery_id, tenant=tenant or self.tenant)
            return row if row["status"] != "received" else None
        return eventually(probe, what="the delivery's end")

    def refused(self, answer, status, code, /, **details):
        """The one error shape, wherever the error was made."""
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers.get_content_type(), "application/problem+json")
        problem = answer.json
        self.assertEqual(problem["code"], code, answer)
        self.assertTrue(problem["message"])
        self.assertEqual(problem["trace_id"], answer.headers["x-trace-id"])
        self.assertIn("retry_after", problem)
        if problem["retry_after"] is not None:
            self.assertEqual(str(problem["retry_after"]), answer.headers["Retry-After"])
        for name, value in details.items():
            self.assertIn(name, problem.get("details", {}), answer)
            if value is not ...:
                self.assertEqual(problem["details"][name], value, answer)
        return problem


def main():
    if os.environ.get("CONNECTORD_E2E_DATABASE") == "postgresql" and "CONNECTORD_TEST_POSTGRESQL" not in os.environ:
        print("skipped: no PostgreSQL; tests/support/with_postgres starts one")
        sys.exit(SKIPPED)
    unittest.main(module="__main__", verbosity=2)
