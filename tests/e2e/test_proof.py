"""No delivery without proof: for every provider what passes, and every way in which a forgery fails."""

import base64
import json
import time
import uuid

import harness
import signers
from harness import SECRETS, Suite

BODIES = {
    "github": signers.issue(),
    "slack": {"type": "event_callback", "team_id": "T1", "event_id": "Ev1", "event": {"type": "message", "channel": "C1", "ts": "1.2"}},
    "jira": {"webhookEvent": "jira:issue_created", "timestamp": 1741064767000,
             "issue": {"id": "1", "key": "P-1", "fields": {"summary": "s", "project": {"key": "P"}}}},
    "gitlab": {"object_kind": "issue", "project": {"id": 3},
               "object_attributes": {"id": 1, "iid": 1, "action": "open", "updated_at": "2025-03-04 05:06:07 UTC"}},
    "linear": {"type": "Issue", "action": "create", "organizationId": "o",
               "data": {"id": "i", "updatedAt": "2025-03-04T05:06:07Z", "title": "t"}},
    "zoho-cliq": {"event_type": "message_posted", "message": {"id": "m", "text": "hi", "posted_time": "1741064767"}},
    "example": signers.example_event(),
}
SIGNERS = {"github": signers.github, "slack": signers.slack, "jira": signers.jira, "gitlab": signers.gitlab,
           "linear": signers.linear, "zoho-cliq": signers.zoho_cliq, "example": signers.example}
# The header that carries the proof, and the providers whose proof covers the body.
PROOF = {"github": "X-Hub-Signature-256", "slack": "X-Slack-Signature", "jira": "Authorization", "gitlab": "X-Gitlab-Token",
         "linear": "Linear-Signature", "zoho-cliq": "Authorization", "example": "X-Example-Signature"}
COVERED = ("github", "slack", "linear", "example")


def body_of(provider):
    body = dict(BODIES[provider])
    if provider == "linear":
        body["webhookTimestamp"] = int(time.time() * 1000)
    return signers.to_bytes(body)


def signed(provider):
    body = body_of(provider)
    return body, SIGNERS[provider](body)


class Proof(Suite):
    def post(self, provider, body, headers):
        return self.service.call("POST", f"/webhooks/{provider}/{self.tenant}", body, token=None, headers=headers)

    def forged(self, provider, body, headers, *reasons):
        problem = self.refused(self.post(provider, body, headers), 401, "INVALID_SIGNATURE", reason=...)
        self.assertIn(problem["details"]["reason"], reasons)

    def test_a_true_proof_passes(self):
        for provider in SIGNERS:
            with self.subTest(provider):
                body, headers = signed(provider)
                self.assertEqual(self.post(provider, body, headers).status, 202)

    def test_a_missing_proof_is_refused(self):
        for provider in SIGNERS:
            with self.subTest(provider):
                body, headers = signed(provider)
                del headers[PROOF[provider]]
                self.forged(provider, body, headers, "missing_signature")

    def test_a_proof_by_another_secret_is_refused(self):
        for provider in SIGNERS:
            with self.subTest(provider):
                body, _ = signed(provider)
                headers = SIGNERS[provider](body, "another-secret-entirely")
                self.forged(provider, body, headers, "signature_mismatch", "invalid_token")

    def test_an_empty_proof_is_refused(self):
        for provider in SIGNERS:
            with self.subTest(provider):
                body, headers = signed(provider)
                headers[PROOF[provider]] = ""
                self.forged(provider, body, headers, "missing_signature", "malformed_signature", "invalid_token")

    def test_a_truncated_proof_is_refused(self):
        for provider in SIGNERS:
            with self.subTest(provider):
                body, headers = signed(provider)
                headers[PROOF[provider]] = headers[PROOF[provider]][:-1]
                self.forged(provider, body, headers, "malformed_signature", "signature_mismatch", "invalid_token")

    def test_a_flipped_bit_is_refused(self):
        for provider in COVERED:
            with self.subTest(provider):
                body, headers = signed(provider)
                for at in (0, len(body) // 2, len(body) - 1):
                    changed = bytearray(body)
                    changed[at] ^= 1
                    self.forged(provider, bytes(changed), headers, "signature_mismatch", "malformed_timestamp", "missing_timestamp",
                                "timestamp_out_of_window")

    def test_the_same_json_in_other_bytes_is_refused(self):
        for provider in COVERED:
            with self.subTest(provider):
                body, headers = signed(provider)
                self.forged(provider, json.dumps(json.loads(body), indent=1).encode(), headers, "signature_mismatch")

    def test_a_proof_is_bound_to_its_provider(self):
        body = body_of("example")
        headers = signers.example(body, SECRETS["github"])
        self.forged("example", body, headers, "signature_mismatch")

    def test_shapes_of_a_digest_that_are_not_one_are_refused(self):
        body = body_of("github")
        true = signers.github(body)["X-Hub-Signature-256"]
        for bad in (true[7:], "sha1=" + true[7:], "SHA256" + true[6:] + "00", true + ",", "sha256=" + "g" * 64, true + ", " + true, "sha256="):
            with self.subTest(bad):
                self.forged("github", body, {**signers.github(body), "X-Hub-Signature-256": bad}, "malformed_signature", "signature_mismatch")

    def test_slack_holds_to_its_window(self):
        body, now = body_of("slack"), time.time()
        for at in (now - 290, now + 290):
            self.assertEqual(self.post("slack", body, signers.slack(body, at=at)).status, 202)
        for at in (now - 310, now + 310, 0):
            self.forged("slack", body, signers.slack(body, at=at), "timestamp_out_of_window")
        headers = signers.slack(body)
        for bad, reason in ((None, "missing_timestamp"), ("soon", "malformed_timestamp"), ("-5", "malformed_timestamp"), ("1e9", "malformed_timestamp")):
            self.forged("slack", body, {**headers, "X-Slack-Request-Timestamp": bad}, reason)
        self.forged("slack", body, {**headers, "X-Slack-Request-Timestamp": str(int(headers["X-Slack-Request-Timestamp"]) + 1)}, "signature_mismatch")

    def test_slack_signs_the_timestamp_as_it_was_sent(self):
        body, at = body_of("slack"), "0" + str(int(time.time()))
        proof = "v0=" + signers.mac(SECRETS["slack"], f"v0:{at}:".encode() + body).hexdigest()
        self.assertEqual(self.post("slack", body, {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": proof}).status, 202)

    def test_linear_holds_to_its_window(self):
        for shift, reason in ((-70, "timestamp_out_of_window"), (70, "timestamp_out_of_window"), (None, "missing_timestamp")):
            body = dict(BODIES["linear"])
            if shift is not None:
                body["webhookTimestamp"] = int((time.time() + shift) * 1000)
            body = signers.to_bytes(body)
            self.forged("linear", body, signers.linear(body), reason)

    def test_slack_is_told_its_challenge_and_nothing_is_stored(self):
        body = signers.to_bytes({"type": "url_verification", "challenge": 'a"b\\c'})
        answer = self.post("slack", body, signers.slack(body))
        self.assertEqual((answer.status, answer.json), (200, {"challenge": 'a"b\\c'}))
        self.assertEqual(self.deliveries(), [])
        self.forged("slack", body, signers.slack(body, "another-secret-entirely"), "signature_mismatch")

    def test_google_channels_are_proven_by_their_token(self):
        for provider in ("google-drive", "google-calendar"):
            with self.subTest(provider):
                row = self.connect(provider)
                headers = signers.google(b"", row["id"], SECRETS[provider])
                accepted = self.post(provider, b"", headers)
                self.assertEqual(accepted.status, 202, accepted)
                self.assertEqual(self.get("/deliveries/" + accepted.json["delivery_id"])["connection_id"], row["id"])
                self.forged(provider, b"", {**headers, "X-Goog-Channel-Id": str(uuid.uuid4()) + ".0a1b2c3d"}, "signature_mismatch")
                self.forged(provider, b"", {**headers, "X-Goog-Channel-Token": None}, "missing_signature")

    def test_a_push_without_a_token_that_google_signed_is_refused(self):
        body = signers.to_bytes({"message": {"messageId": "1", "data": base64.b64encode(b"{}").decode()}})
        self.forged("gmail", body, {}, "missing_signature")
        part = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
        for token in ("x", "a.b.c", f"{part}.{part}.", f"{part}.{part}.AAAA"):
            self.forged("gmail", body, {"Authorization": "Bearer " + token}, "invalid_token")

    def test_an_operator_may_send_without_a_proof(self):
        body = body_of("example")
        self.assertEqual(self.call("POST", f"/webhooks/example/{self.tenant}", body).status, 202)
        self.assertEqual(self.call("POST", "/webhooks/example", body).status, 202)
        self.refused(self.call("POST", "/webhooks/example", body, token=None), 401, "UNAUTHORIZED")

    def test_the_tenant_is_checked_after_the_proof(self):
        body, unknown = body_of("example"), str(uuid.uuid4())
        answer = self.service.call("POST", f"/webhooks/example/{unknown}", body, token=None, headers=signers.example(body, "another-secret"))
        self.refused(answer, 401, "INVALID_SIGNATURE")
        answer = self.service.call("POST", f"/webhooks/example/{unknown}", body, token=None, headers=signers.example(body))
        self.refused(answer, 404, "TENANT_NOT_FOUND")
        self.refused(self.service.call("POST", "/webhooks/example/nobody", body, token=None), 400, "VALIDATION_FAILED", tenant_id=...)

    def test_providers_without_webhooks_say_so(self):
        self.refused(self.post("zoho-mail", b"{}", {}), 501, "WEBHOOKS_NOT_SUPPORTED")
        self.refused(self.post("nobody", b"{}", {}), 404, "NOT_FOUND")


class StandardWebhooks(Suite):
    SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
    settings = {"WEBHOOK_GITLAB_SECRET": SECRET}

    def test_a_signing_token_asks_for_signatures(self):
        body, now = body_of("gitlab"), time.time()
        post = lambda headers: self.service.call("POST", f"/webhooks/gitlab/{self.tenant}", body, token=None, headers=headers)
        self.assertEqual(post(signers.standard_webhook(body, self.SECRET)).status, 202)
        for at in (now - 310, now + 310):
            self.refused(post(signers.standard_webhook(body, self.SECRET, at=at)), 401, "INVALID_SIGNATURE", reason="timestamp_out_of_window")
        moved = {**signers.standard_webhook(body, self.SECRET), "webhook-id": "msg_other"}
        self.refused(post(moved), 401, "INVALID_SIGNATURE", reason="signature_mismatch")
        self.refused(post({"X-Gitlab-Token": self.SECRET}), 401, "INVALID_SIGNATURE", reason="missing_signature")


class JiraSigned(Suite):
    settings = {"WEBHOOK_JIRA_SECRET_TYPE": "hmac"}

    def test_a_signed_webhook_is_checked_by_its_signature_only(self):
        body = body_of("jira")
        proof = "sha256=" + signers.mac(SECRETS["jira"], body).hexdigest()
        self.deliver("jira", body, {"X-Hub-Signature": proof})
        self.deliver("jira", body + b" ", {"X-Hub-Signature": proof}, status=401)
        self.deliver("jira", body, signers.jira(body), status=401)


class Unconfigured(Suite):
    settings = {harness.SECRET_KEYS[slug].removeprefix("POBLYSH_"): None for slug in harness.SECRET_KEYS}

    def test_without_a_secret_nothing_passes(self):
        for provider in SIGNERS:
            with self.subTest(provider):
                body = body_of(provider)
                for headers in ({}, SIGNERS[provider](body), SIGNERS[provider](body, "")):
                    answer = self.service.call("POST", f"/webhooks/{provider}/{self.tenant}", body, token=None, headers=headers)
                    self.refused(answer, 401, "UNAUTHORIZED")


class Limits(Suite):
    settings = {"WEBHOOK_RATE_LIMIT_PER_MINUTE": "6", "WEBHOOK_RATE_LIMIT_BURST_SIZE": "6", "WEBHOOK_MAX_BODY_BYTES": "4096"}

    def test_the_limiter_counts_by_tenant_and_provider(self):
        body = body_of("example")
        send = lambda tenant: self.service.call("POST", f"/webhooks/example/{tenant}", body, token=None, headers=signers.example(body))
        answers = [send(self.tenant) for _ in range(8)]
        self.assertEqual([a.status for a in answers], [202] * 6 + [429] * 2)
        problem = self.refused(answers[-1], 429, "RATE_LIMITED")
        self.assertTrue(1 <= problem["retry_after"] <= 60)
        self.assertEqual(send(self.new_tenant()).status, 202)
        self.assertEqual(self.call("POST", f"/webhooks/example/{self.tenant}", body).status, 202)

    def test_a_body_over_the_limit_is_refused(self):
        body = b"x" * 4097
        self.refused(self.deliver("example", body, signers.example(body), status=413), 413, "PAYLOAD_TOO_LARGE", limit_bytes=4096)
        body = b"x" * 4096
        self.deliver("example", body, signers.example(body))


if __name__ == "__main__":
    harness.main()
