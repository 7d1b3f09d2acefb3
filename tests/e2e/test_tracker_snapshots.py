"""Snapshots and their receipts: what is taken in, what is a repeat, and what follows (tracker-api, 4 and 12)."""

import concurrent.futures
import gzip
import json
import uuid

import harness
from snapshots import T, TrackerSuite, computed_key, issue, mapping, snapshot


class WorkedExample(TrackerSuite):
    def test_the_example_of_the_contract(self):
        project = self.project()
        self.work_package(project, title="Fix login", lane="done")
        rows = [mapping("WP01", "a-1")]
        first = snapshot(project, [issue("a-1", "in_progress", "Fix login")], rows)
        key = computed_key(first)

        a = self.taken(first)
        self.assertEqual((a["status"], a["binding_created"], a["routing"]["matched_by"], a["counts"]["drift_opened"]), ("accepted", True, "project", 1))
        self.assertEqual([(d["kind"], d["direction"]) for d in self.items("drift")], [("status_mismatch", "spec_kitty_behind")])
        self.assertEqual(self.feed(), ["binding_discovered", "snapshot_ingested", "drift_detected", "health_changed"])
        binding = self.expect(200, "GET", f"{T}/bindings/{a['binding_id']}/")
        self.assertEqual((binding["state"], binding["sequence"], binding["health"]), ("discovered", 1, "drifting"))
        self.assertEqual(binding["counts"], {"issues": 1, "issues_absent": 0, "mappings": 1, "drift_open": 1})

        again = self.send(first)
        self.assertEqual((again.status, again.headers["Idempotency-Replayed"], again.json["receipt_id"]), (200, "true", a["receipt_id"]))
        self.assertEqual(len(self.feed()), 4)

        second = snapshot(project, [issue("a-1", "done", "Fix login")], rows)
        self.assertEqual(computed_key(second), key)
        b = self.taken(second)
        self.assertEqual((b["key_reused"], b["revision"], b["counts"]["drift_resolved"]), (True, 2, 1))
        self.assertEqual(self.feed()[4:], ["snapshot_ingested", "drift_resolved", "health_changed"])
        self.assertEqual(self.expect(200, "GET", f"{T}/bindings/{a['binding_id']}/")["health"], "healthy")

        self.assertEqual(self.taken(first, status=200)["receipt_id"], a["receipt_id"])
        self.assertEqual([i["status"] for i in self.items("issues")], ["done"])

        c = self.taken(snapshot(project, [], rows))
        self.assertEqual((c["sequence"], c["counts"]["drift_opened"]), (3, 0))
        self.assertEqual([i["presence"] for i in self.items("issues")], ["present"])

        self.taken(snapshot(project, [issue("b-1")], rows, cursor="1"))
        self.assertEqual({i["external_id"]: i["presence"] for i in self.items("issues")}, {"a-1": "absent", "b-1": "present"})
        self.assertEqual([(m["state"], m["absent_count"]) for m in self.items("mappings")], [("linked", 1)])
        d = self.taken(snapshot(project, [issue("b-1")], rows, cursor="2"))
        self.assertEqual(d["counts"]["drift_opened"], 1)
        self.assertEqual([(x["kind"], x["state"]) for x in self.items("drift")], [("missing_external", "open")])

        nobody = {"project_uuid": str(uuid.uuid4()), "slug": "x"}
        q = self.taken(snapshot(nobody, [issue("z-1")]), status=202)
        self.assertEqual((q["state"], q["binding_id"], q["routing"]["matched_by"]), ("queued", None, "none"))
        self.assertEqual([x["reason"] for x in self.items("queue", state="pending")], ["unknown_project"])
        self.assertEqual(len(self.items("issues")), 2)


class Receipts(TrackerSuite):
    def setUp(self):
        super().setUp()
        self.home = self.project()

    def test_a_receipt_explains_what_it_did(self):
        self.work_package(self.home, title="Issue a", lane="done")
        a = self.taken(snapshot(self.home, [issue("a"), issue("b")], [mapping("WP01", "a")]))
        effects = self.expect(200, "GET", f"{T}/snapshots/{a['receipt_id']}/")["effects"]
        self.assertEqual((effects["issues"]["created"], len(effects["links"]["created"]), effects["truncated"]), (["a", "b"], 1, False))
        self.assertEqual(effects["drift"]["opened"], [d["id"] for d in self.items("drift")])
        told = self.items("/api/v1/activity/", since_seq=effects["feed"]["from_seq"], until_seq=effects["feed"]["to_seq"])
        self.assertEqual(len(told), 4)
        many = self.taken(snapshot(self.home, [issue(f"i-{n:03}") for n in range(101)], cursor="x"))
        effects = many["effects"]
        self.assertEqual((len(effects["issues"]["created"]), effects["issues"]["absent"], effects["truncated"]), (100, ["a", "b"], True))

    def test_the_same_json_written_otherwise_is_the_same_body(self):
        body = snapshot(self.home, [issue("a", title="naïve – ünï")])
        a = self.taken(body, "k")
        other = json.dumps(dict(reversed(list(body.items()))), indent=2, ensure_ascii=True).encode()
        headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
        b = self.ask("POST", T + "/snapshots/", other, headers=headers)
        self.assertEqual((b.status, b.json["receipt_id"]), (200, a["receipt_id"]), b)
        packed = self.ask("POST", T + "/snapshots/", gzip.compress(other), headers={**headers, "Content-Encoding": "gzip"})
        self.assertEqual((packed.status, packed.json.get("receipt_id")), (200, a["receipt_id"]), packed)

    def test_a_key_of_another_shape_belongs_to_one_body(self):
        self.taken(snapshot(self.home, [issue("a")]), "delivery-7")
        refused = self.send(snapshot(self.home, [issue("a", "done")]), "delivery-7")
        self.assertEqual(self.problem(409, "idempotency_key_conflict", refused)["idempotency_key"], "delivery-7")
        self.assertEqual([i["status"] for i in self.items("issues")], ["todo"])
        other = self.project()
        self.assertFalse(self.taken(snapshot(other, [issue("a", "done")]), "delivery-7")["key_reused"])

    def test_a_refused_body_leaves_its_key_free(self):
        self.problem(400, "validation_error", self.send(snapshot(self.home, [issue("a", "odd")]), "k"))
        self.assertEqual(self.items("snapshots"), [])
        self.assertEqual(self.taken(snapshot(self.home, [issue("a", "done")]), "k")["revision"], 1)

    def test_keys_are_checked(self):
        body = snapshot(self.home)
        self.problem(400, "idempotency_key_required", self.ask("POST", T + "/snapshots/", body))
        for key in ("k" * 256, "a b"):
            self.problem(400, "idempotency_key_invalid", self.send(body, key))

    def test_twenty_at_once_are_one(self):
        body = snapshot(self.home, [issue(f"a-{n}") for n in range(50)], [mapping("WP01", "a-1")])
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda _: self.send(body), range(20)))
        self.assertEqual(sorted(a.status for a in answers), [200] * 19 + [201])
        self.assertEqual(len({a.json["receipt_id"] for a in answers}), 1)
        self.assertEqual(self.feed("tracker_snapshot_ingested"), ["snapshot_ingested"])

    def test_different_bodies_at_once_are_put_in_order(self):
        bodies = [snapshot(self.home, [issue("a", title=f"title {n}")], cursor=str(n)) for n in range(12)]
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(self.send, bodies))
        self.assertEqual(sorted(a.json["sequence"] for a in answers), list(range(1, 13)))
        last = max(answers, key=lambda a: a.json["sequence"])
        title = bodies[answers.index(last)]["issues"][0]["title"]
        self.assertEqual([i["title"] for i in self.items("issues")], [title])

    def test_an_older_issue_changes_nothing_but_is_present(self):
        self.taken(snapshot(self.home, [issue("a", "done", updated_at="2026-03-05T00:00:00Z")]), "k1")
        self.taken(snapshot(self.home, [issue("b")], cursor="1"))
        late = self.taken(snapshot(self.home, [issue("a", "todo", updated_at="2026-03-05T00:30:00+01:00")]), "k2")
        self.assertEqual((late["counts"]["issues_skipped_older"], late["counts"]["issues_updated"]), (1, 0))
        a, b = self.items("issues")
        self.assertEqual((a["status"], a["presence"], b["presence"]), ("done", "present", "absent"))
        self.assertEqual(a["last_receipt_id"], late["receipt_id"])

    def test_only_what_changed_is_counted(self):
        first = [issue(f"a-{n}") for n in range(20)]
        self.taken(snapshot(self.home, first))
        first[3]["labels"] = ["new"]
        counts = self.taken(snapshot(self.home, first))["counts"]
        self.assertEqual((counts["issues_updated"], counts["issues_unchanged"], counts["issues_created"]), (1, 19, 0))

    def test_limits_are_told(self):
        big = [issue(f"a-{n}") for n in range(10_001)]
        problem = self.problem(413, "payload_too_large", self.send(snapshot(self.home, big), "k"))
        self.assertEqual(problem["details"], {"limit": "issues", "max": 10000, "actual": 10001})

    def test_a_suspended_team_takes_nothing_in(self):
        body = snapshot(self.home)
        self.taken(body)
        self.assertEqual(self.service.call("POST", f"/ops/tenants/{self.tenant}/suspend").status, 200)
        self.problem(403, "tenant_suspended", self.send(body))
        self.assertEqual(len(self.items("snapshots")), 1)


if __name__ == "__main__":
    harness.main()
