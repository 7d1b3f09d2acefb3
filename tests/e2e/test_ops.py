"""What an operator sees and does: the tree, suspension, restart, metrics."""

import uuid

import harness
import signers
from harness import Suite, eventually

ACTOR = {"id", "kind", "tenant", "parent", "state", "mailbox_depth", "processed", "restarts", "last_error", "since"}
KINDS = {"system", "http", "scheduler", "tenant", "connection", "sync", "refresh", "inbox", "engine", "notifier"}
METRICS = ["http_requests_total", "http_request_duration_seconds", "http_inflight_requests", "signature_verification_success_total",
           "signature_verification_failure_total", "webhook_deliveries_total", "webhook_duplicates_total", "webhook_unmatched_total",
           "webhook_events_unmapped_total", "signals_stored_total", "accept_to_signal_seconds", "actors_live"]


class Ops(Suite):
    def send(self, number=1, tenant=None, **members):
        body = signers.to_bytes(signers.example_event(number, **members))
        return self.deliver("example", body, signers.example(body, delivery=f"d-{number}"), tenant=tenant).json

    def act(self, action, tenant=None):
        answer = self.service.call("POST", f"/ops/tenants/{tenant or self.tenant}/{action}")
        self.assertEqual(answer.status, 200, answer)
        return answer.json

    def test_the_tree_has_one_root_and_no_orphans(self):
        self.connect("example")
        self.send()
        actors = self.service.pages("/ops/actors", "actors", limit=5)
        ids = {actor["id"] for actor in actors}
        self.assertEqual(len(ids), len(actors))
        self.assertEqual([a["kind"] for a in actors if a["parent"] is None], ["system"])
        self.assertTrue(all(a["parent"] in ids for a in actors if a["parent"] is not None))
        self.assertTrue(all(set(a) == ACTOR and a["kind"] in KINDS for a in actors))
        mine = self.service.call("GET", "/ops/actors", query={"tenant": self.tenant}).json["actors"]
        self.assertIn("tenant", {a["kind"] for a in mine})
        self.assertEqual({a["tenant"] for a in mine}, {self.tenant})

    def test_a_suspended_tenant_reads_and_receives_but_does_not_change(self):
        self.connect("example")
        self.assertTrue(self.act("suspend")["changed"])
        self.assertFalse(self.act("suspend")["changed"])
        self.get("/signals")
        self.refused(self.call("POST", "/connections", {"provider": "example", "external_id": "x"}), 403, "TENANT_SUSPENDED")
        accepted = self.send()
        self.assertEqual(self.get("/deliveries/" + accepted["delivery_id"])["status"], "received")
        self.service.restart()
        self.assertEqual(self.get("/deliveries/" + accepted["delivery_id"])["status"], "received")
        self.refused(self.call("POST", "/connections", {"provider": "example", "external_id": "x"}), 403, "TENANT_SUSPENDED")
        self.assertTrue(self.act("resume")["changed"])
        self.assertEqual(self.settled(accepted["delivery_id"])["status"], "processed")
        self.assertEqual(len(self.signals()), 1)

    def test_a_restart_loses_nothing_and_touches_nobody_else(self):
        other = self.new_tenant()
        for tenant in (self.tenant, other):
            self.connect("example", tenant=tenant)
            self.send(1, tenant)
        since = lambda t: [a["since"] for a in self.service.call("GET", "/ops/actors", query={"tenant": t, "kind": "tenant"}).json["actors"]]
        before = since(other)
        self.assertTrue(self.act("restart")["changed"])
        self.send(2)
        self.assertEqual(len(eventually(lambda: len(self.signals()) == 2 and self.signals())), 2)
        self.assertEqual(since(other), before)

    def test_tenants_are_listed_with_their_state(self):
        self.connect("example")
        self.send()
        rows = {row["id"]: row for row in self.service.pages("/ops/tenants", "tenants", limit=100)}
        mine = rows[self.tenant]
        self.assertEqual((mine["status"], mine["connections"], mine["unprocessed_deliveries"]), ("active", 1, 0))
        self.assertEqual(set(mine), {"id", "name", "status", "state", "connections", "queued_jobs", "running_jobs",
                                     "unprocessed_deliveries", "restarts", "last_error", "since"})

    def test_an_unknown_tenant_is_not_found(self):
        for action in ("suspend", "resume", "restart"):
            unknown = str(uuid.uuid4())
            answer = self.service.call("POST", f"/ops/tenants/{unknown}/{action}")
            self.refused(answer, 404, "TENANT_NOT_FOUND", tenant_id=unknown)

    def test_metrics_have_the_promised_names_and_no_tenant(self):
        self.send(1)  # unmatched
        self.connect("example")
        self.send(2)
        self.send(2)  # a duplicate
        self.send(3, action="sneezed")  # unmapped
        self.deliver("example", b"{}", signers.example(b"{}", "another-secret"), status=401)
        text = self.call("GET", "/metrics").text
        for name in METRICS:
            with self.subTest(name):
                self.assertIn(f"# TYPE {name} ", text)
        self.assertRegex(text, r'signals_stored_total\{[^}]*kind="issue_created"[^}]*\} [1-9]')
        self.assertNotIn(self.tenant, text)
        self.refused(self.call("GET", "/metrics", token=None), 401, "UNAUTHORIZED")

    def test_the_configuration_is_told_without_secrets(self):
        summary = self.get("/config/summary")
        self.assertEqual((summary["profile"], summary["database"]), ("test", self.service.database.kind))
        self.assertTrue(all(set(p) == {"name", "configured", "webhook_secret_configured"} for p in summary["providers"]))
        policy = self.get("/config/rate-limit-policy")
        self.assertEqual((policy["BASE_SECONDS"], policy["MAX_SECONDS"], policy["JITTER_FACTOR"]), (5, 900, 0.1))


class PublicMetrics(Suite):
    settings = {"METRICS_PUBLIC": "true"}

    def test_metrics_can_be_made_public(self):
        self.assertEqual(self.call("GET", "/metrics", token=None).status, 200)


if __name__ == "__main__":
    harness.main()
