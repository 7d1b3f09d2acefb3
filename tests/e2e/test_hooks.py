"""The app-level URL: one signed delivery, routed to every tenant whose connection it names."""

import uuid

import harness
import signers
from harness import Suite, eventually


class Hooks(Suite):
    def setUp(self):
        super().setUp()
        self.account = uuid.uuid4().int % 10**12

    def send(self, delivery=None, status=202, number=1, **headers):
        body = signers.to_bytes(signers.issue(number, installation={"id": self.account}, owner=1))
        answer = self.service.call("POST", "/hooks/github", body, token=None, headers={**signers.github(body, delivery=delivery), **headers})
        self.assertEqual(answer.status, status, answer)
        return answer

    def unrouted(self):
        rows = self.service.pages("/ops/unrouted", "unrouted", provider="github", limit=2)
        return [row for row in rows if str(self.account) in str(row["identities"])]

    def test_every_tenant_that_matches_gets_its_own(self):
        tenants = [self.tenant, self.new_tenant(), self.new_tenant()]
        rows = [self.connect("github", str(self.account), tenant=t) for t in tenants]
        answer = self.send("same")
        self.assertEqual(answer.json, {"status": "accepted", "deliveries": 3})
        self.send("same")
        for tenant, row in zip(tenants, rows):
            self.assertEqual([s["connection_id"] for s in eventually(lambda t=tenant: self.signals(t))], [row["id"]])
            self.assertEqual(len(self.deliveries(tenant)), 1)
        self.assertEqual(len({self.deliveries(t)[0]["receipt_id"] for t in tenants}), 3)

    def test_a_revoked_connection_is_passed_over(self):
        row = self.connect("github", str(self.account))
        self.call("DELETE", "/connections/" + row["id"])
        self.assertEqual(self.send().json["deliveries"], 0)

    def test_the_only_connection_of_a_tenant_is_not_a_match(self):
        self.connect("github", "another")
        self.assertEqual(self.send().json["deliveries"], 0)
        self.assertEqual(self.deliveries(), [])

    def test_what_nobody_owns_is_kept_and_routed_once_somebody_does(self):
        self.send()
        [kept] = self.unrouted()
        self.assertEqual(set(kept), {"id", "provider", "received_at", "body_bytes", "event_type", "identities"})
        path = f"/ops/unrouted/{kept['id']}/route"
        self.assertEqual(self.service.call("POST", path).json, {"deliveries": 0})
        self.assertEqual(len(self.unrouted()), 1)
        self.connect("github", str(self.account))
        self.assertEqual(self.service.call("POST", path).json, {"deliveries": 1})
        self.assertEqual(len(eventually(self.signals)), 1)
        self.assertEqual(self.unrouted(), [])
        self.refused(self.service.call("POST", path), 404, "NOT_FOUND")

    def test_what_nobody_owns_is_kept_once_however_often_it_comes(self):
        for _ in range(3):
            self.assertEqual(self.send("again").json, {"status": "accepted", "deliveries": 0})
        [kept] = self.unrouted()
        self.send("again", number=2)
        [other] = [row["id"] for row in self.unrouted() if row["id"] != kept["id"]]
        self.connect("github", str(self.account))
        for unrouted in (kept["id"], other):
            self.assertEqual(self.service.call("POST", f"/ops/unrouted/{unrouted}/route").json, {"deliveries": 1})
        self.assertEqual(len(self.deliveries()), 2)
        self.assertTrue(self.send("again").json["deliveries"])
        self.assertEqual(len(self.deliveries()), 2)

    def test_only_the_app_wide_secret_is_taken(self):
        row = self.connect("github", str(self.account))
        secret = self.call("POST", f"/connections/{row['id']}/webhook-secret").json["webhook_secret"]
        body = signers.to_bytes(signers.issue(installation={"id": self.account}))
        answer = self.service.call("POST", "/hooks/github", body, token=None, headers=signers.github(body, secret))
        self.refused(answer, 401, "INVALID_SIGNATURE", reason="signature_mismatch")
        self.refused(self.service.call("POST", "/hooks/github", body), 401, "INVALID_SIGNATURE")

    def test_providers_without_webhooks_say_so(self):
        self.refused(self.service.call("POST", "/hooks/zoho-mail", b"{}"), 501, "WEBHOOKS_NOT_SUPPORTED")
        self.refused(self.service.call("POST", "/hooks/nobody", b"{}"), 404, "NOT_FOUND")

    def test_the_challenge_is_answered(self):
        body = signers.to_bytes({"type": "url_verification", "challenge": "c-1"})
        answer = self.service.call("POST", "/hooks/slack", body, token=None, headers=signers.slack(body))
        self.assertEqual((answer.status, answer.json), (200, {"challenge": "c-1"}))


if __name__ == "__main__":
    harness.main()
