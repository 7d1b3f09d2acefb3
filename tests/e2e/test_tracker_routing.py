"""Where snapshots land, bindings, resources, links by hand and the queue (tracker-api, 3.2 to 3.6 and 4.4)."""

import uuid

import harness
from snapshots import T, TrackerSuite, issue, mapping, snapshot

TEAM = ("linear_team", "abc")


class Routing(TrackerSuite):
    def test_the_table(self):
        p, q = self.project(), self.project()
        bound = self.binding(p, [TEAM])
        r = self.taken(snapshot(None, resource=TEAM))
        self.assertEqual((r["binding_id"], r["routing"]), (bound["id"], {"matched_by": "resource", "fallback_used": False}))
        r = self.taken(snapshot(q, resource=TEAM))
        self.assertEqual((r["binding_id"], [w["code"] for w in r["warnings"]]), (bound["id"], ["project_overridden_by_resource", "project_slug_overridden"]))
        r = self.taken(snapshot(p, resource=("linear_team", "other")))
        self.assertEqual(r["routing"], {"matched_by": "project", "fallback_used": True})
        r = self.taken(snapshot(None))
        self.assertEqual((r["binding_id"], r["routing"]["matched_by"]), (bound["id"], "workspace"))
        r = self.taken(snapshot(q))
        self.assertEqual((r["binding_created"], r["project"]["id"], r["routing"]["matched_by"]), (True, q["id"], "project"))
        self.taken(snapshot(None, cursor="2"), status=202)
        self.taken(snapshot({"project_uuid": "nonsense", "slug": "x"}), status=202)
        self.taken(snapshot({"project_uuid": str(uuid.uuid4()), "slug": "x"}), status=202)
        self.taken(snapshot(None, workspace="elsewhere"), status=202)
        reasons = [x["reason"] for x in self.items("queue")]
        self.assertEqual(sorted(reasons), ["ambiguous_workspace", "invalid_project_uuid", "no_project", "unknown_project"])

    def test_a_project_that_says_it_is_another_is_never_hit_by_workspace(self):
        self.binding(self.project())
        self.taken(snapshot({"project_uuid": str(uuid.uuid4()), "slug": "x"}), status=202)
        plain = self.project(project_uuid=None)
        self.binding(plain, workspace="beta")
        r = self.taken(snapshot({"project_uuid": str(uuid.uuid4()), "slug": "x"}, workspace="beta"))
        self.assertEqual((r["project"]["id"], r["project"]["uuid"], r["routing"]["matched_by"]), (plain["id"], None, "workspace"))

    def test_a_discovered_resource_routes_nothing(self):
        p, q = self.project(), self.project()
        a = self.taken(snapshot(p, resource=TEAM))
        b = self.taken(snapshot(q, resource=TEAM))
        self.assertNotEqual(a["binding_id"], b["binding_id"])
        states = [r["state"] for r in self.items(f"{T}/bindings/{a['binding_id']}/resources/")]
        self.assertEqual(states, ["discovered"])

    def test_no_step_crosses_teams(self):
        theirs = self.new_tenant(slug="t-" + uuid.uuid4().hex[:8])
        p = self.project(tenant=theirs)
        self.taken(snapshot(p), status=202)
        self.assertEqual(self.items("snapshots", tenant=theirs), [])
        mine = self.taken(snapshot(self.project(), [issue("a")], [mapping("WP01", "a")]))
        rows = {"bindings": mine["binding_id"], "snapshots": mine["receipt_id"], "mappings": self.items("mappings")[0]["id"],
                "issues": self.items("issues")[0]["id"], "drift": self.items("drift")[0]["id"], "queue": self.items("queue")[0]["id"]}
        for kind, number in rows.items():
            with self.subTest(kind):
                self.assertEqual(self.ask("GET", f"{T}/{kind}/{number}/").status, 200)
                self.assertEqual(self.ask("GET", f"{T}/{kind}/{number}/", tenant=theirs).status, 404)
                self.assertEqual(self.items(kind, tenant=theirs), [])
        for method, path in (("PATCH", "bindings/" + rows["bindings"]), ("PATCH", "mappings/" + rows["mappings"])):
            self.assertEqual(self.ask(method, f"{T}/{path}/", {}, tenant=theirs).status, 404)
        for method, path in (("DELETE", "bindings/" + rows["bindings"]), ("DELETE", "mappings/" + rows["mappings"]),
                             ("POST", f"queue/{rows['queue']}/dismiss")):
            self.assertEqual(self.ask(method, f"{T}/{path}/", tenant=theirs).status, 404)

    def test_a_switched_off_flag_stores_nothing(self):
        p = self.project()
        self.expect(200, "PUT", "/api/v1/flags/tracker_connectors", {"enabled": False})
        body = snapshot(p, [issue("a")])
        self.problem(403, "feature_disabled", self.send(body))
        self.problem(403, "feature_disabled", self.ask("GET", T + "/bindings/"))
        self.expect(200, "PUT", "/api/v1/flags/tracker_connectors", {"enabled": True})
        self.assertEqual((self.items("snapshots"), self.items("issues")), ([], []))
        self.taken(body)


class Bindings(TrackerSuite):
    def test_states_and_what_may_follow(self):
        p = self.project()
        b = self.binding(p)
        path = f"{T}/bindings/{b['id']}/"
        self.assertEqual((b["state"], b["origin"], b["health"], b["display_label"]), ("active", "api", "disconnected", "linear:acme"))
        body = {"project_id": p["id"], "provider": " Linear ", "workspace": "acme"}
        self.assertEqual(self.problem(409, "binding_exists", self.ask("POST", T + "/bindings/", body))["details"]["binding_id"], b["id"])
        self.problem(404, "project_not_found", self.ask("POST", T + "/bindings/", {**body, "project_id": str(uuid.uuid4())}))
        self.problem(400, "validation_error", self.ask("PATCH", path, {"state": "discovered"}))
        self.assertEqual(self.expect(200, "PATCH", path, {"state": "disabled", "display_label": "Ours"})["display_label"], "Ours")
        self.taken(snapshot(p, [issue("a")]), status=202)
        self.assertEqual(self.items("queue")[0]["reason"], "binding_disabled")
        self.assertEqual(self.expect(200, "PATCH", path, {"state": "active"})["sequence"], 1)
        self.assertEqual([x["state"] for x in self.items("queue")], ["resolved"])
        runs = self.items(f"{path}sync-runs/")
        self.assertEqual([(r["trigger"], r["status"]) for r in runs], [("manual_mapping", "succeeded")])
        self.assertEqual(self.ask("DELETE", path).status, 204)
        self.problem(404, "binding_not_found", self.ask("GET", path))
        self.problem(404, "binding_not_found", self.ask("DELETE", path))
        self.assertEqual((self.items("bindings"), self.items("issues"), self.items("snapshots")), ([], [], []))
        self.taken(snapshot(p, [issue("b")]), status=202)
        self.assertEqual(self.items("queue", state="pending")[0]["reason"], "binding_deleted")
        self.assertEqual(self.feed("tracker_binding_created", "tracker_binding_disabled", "tracker_binding_activated", "tracker_binding_deleted"),
                         ["binding_created", "binding_disabled", "binding_activated", "binding_deleted"])

    def test_one_tuple_one_binding(self):
        p, q = self.project(), self.project()
        b, c = self.binding(p, [TEAM]), self.binding(q)
        tuple_ = {"resource_type": TEAM[0], "resource_id": TEAM[1]}
        refused = self.problem(409, "already_bound", self.ask("POST", f"{T}/bindings/{c['id']}/resources/", tuple_))
        self.assertEqual(refused["details"]["binding_id"], b["id"])
        held = f"{T}/bindings/{b['id']}/resources/{b['resources'][0]['id']}/"
        self.expect(200, "PATCH", held, {"state": "disabled"})
        moved = self.expect(201, "POST", f"{T}/bindings/{c['id']}/resources/", tuple_)
        self.problem(409, "already_bound", self.ask("PATCH", held, {"state": "active"}))
        self.assertEqual(self.ask("DELETE", f"{T}/bindings/{c['id']}/resources/{moved['id']}/").status, 204)
        self.assertEqual(self.expect(200, "PATCH", held, {"state": "active"})["state"], "active")
        self.problem(404, "not_found", self.ask("DELETE", f"{T}/bindings/{c['id']}/resources/{moved['id']}/"))

    def test_a_policy_of_ones_own_outlives_snapshots(self):
        p = self.project()
        self.work_package(p, title="Ours", lane="done")
        r = self.taken(snapshot(p, [issue("a", "done", "Theirs")], [mapping("WP01", "a")]))
        path = f"{T}/bindings/{r['binding_id']}/"
        self.assertEqual(self.kinds(), [("title_mismatch", "WP01")])
        own = self.expect(200, "PATCH", path, {"doctrine_mode": "split", "doctrine_field_owners": {"assignees": "spec_kitty"}})["doctrine"]
        self.assertEqual((own["mode"], own["field_owners"], own["source"], own["reported_mode"]),
                         ("split_ownership", {"assignee": "local"}, "manual", "external_authoritative"))
        self.assertEqual((self.kinds(), [d["resolution"] for d in self.items("drift", state="resolved")]), ([], ["superseded"]))
        self.taken(snapshot(p, [issue("a", "done", "Theirs")], cursor="1"))
        self.assertEqual(self.expect(200, "GET", path)["doctrine"]["source"], "manual")
        self.assertEqual(self.expect(200, "PATCH", path, {"doctrine_mode": None})["doctrine"]["mode"], "external_authoritative")
        self.assertEqual(self.kinds(), [("title_mismatch", "WP01")])
        self.assertEqual(self.feed("tracker_doctrine_changed"), ["doctrine_changed"] * 2)

    def test_changes_by_callers_are_in_the_audit_log(self):
        b = self.binding(self.project())
        self.expect(200, "PATCH", f"{T}/bindings/{b['id']}/", {"display_label": "x"})
        actions = self.service.database.query(f"SELECT action FROM audit_log WHERE object = '{b['id']}' ORDER BY at, id")
        self.assertEqual(actions, ["tracker_binding.create", "tracker_binding.patch"])


class Links(TrackerSuite):
    def test_by_hand(self):
        p = self.project()
        b = self.binding(p)
        for mission in ("m1", "m2"):
            self.work_package(p, mission_slug=mission, title="Issue a")
        self.taken(snapshot(p, [issue("a"), issue("b")], [mapping("WP01", "a")]))
        self.assertEqual(self.kinds(), [("ambiguous_mapping", "WP01")])
        m = self.items("mappings")[0]
        one = f"{T}/mappings/{m['id']}/"
        now = self.expect(200, "PATCH", one, {"mission_slug": "m2"})
        self.assertEqual((now["state"], now["source"], self.kinds()), ("linked", "manual", []))
        row = {"binding_id": b["id"], "wp_id": "WP01", "mission_slug": "m1", "external_id": "b"}
        made = self.expect(201, "POST", T + "/mappings/", row)
        self.problem(409, "mapping_exists", self.ask("POST", T + "/mappings/", row))
        self.problem(409, "mapping_exists", self.ask("PATCH", one, {"mission_slug": "m1"}))
        self.assertEqual([x["mission_slug"] for x in self.items("mappings")], ["m1", "m2"])
        told = len(self.feed("tracker_mapping_changed"))
        self.expect(200, "PATCH", one, {"mission_slug": "m2"})
        self.assertEqual(len(self.feed("tracker_mapping_changed")), told)
        self.assertEqual(self.ask("DELETE", f"{T}/mappings/{made['id']}/").status, 204)
        self.problem(404, "not_found", self.ask("GET", f"{T}/mappings/{made['id']}/"))

    def test_the_next_claim_holds_at_once(self):
        p = self.project()
        for wp in ("WP01", "WP02"):
            self.work_package(p, wp, title="Issue a")
        r = self.taken(snapshot(p, [issue("a"), issue("b")], [mapping("WP01", "a"), mapping("WP02", "a")]))
        self.assertEqual([(w["code"], w["path"]) for w in r["warnings"]], [("duplicate_claim", "mappings[1]")])
        states = lambda: {m["wp_id"]: m["state"] for m in self.items("mappings")}
        self.assertEqual(states(), {"WP01": "linked", "WP02": "contested"})
        first = next(m for m in self.items("mappings") if m["wp_id"] == "WP01")
        self.expect(200, "PATCH", f"{T}/mappings/{first['id']}/", {"external_id": "b"})
        self.assertEqual((states(), self.kinds()), ({"WP01": "linked", "WP02": "linked"}, [("title_mismatch", "WP01")]))
        self.expect(200, "PATCH", f"{T}/mappings/{first['id']}/", {"external_id": "a"})
        self.assertEqual(states(), {"WP01": "contested", "WP02": "linked"})
        self.assertEqual(self.ask("DELETE", f"{T}/mappings/{first['id']}/").status, 204)
        self.assertEqual(self.items("drift", state="resolved", kind="duplicate_claim")[0]["resolution"], "link_removed")

    def test_one_made_by_hand_is_kept(self):
        p = self.project()
        b = self.binding(p)
        self.work_package(p, title="Issue a")
        self.expect(201, "POST", T + "/mappings/", {"binding_id": b["id"], "wp_id": "WP01", "external_id": "a"})
        r = self.taken(snapshot(p, [issue("a"), issue("b")], [mapping("WP01", "b")]))
        self.assertEqual([w["code"] for w in r["warnings"]], ["manual_link_kept"])
        self.assertEqual([m["external_id"] for m in self.items("mappings")], ["a"])


class Queue(TrackerSuite):
    def test_resolving(self):
        nobody = {"project_uuid": str(uuid.uuid4()), "slug": "later"}
        old = self.taken(snapshot(nobody, [issue("a", "todo")], resource=TEAM), status=202)
        new = self.taken(snapshot(nobody, [issue("a", "done")], resource=TEAM), status=202)
        self.assertEqual(self.expect(200, "GET", f"{T}/snapshots/{old['receipt_id']}/")["state"], "superseded")
        item, = self.items("queue", state="pending")
        self.assertEqual((item["receipt_id"], item["external_resource_id"]), (new["receipt_id"], "abc"))
        p = self.project()
        path = f"{T}/queue/{item['id']}/resolve/"
        self.problem(404, "project_not_found", self.ask("POST", path, {"project_id": str(uuid.uuid4())}))
        done = self.expect(200, "POST", path, {"project_id": p["id"]})
        self.assertEqual((done["queue_item"]["state"], done["binding"]["state"], done["binding"]["origin"], done["receipt"]["routing"]["matched_by"]),
                         ("resolved", "active", "queue", "manual"))
        self.assertEqual([(i["external_id"], i["status"]) for i in self.items("issues")], [("a", "done")])
        self.problem(409, "queue_item_closed", self.ask("POST", path, {"project_id": p["id"]}))
        self.assertEqual(self.taken(snapshot(nobody, [issue("b")], resource=TEAM))["routing"]["matched_by"], "resource")
        self.assertEqual(self.taken(snapshot(nobody, [issue("a", "todo")], resource=TEAM), status=200)["state"], "superseded")

    def test_dismissing(self):
        body = snapshot(None)
        r = self.taken(body, status=202)
        item, = self.items("queue")
        self.assertEqual(self.expect(200, "POST", f"{T}/queue/{item['id']}/dismiss/", {})["state"], "dismissed")
        again = self.taken(body, status=200)
        self.assertEqual((again["receipt_id"], again["state"]), (r["receipt_id"], "discarded"))

    def test_a_mapped_resource_takes_what_waited_for_it(self):
        self.taken(snapshot(None, [issue("a")], resource=TEAM, workspace="w"), status=202)
        self.taken(snapshot(None, [issue("b")], workspace="w"), status=202)
        self.binding(self.project(), [TEAM], workspace="w")
        self.assertEqual([x["state"] for x in self.items("queue")], ["resolved", "resolved"])
        receipts = self.items("snapshots")
        self.assertEqual([(r["state"], r["routing"]["matched_by"], r["sequence"]) for r in receipts], [("applied", "manual", 2), ("applied", "manual", 1)])


class FullQueue(TrackerSuite):
    settings = {**TrackerSuite.settings, "TRACKER_QUEUE_MAX": "2"}

    def test_a_full_queue_takes_no_new_scope(self):
        for n in range(2):
            self.taken(snapshot(None, workspace=f"w{n}"), status=202)
        refused = self.problem(429, "queue_full", self.send(snapshot(None, workspace="w2")))
        self.assertTrue(refused["retryable"])
        self.taken(snapshot(None, [issue("a")], workspace="w1"), status=202)


if __name__ == "__main__":
    harness.main()
