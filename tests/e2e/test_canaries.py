"""Secrets are marked and everything that the service says or keeps is searched for the marks."""

import base64
import socket
import uuid

import harness
import signers
from harness import KEY, OPERATOR, SECRETS, Suite


class Canaries(Suite):
    """Logs are at `debug`, so that the most talkative level is what is searched."""

    def setUp(self):
        super().setUp()
        self.heard = []

    def call(self, method, path, body=None, **options):
        answer = super().call(method, path, body, **options)
        self.heard.append(f"{answer.headers}\n{answer.text}")
        return answer

    def exercise(self):
        """Every way in which a secret enters, well-formed or not; the marks that must not come out again."""
        token = self.token()
        row = self.connect("example", webhook_secret="connection-secret-canary-1")
        rotated = self.call("POST", f"/connections/{row['id']}/webhook-secret").json["webhook_secret"]
        self.heard.clear()  # the answers above are the one place where these two may be shown
        marks = [OPERATOR, KEY, *SECRETS.values(), token["secret"], rotated, "connection-secret-canary-1"]
        self.get("/signals", token=token["secret"])
        self.get("/connections/" + row["id"])

        body = signers.to_bytes(signers.example_event(note="body-canary-2"))
        proof = signers.example(body, rotated)
        marks.append(proof["X-Example-Signature"])
        self.deliver("example", body, proof)
        wrong = signers.example(body, "another-secret-canary-3")
        marks += ["another-secret-canary-3", wrong["X-Example-Signature"]]
        self.deliver("example", body, wrong, status=401)
        for provider in ("jira", "zoho-cliq"):
            self.connect(provider)
            self.deliver(provider, b"{}", {"Authorization": "Bearer " + SECRETS[provider]})
            self.deliver(provider, b"{}", {"Authorization": "Bearer wrong-bearer-canary-4"}, status=401)
        self.deliver("gitlab", b"{}", {"X-Gitlab-Token": SECRETS["gitlab"], "Cookie": "cookie-canary-5", "X-Api-Key": "key-canary-6"})
        self.call("GET", "/signals", token="unknown-bearer-canary-7")
        self.call("GET", "/connections?code=query-canary-8&limit=x")
        self.call("GET", "/connect/github/callback?code=code-canary-9&state=state-canary-10", token=None)
        self.call("POST", "/connections", '{"provider":"example","webhook_secret":"body-canary-11"', headers={"Content-Type": "application/json"})
        self.call("POST", "/connections", {"provider": "example", "external_id": "x", "webhook_secret": "canary-12"})
        with socket.create_connection(("127.0.0.1", self.service.port), timeout=5) as link:
            link.sendall(b"GET /signals HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer framing-canary-13\r\nContent-Length: x\r\n\r\n")
            self.heard.append(link.recv(65536).decode("latin-1"))
        marks += ["wrong-bearer-canary-4", "cookie-canary-5", "key-canary-6", "unknown-bearer-canary-7", "query-canary-8", "code-canary-9",
                  "state-canary-10", "body-canary-11", "canary-12", "framing-canary-13"]
        self.heard += [self.call("GET", path).text for path in ("/metrics", "/config/summary", "/ops/actors", "/ops/tenants",
                       f"/api/v1/tenants/{self.tenant}/tokens", "/deliveries", "/signals", "/connections?status=all")]
        return marks

    def assertSilent(self, text, marks, where):
        text = text.encode("utf-8", "replace") if isinstance(text, str) else text
        for mark in marks:
            for form in (mark.encode(), mark.encode().hex().encode(), base64.b64encode(mark.encode()).rstrip(b"=")):
                with self.subTest(where=where, mark=mark):
                    self.assertNotIn(form, text)

    def test_no_mark_comes_out_anywhere(self):
        marks = self.exercise()
        self.service.stop()
        self.assertSilent("\n".join(self.heard), marks, "answers")
        self.assertSilent(self.service.log(), [*marks, "body-canary-2"], "logs")
        self.assertSilent(self.service.database.content(), marks, "the store")
        self.service.start()

    def test_the_search_would_find_a_mark(self):
        mark = "findable-" + uuid.uuid4().hex
        self.connect("example", mark)
        self.get("/connections", headers={"X-Request-Id": mark})
        self.service.stop()
        self.assertIn(mark.encode(), self.service.database.content())
        self.assertIn(mark, self.service.log())
        self.assertIn(mark, "\n".join(self.heard))
        self.service.start()

    def test_pretty_logs_obey_the_same_rules(self):
        self.service.restart(LOG_FORMAT="pretty")
        marks = self.exercise()
        self.service.stop()
        self.assertSilent(self.service.log(self.service.runs), [*marks, "body-canary-2"], "pretty logs")
        self.service.restart(LOG_FORMAT=None)


if __name__ == "__main__":
    harness.main()
