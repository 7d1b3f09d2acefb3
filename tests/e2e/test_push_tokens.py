"""Deliveries proven by a signed token: RS256 under a key set that the provider publishes, here on loopback."""

import base64
import http.server
import json
import os
import subprocess
import tempfile
import threading
import time
import unittest
import uuid

import harness
from harness import Suite

AUDIENCE = "https://connectors.test/push"
ACCOUNT = "pusher@push.example"


def unpadded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """An RSA key of the openssl command line."""

    def __init__(self, folder, kid):
        self.kid, self.path = kid, os.path.join(folder, kid + ".pem")
        subprocess.run(["openssl", "genrsa", "-out", self.path, "2048"], check=True, capture_output=True)
        text = subprocess.run(["openssl", "rsa", "-in", self.path, "-noout", "-modulus"], check=True, capture_output=True, text=True).stdout
        self.modulus = bytes.fromhex(text.strip().partition("=")[2])

    def published(self):
        return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.kid, "n": unpadded(self.modulus), "e": "AQAB"}

    def token(self, kid=None, alg="RS256", **changes):
        now = int(time.time())
        claims = {"iss": "https://accounts.google.com", "aud": AUDIENCE, "iat": now, "exp": now + 3600, "email": ACCOUNT,
                  "email_verified": True, "sub": "1", **changes}
        parts = [{"alg": alg, "kid": kid or self.kid, "typ": "JWT"}, {k: v for k, v in claims.items() if v is not None}]
        text = ".".join(unpadded(json.dumps(part).encode()) for part in parts)
        done = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.path], input=text.encode(), check=True, capture_output=True)
        return text + "." + unpadded(done.stdout)


class KeyServer:
    """Publishes keys on loopback and counts who asks."""

    def __init__(self):
        server = self
        self.keys, self.paths, self.status = [], [], 200

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                server.paths.append(self.path)
                body = json.dumps({"keys": [key.published() for key in server.keys]}).encode()
                self.send_response(server.status)
                self.send_header("Cache-Control", "public, max-age=3600")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


def push(mailbox, message_id=None):
    data = base64.b64encode(json.dumps({"emailAddress": mailbox, "historyId": 4711}).encode()).decode()
    return {"message": {"data": data, "messageId": message_id or uuid.uuid4().hex, "publishTime": "2025-03-04T05:06:07Z"},
            "subscription": "projects/p/subscriptions/s"}


class PushTokens(Suite):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="connectord-keys-")
        cls.addClassCleanup(cls.folder.cleanup)
        cls.key, cls.other = Key(cls.folder.name, "k-1"), Key(cls.folder.name, "k-2")
        cls.server = KeyServer()
        cls.addClassCleanup(cls.server.close)
        cls.settings = {"GMAIL_OAUTH_BASE": cls.server.origin, "PUBSUB_SERVICE_ACCOUNT": ACCOUNT}
        super().setUpClass()

    def setUp(self):
        self.server.keys, self.server.status = [self.key], 200
        self.service.restart()  # with an empty cache
        self.server.paths.clear()
        super().setUp()
        self.mailbox = f"{uuid.uuid4().hex}@mail.example"
        self.connect("gmail", self.mailbox)

    def send(self, token, body=None, path=None):
        headers = {"Authorization": "Bearer " + token} if token is not None else None
        return self.service.call("POST", path or f"/webhooks/gmail/{self.tenant}", body or push(self.mailbox), token=None, headers=headers)

    def invalid(self, token):
        self.refused(self.send(token), 401, "INVALID_SIGNATURE", reason="invalid_token")

    def test_a_valid_token_proves_a_delivery_and_many_cost_one_look_at_the_keys(self):
        answers = [self.send(self.key.token()) for _ in range(20)]
        self.assertEqual({a.status for a in answers}, {202}, answers)
        self.assertEqual(self.server.paths, ["/oauth2/v3/certs"])
        self.assertEqual(len(self.deliveries()), 20)
        self.assertEqual({d["event_type"] for d in self.deliveries()}, {"push"})

    def test_the_app_url_takes_tokens_too(self):
        answer = self.send(self.key.token(), path="/hooks/gmail")
        self.assertEqual((answer.status, answer.json["deliveries"]), (202, 1), answer)
        self.refused(self.send(self.other.token(), path="/hooks/gmail"), 401, "INVALID_SIGNATURE", reason="invalid_token")

    def test_the_same_message_is_one_delivery(self):
        body = push(self.mailbox)
        first, second = self.send(self.key.token(), body), self.send(self.key.token(), body)
        self.assertEqual((first.json["deduplicated"], second.json["deduplicated"]), (False, True))

    def test_claims_that_do_not_hold_are_refused(self):
        now = int(time.time())
        wrong = {
            "audience": {"aud": AUDIENCE + "/other"}, "no audience": {"aud": None},
            "issuer": {"iss": "https://accounts.example.org"}, "no issuer": {"iss": None},
            "expired": {"iat": now - 7200, "exp": now - 120}, "no expiry": {"exp": None},
            "from the future": {"iat": now + 600, "exp": now + 3600}, "no issue time": {"iat": None},
            "email": {"email": "other@push.example"}, "no email": {"email": None},
            "unverified": {"email_verified": False}, "verified as text": {"email_verified": "true"},
        }
        for name, claims in wrong.items():
            with self.subTest(name):
                self.invalid(self.key.token(**claims))
        self.assertEqual(self.deliveries(), [])

    def test_a_minute_of_leeway_is_given(self):
        now = int(time.time())
        self.assertEqual(self.send(self.key.token(iat=now - 3600, exp=now - 30)).status, 202)
        self.assertEqual(self.send(self.key.token(iat=now + 30)).status, 202)
        self.assertEqual(self.send(self.key.token(iss="accounts.google.com")).status, 202)

    def test_signatures_that_do_not_hold_are_refused(self):
        token = self.key.token()
        head, claims, signature = token.split(".")
        self.invalid(self.other.token(kid=self.key.kid))
        self.invalid(f"{head}.{unpadded(json.dumps({'aud': AUDIENCE}).encode())}.{signature}")
        self.invalid(f"{head}.{claims}.")
        self.invalid(f"{head}.{claims}")
        self.invalid("not-a-token")
        self.invalid(self.key.token(alg="none"))
        self.invalid(self.key.token(alg="HS256"))
        self.refused(self.send(None), 401, "INVALID_SIGNATURE", reason="missing_signature")
        self.assertEqual(self.deliveries(), [])

    def test_a_new_key_is_found_and_an_unknown_one_is_looked_for_once(self):
        self.assertEqual(self.send(self.key.token()).status, 202)
        for _ in range(5):
            self.invalid(self.other.token(kid="k-unknown"))
        self.assertEqual(len(self.server.paths), 2)
        self.server.keys = [self.key, self.other]
        self.assertEqual(self.send(self.other.token()).status, 202)
        self.assertEqual(self.send(self.key.token()).status, 202)
        self.assertEqual(len(self.server.paths), 3)

    def test_without_keys_nothing_is_accepted(self):
        self.server.status = 503
        self.invalid(self.key.token())
        self.assertTrue(self.server.paths)
        [line] = [e for e in self.service.events(self.service.runs) if e.get("event") == "webhook.key_set_unavailable"]
        self.assertEqual((line["level"], line["provider"]), ("warn", "gmail"))
        self.server.status = 200
        harness.eventually(lambda: self.send(self.key.token()).status == 202, what="the keys' return")

    def test_tokens_do_not_show_in_the_log(self):
        token = self.key.token()
        self.assertEqual(self.send(token).status, 202)
        self.assertNotIn(token.rsplit(".", 1)[1], self.service.log())

    def test_without_an_audience_nothing_is_asked_for(self):
        audience = self.service.env["POBLYSH_PUBSUB_OIDC_AUDIENCE"]
        self.service.restart(PUBSUB_OIDC_AUDIENCE=None)
        self.refused(self.send(self.key.token()), 401, "UNAUTHORIZED")
        self.assertEqual(self.server.paths, [])
        self.service.restart(PUBSUB_OIDC_AUDIENCE=audience)


if __name__ == "__main__":
    harness.main()
