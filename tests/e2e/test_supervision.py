"""A tenant that crashes: what it answers, who else notices, how it comes back. The crash is a real one: another incarnation claims
the tenant's rows behind its back, so that its next commit is fenced off."""

import harness
import signers
from harness import Suite, eventually


class Supervision(Suite):
    def crash(self, tenant):
        """The next write of the tenant's actor finds itself fenced off."""
        self.service.database.query(f"UPDATE tenants SET epoch = epoch + 1 WHERE id = '{tenant}'")

    def send(self, number, tenant):
        body = signers.to_bytes(signers.example_event(number))
        headers = signers.example(body, delivery=f"d-{number}")
        return self.service.call("POST", f"/webhooks/example/{tenant}", body, token=None, headers=headers)

    def actor(self, tenant):
        return self.service.call("GET", "/ops/actors", query={"tenant": tenant, "kind": "tenant"}).json["actors"][0]

    def setUp(self):
        super().setUp()
        self.other = self.new_tenant()
        for tenant in (self.tenant, self.other):
            self.connect("example", tenant=tenant)

    def test_one_crash_costs_one_answer_and_no_delivery(self):
        self.crash(self.tenant)
        lost = self.send(1, self.tenant)
        self.assertEqual((503, "DATABASE_UNAVAILABLE"), (lost.status, lost.json["code"]))
        self.assertTrue(lost.headers.get("retry-after"))
        again = self.send(1, self.tenant)  # held back while the tenant restarts, then taken
        self.assertEqual((202, False), (again.status, again.json["deduplicated"]))
        self.assertEqual(1, len(self.signals()))
        seen = self.actor(self.tenant)
        self.assertEqual((1, "running"), (seen["restarts"], seen["state"]))
        self.assertIn("younger incarnation", seen["last_error"])
        self.assertEqual(0, self.actor(self.other)["restarts"])

    def test_a_crash_loop_ends_at_the_tenant(self):
        for number in range(1, 7):
            self.crash(self.tenant)
            self.assertEqual(503, self.send(number, self.tenant).status)
            self.assertEqual(202, self.send(number, self.other).status)
            if number < 6:
                eventually(lambda n=number: self.send(100 + n, self.tenant).status == 202, seconds=15, what="the next incarnation")
        refused = self.call("GET", "/signals")
        self.refused(refused, 503, "TENANT_UNAVAILABLE")
        self.assertGreater(refused.json["retry_after"], 60)
        self.assertEqual("restarting", self.actor(self.tenant)["state"])
        # What is signed is still verified and kept; what is forged is still refused.
        kept = self.send(50, self.tenant)
        self.assertEqual(202, kept.status)
        forged = {"X-Example-Signature": "sha256=" + "0" * 64}
        self.refused(self.service.call("POST", f"/webhooks/example/{self.tenant}", b"{}", token=None, headers=forged), 401, "INVALID_SIGNATURE")
        self.service.call("POST", f"/ops/tenants/{self.tenant}/restart")
        self.assertEqual("processed", self.settled(kept.json["delivery_id"])["status"])
        self.assertEqual(6, self.actor(self.tenant)["restarts"])
        self.assertEqual(0, self.actor(self.other)["restarts"])


if __name__ == "__main__":
    harness.main()
