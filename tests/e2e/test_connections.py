"""Webhook connections and the secrets that are their own."""

import uuid

import harness
import signers
from harness import Suite, eventually

BODY = signers.to_bytes(signers.example_event())


class Connections(Suite):
    def test_creating_twice_updates_one_row(self):
        first = self.connect("example", "account-1", display_name="One", metadata={"a": 1})
        again = self.call("POST", "/connections", {"provider": "example", "external_id": "account-1", "display_name": "Two"})
        self.assertEqual((again.status, again.json["id"], again.json["display_name"]), (200, first["id"], "Two"))
        self.assertEqual(len(self.get("/connections")["connections"]), 1)

    def test_a_connection_has_every_member_of_its_shape(self):
        row = self.connect("github", "4001")
        self.assertEqual(set(row), {
            "id", "provider", "external_id", "display_name", "status", "status_reason", "expires_at", "scopes", "metadata",
            "has_access_token", "has_refresh_token", "token_encryption_version", "token_key_id", "sync", "created_at", "updated_at"})
        self.assertEqual((row["status"], row["has_access_token"], row["token_encryption_version"]), ("active", False, 2))
        self.assertEqual((row["sync"]["state"], row["sync"]["next_run_at"]), ("disabled", None))

    def test_bad_members_are_named(self):
        for name, value in (("provider", "nobody"), ("provider", None), ("external_id", ""), ("external_id", "x" * 256),
                            ("metadata", []), ("webhook_secret", "short"), ("webhook_secret", "x" * 256)):
            with self.subTest(f"{name}={value!r:.20}"):
                answer = self.call("POST", "/connections", {"provider": "example", "external_id": "x", name: value})
                self.refused(answer, 400, "VALIDATION_FAILED", **{name: ...})

    def test_patch_merges_metadata_by_key(self):
        path = "/connections/" + self.connect("example", metadata={"a": 1, "b": 2})["id"]
        row = self.call("PATCH", path, {"metadata": {"a": None, "c": 3}, "display_name": "N"}).json
        self.assertEqual((row["metadata"], row["display_name"]), ({"b": 2, "c": 3}, "N"))
        for body in ({}, {"status": "revoked"}, {"display_name": "x" * 256}, {"metadata": 1}):
            self.refused(self.call("PATCH", path, body), 400, "VALIDATION_FAILED")

    def test_delete_revokes_and_can_be_repeated(self):
        row = self.connect("example")
        path = "/connections/" + row["id"]
        for _ in range(2):
            self.assertEqual(self.call("DELETE", path).status, 204)
        self.assertEqual(self.get(path)["status"], "revoked")
        self.assertEqual(self.get("/connections")["connections"], [])
        self.assertEqual([c["id"] for c in self.get("/connections", query={"status": "all"})["connections"]], [row["id"]])

    def test_the_list_is_paged_in_order_of_creation(self):
        made = [self.connect("example")["id"] for _ in range(5)]
        rows = self.service.pages("/connections", "connections", tenant=self.tenant, limit=2)
        self.assertEqual([row["id"] for row in rows], made)

    def test_a_retry_with_the_same_key_makes_one_connection(self):
        body, key = {"provider": "example", "external_id": "k"}, {"Idempotency-Key": uuid.uuid4().hex}
        first, again = (self.call("POST", "/connections", body, headers=key) for _ in range(2))
        self.assertEqual((first.status, again.status, again.json), (201, 201, first.json))
        self.assertEqual(again.headers["Idempotency-Replayed"], "true")


class Secrets(Suite):
    settings = {"WEBHOOK_SECRET_OVERLAP_HOURS": "1"}

    def secret(self, row):
        answer = self.call("POST", f"/connections/{row['id']}/webhook-secret")
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def test_the_secret_that_verifies_is_the_connection(self):
        rows = [self.connect("example") for _ in range(3)]
        secrets = [self.secret(row)["webhook_secret"] for row in rows]
        self.assertEqual(len(set(secrets)), 3)
        for row, secret in zip(rows, secrets):
            accepted = self.deliver("example", BODY, signers.example(BODY, secret)).json
            self.assertEqual(self.get("/deliveries/" + accepted["delivery_id"])["connection_id"], row["id"])

    def test_the_previous_secret_stays_valid_for_the_overlap(self):
        row = self.connect("example")
        first, second, third = (self.secret(row) for _ in range(3))
        self.assertIsNone(first["previous_valid_until"])
        self.assertIsNotNone(second["previous_valid_until"])
        for secret, status in ((third, 202), (second, 202), (first, 401)):
            self.deliver("example", BODY, signers.example(BODY, secret["webhook_secret"]), status=status)

    def test_an_app_wide_proof_does_not_stand_in_for_a_connections_own(self):
        row = self.connect("example", "acc-9")
        body = signers.to_bytes(signers.example_event(account_id="acc-9"))
        self.deliver("example", body, signers.example(body))
        self.secret(row)
        self.refused(self.deliver("example", body, signers.example(body), status=401), 401, "INVALID_SIGNATURE",
                     reason="signature_mismatch")

    def test_a_secret_serves_its_own_tenant_only(self):
        secret = self.secret(self.connect("example"))["webhook_secret"]
        other = self.new_tenant()
        self.deliver("example", BODY, signers.example(BODY, secret), tenant=other, status=401)

    def test_a_given_secret_is_used(self):
        self.connect("example", webhook_secret="a-secret-of-their-own")
        self.deliver("example", BODY, signers.example(BODY, "a-secret-of-their-own"))

    def test_the_secret_survives_a_restart_and_ends_with_the_connection(self):
        row = self.connect("example")
        secret = self.secret(row)["webhook_secret"]
        self.service.restart()
        self.deliver("example", BODY, signers.example(BODY, secret))
        self.assertEqual(self.call("DELETE", "/connections/" + row["id"]).status, 204)
        self.deliver("example", BODY, signers.example(BODY, secret), status=401)
        self.refused(self.call("POST", f"/connections/{row['id']}/webhook-secret"), 409, "CONFLICT")


class OnlyConnectionSecrets(Suite):
    settings = {"WEBHOOK_REQUIRE_CONNECTION_SECRETS": "true"}

    def test_app_wide_secrets_are_not_accepted(self):
        self.connect("example")
        self.refused(self.deliver("example", BODY, signers.example(BODY), status=401), 401, "UNAUTHORIZED")
        self.connect("example", webhook_secret="a-secret-of-their-own")
        self.deliver("example", BODY, signers.example(BODY, "a-secret-of-their-own"))


class OverlapOff(Suite):
    settings = {"WEBHOOK_SECRET_OVERLAP_HOURS": "0"}

    def test_without_overlap_rotation_ends_the_old_secret_at_once(self):
        row = self.connect("example", webhook_secret="a-secret-of-their-own")
        self.call("POST", f"/connections/{row['id']}/webhook-secret")
        eventually(lambda: self.service.call("POST", f"/webhooks/example/{self.tenant}", BODY, token=None,
                                             headers=signers.example(BODY, "a-secret-of-their-own")).status == 401)


if __name__ == "__main__":
    harness.main()
