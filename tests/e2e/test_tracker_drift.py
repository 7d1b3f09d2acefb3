"""Drift, health and the feed, as snapshots and work packages move (tracker-api, 5 and 6)."""

import harness
from harness import eventually
from snapshots import T, TrackerSuite, issue, mapping, snapshot


class Drift(TrackerSuite):
    def setUp(self):
        super().setUp()
        self.home = self.project()

    def show(self, status="todo", title="Fix login", cursor=None, mode="external_authoritative", owners=None, **members):
        body = snapshot(self.home, [issue("a", status, title, **members)], [mapping("WP01", "a")], cursor=cursor)
        body.update(doctrine_mode=mode, doctrine_field_owners=owners or {})
        return self.taken(body)

    def test_lanes_and_statuses(self):
        fine = {"planned": {"todo"}, "claimed": {"todo"}, "in_progress": {"in_progress"}, "for_review": {"in_review"}, "in_review": {"in_review"},
                "approved": {"in_review", "done"}, "blocked": {"blocked"}, "done": {"done"}, "canceled": {"canceled"}}
        issues, rows, drifting = [], [], set()
        for lane, suits in fine.items():
            for status in ("todo", "in_progress", "in_review", "blocked", "done", "canceled"):
                number = len(issues)
                self.work_package(self.home, f"WP{number:02}", title="x", lane=lane)
                issues.append(issue(f"i{number}", status, "x"))
                rows.append(mapping(f"WP{number:02}", f"i{number}"))
                if status not in suits:
                    drifting.add(f"WP{number:02}")
        self.taken(snapshot(self.home, issues, rows))
        self.assertEqual({wp for _, wp in self.kinds()}, drifting)
        self.assertEqual(self.feed("tracker_drift_detected"), ["drift_detected"] * len(drifting) if len(drifting) <= 50 else ["drift_detected"])

    def test_fields_and_their_owners(self):
        self.work_package(self.home, title="Ours", lane="done", assignee="Ann", priority=1)
        theirs = {"title": "Theirs", "priority": 3, "assignees": ["bob"]}
        self.show(mode="split_ownership", owners={"title": "local"}, **theirs)
        found = {d["kind"]: d for d in self.items("drift")}
        self.assertEqual(sorted(found), ["status_mismatch", "title_mismatch"])
        self.assertEqual((found["title_mismatch"]["direction"], found["title_mismatch"]["severity"]), ("external_behind", "info"))
        self.assertTrue(found["status_mismatch"]["manual_review_required"])
        self.show(mode="spec_kitty_authoritative", **theirs)
        self.assertEqual([k for k, _ in self.kinds()], ["assignee_mismatch", "priority_mismatch", "status_mismatch", "title_mismatch"])
        self.show("done", mode="spec_kitty_authoritative", title=" Ours  ", priority=9, assignees=["zed", " ANN "])
        self.assertEqual(self.kinds(), [("unmapped_value", "WP01")])
        self.show("done", mode="spec_kitty_authoritative", title="Ours", priority=0)
        self.assertEqual(self.kinds(), [])

    def test_values_change_in_place_without_a_row_of_the_feed(self):
        self.work_package(self.home, title="Fix login", lane="done")
        self.show("todo")
        first = self.items("drift")[0]
        self.show("blocked")
        now = self.items("drift")[0]
        self.assertEqual((now["id"], now["external_value"], now["opened_at"]), (first["id"], "blocked", first["opened_at"]))
        self.assertEqual(self.feed("tracker_drift_detected"), ["drift_detected"])
        self.show("done")
        self.show("todo", cursor="1")
        again = self.items("drift", state="all")
        self.assertEqual((len(again), len({d["id"] for d in again})), (2, 2))

    def test_work_packages_move_drift_too(self):
        self.show("todo")
        self.assertEqual(self.kinds(), [("orphan_link", "WP01")])
        self.work_package(self.home, title="Fix login")
        self.assertEqual(self.kinds(), [])
        self.work_package(self.home, lane="blocked")
        self.assertEqual(self.kinds(), [("status_mismatch", "WP01")])
        self.assertIsNone(self.items("drift")[0]["opened_by_receipt_id"])
        tail = self.feed()[-2:]
        self.assertEqual(tail, ["drift_detected", "health_changed"])
        self.work_package(self.home, lane="claimed")
        self.assertEqual([d["resolution"] for d in self.items("drift", state="resolved")], ["reconciled"] * 2)

    def test_switching_a_binding_off_and_on(self):
        self.work_package(self.home, title="Fix login", lane="done")
        r = self.show("todo")
        path = f"{T}/bindings/{r['binding_id']}/"
        self.expect(200, "PATCH", path, {"state": "disabled"})
        self.assertEqual([d["resolution"] for d in self.items("drift", state="all")], ["superseded"])
        self.work_package(self.home, lane="blocked")
        self.assertEqual(self.kinds(), [])
        self.expect(200, "PATCH", path, {"state": "active"})
        self.assertEqual([(d["kind"], d["spec_kitty_value"]) for d in self.items("drift")], [("status_mismatch", "blocked")])
        self.assertEqual(self.ask("DELETE", path).status, 204)
        self.assertEqual(self.items("drift", state="all"), [])

    def test_a_binding_that_was_refused_thrice_is_degraded(self):
        r = self.show("todo")
        health = lambda: self.expect(200, "GET", f"{T}/bindings/{r['binding_id']}/health/")
        for n in range(3):
            self.problem(400, "validation_error", self.send(snapshot(self.home, [issue("a", "odd")]), f"bad-{n}"))
        now = health()
        self.assertEqual((now["health"], now["consecutive_failures"], now["last_sync_run"]["status"]), ("degraded", 3, "rejected"))
        self.assertEqual(now["last_sync_run"]["error_code"], "validation_error")
        self.assertEqual(self.feed("tracker_snapshot_rejected"), ["snapshot_rejected"])
        self.show("todo", cursor="2")
        self.assertEqual(health()["consecutive_failures"], 0)


class Ageing(TrackerSuite):
    settings = {**TrackerSuite.settings, "TRACKER_STALE_AFTER_SECONDS": "2", "TRACKER_DISCONNECTED_AFTER_SECONDS": "4", "TRACKER_SWEEP_SECONDS": "1"}

    def test_a_binding_grows_stale_and_is_lost(self):
        p = self.project()
        self.work_package(p, title="Issue a")
        r = self.taken(snapshot(p, [issue("a")], [mapping("WP01", "a")]))
        eventually(lambda: self.kinds() == [("stale_snapshot", None)], what="a stale snapshot")
        eventually(lambda: self.feed()[-1] == "health_changed" and
                   self.expect(200, "GET", f"{T}/bindings/{r['binding_id']}/")["health"] == "disconnected", what="a lost binding")
        self.taken(snapshot(p, [issue("a")], cursor="1"))
        self.assertEqual(self.items("drift", state="resolved")[0]["resolution"], "reconciled")
        moves = [(e["payload"]["from"], e["payload"]["to"]) for e in reversed(self.items("/api/v1/activity/", type="tracker_health_changed"))]
        self.assertEqual(moves, [("disconnected", "healthy"), ("healthy", "stale"), ("stale", "disconnected"), ("disconnected", "healthy")])


if __name__ == "__main__":
    harness.main()
