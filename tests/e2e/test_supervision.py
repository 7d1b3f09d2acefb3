"""A tenant that crashes: what it answers, who else notices, how it comes back. The crash is a real one: rows of its signals are
damaged, so that the handler which meets one throws. Being claimed by another node is no crash."""

import harness
import signers
from harness import Suite, eventually


class Supervision(Suite):
    def send(self, number, tenant, delivery=None):
        body = signers.to_bytes(signers.example_event(number))
        headers = signers.example(body, delivery=delivery or f"d-{number}")
        return self.service.call("POST", f"/webhooks/example/{tenant}", body, token=None, headers=headers)

    def damage(self, tenant, count):
        """Whoever looks for one of these signals again throws."""
        for number in range(1, count + 1):
            self.assertEqual(202, self.send(number, tenant).status)
        self.service.database.query(f"UPDATE signals SET id = 'damaged ' || dedupe_key WHERE tenant_id = '{tenant}'")

    def crash(self, number, tenant):
        return self.send(number, tenant, delivery=f"again-{number}")

    def actor(self, tenant):
        return self.service.call("GET", "/ops/actors", query={"tenant": tenant, "kind": "tenant"}).json["actors"][0]

    def setUp(self):
        super().setUp()
        self.other = self.new_tenant()
        for tenant in (self.tenant, self.other):
            self.connect("example", tenant=tenant)

    def test_one_crash_costs_one_answer_and_no_delivery(self):
        self.damage(self.tenant, 1)
        lost = self.crash(1, self.tenant)
        self.assertEqual((503, "DATABASE_UNAVAILABLE"), (lost.status, lost.json["code"]))
        self.assertTrue(lost.headers.get("retry-after"))
        after = self.send(2, self.tenant)  # held back while the tenant restarts, then taken
        self.assertEqual((202, False), (after.status, after.json["deduplicated"]))
        self.assertEqual("processed", self.settled(after.json["delivery_id"])["status"])
        seen = self.actor(self.tenant)
        self.assertEqual((1, "running"), (seen["restarts"], seen["state"]))
        self.assertEqual("a stored id is no UUID", seen["last_error"])
        self.assertEqual(0, self.actor(self.other)["restarts"])

    def test_a_tenant_that_another_node_claims_goes_on(self):
        for number in range(1, 8):
            self.service.database.query(f"UPDATE tenants SET epoch = epoch + 1 WHERE id = '{self.tenant}'")
            self.assertEqual(202, self.send(number, self.tenant).status)
        self.assertEqual(7, len(self.signals()))
        seen = self.actor(self.tenant)
        self.assertEqual((0, "running", None), (seen["restarts"], seen["state"], seen["last_error"]))

    def test_a_crash_loop_ends_at_the_tenant(self):
        self.damage(self.tenant, 6)
        for number in range(1, 7):
            self.assertEqual(503, self.crash(number, self.tenant).status)
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
