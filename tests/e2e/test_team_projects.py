"""Projects, work packages, and the events that clients report of them."""

import gzip
import json
import threading
import uuid

import harness
from teams import ACTIVITY, EVENTS, PROJECTS, TeamSuite, event


class Projects(TeamSuite):
    def test_a_project_is_found_by_both_its_ids(self):
        row = self.project("alpha", name="Alpha")
        self.assertEqual((row["slug"], row["name"], row["work_package_count"], row["tracker"]), ("alpha", "Alpha", 0, None))
        for name in (row["id"], row["project_uuid"], row["id"].upper()):
            self.assertEqual(self.answered("read", "GET", f"{PROJECTS}{name}/")["id"], row["id"])
        for name in (str(uuid.uuid4()), "alpha"):
            self.error(self.by("read", "GET", f"{PROJECTS}{name}/"), 404, "project_not_found", "not_found")

    def test_slug_and_uuid_are_taken_once_a_team(self):
        row = self.project("alpha")
        for body in ({"name": "n", "slug": "alpha"}, {"name": "n", "slug": "beta", "project_uuid": row["project_uuid"]}):
            self.error(self.by("admin", "POST", PROJECTS, body), 409, "project_exists", "conflict")
        other = self.tokens_of(self.new_tenant())["admin"]
        body = {"name": "n", "slug": "alpha", "project_uuid": row["project_uuid"]}
        self.assertEqual(self.service.call("POST", PROJECTS, body, token=other).status, 201, "another team's are unrelated")
        self.error(self.service.call("GET", f"{PROJECTS}{row['id']}/", token=other), 404, "project_not_found")

    def test_a_uuid_is_given_once(self):
        row = self.project("alpha", project_uuid=None)
        path = f"{PROJECTS}{row['id']}/"
        given = str(uuid.uuid4())
        changed = self.answered("admin", "PATCH", path, {"name": "Beta", "slug": "beta", "project_uuid": given})
        self.assertEqual((changed["name"], changed["slug"], changed["project_uuid"]), ("Beta", "beta", given))
        self.answered("admin", "PATCH", path, {"project_uuid": given})
        self.error(self.by("admin", "PATCH", path, {"project_uuid": str(uuid.uuid4())}), 409, "invalid_transition", "conflict")

    def test_slugs_are_in_the_order_of_their_bytes(self):
        for slug in ("b", "a-b", "aB", "ab", "B", "é", "a_b"):
            self.project(slug)
        self.assertEqual([p["slug"] for p in self.rows(PROJECTS, limit="2")], sorted(("b", "a-b", "aB", "ab", "B", "é", "a_b"), key=str.encode))

    def test_members_that_are_wrong_are_named(self):
        for body, path in (({"name": "", "slug": "s"}, "name"), ({"name": "n", "slug": 1}, "slug"), ({"name": "n", "slug": "a\nb"}, "slug"),
                           ({"name": "n", "slug": "s", "project_uuid": "00000000-0000-0000-0000-000000000000"}, "project_uuid")):
            details = self.error(self.by("admin", "POST", PROJECTS, body), 400, "validation_error")
            self.assertEqual([e["path"] for e in details["errors"]], [path])


class WorkPackages(TeamSuite):
    def test_put_makes_and_changes(self):
        row = self.project()
        made = self.put(row, "WP01", title="Fix", priority=2)
        self.assertEqual((made["lane"], made["title"], made["assignee"], made["priority"], made["mission_slug"]), ("planned", "Fix", None, 2, None))
        changed = self.put(row, "WP01", 200, lane="for_review", assignee="ann", priority=None)
        self.assertEqual((changed["lane"], changed["title"], changed["assignee"], changed["priority"]), ("for_review", "Fix", "ann", None))
        self.assertEqual(self.work_package(row, "WP01")["lane"], "for_review")
        self.error(self.by("read", "GET", f"{PROJECTS}{row['id']}/work-packages/WP9/"), 404, "work_package_not_found")
        self.assertEqual(self.answered("read", "GET", f"{PROJECTS}{row['id']}/")["work_package_count"], 1)

    def test_what_is_wrong_is_refused(self):
        row = self.project()
        for wp, body, path in (("WP", {}, "wp"), ("wp01", {}, "wp"), ("WP1x", {}, "wp"), ("WP01", {"lane": "odd"}, "lane"),
                               ("WP01", {"lane": "genesis"}, "lane"), ("WP01", {"priority": 5}, "priority"), ("WP01", {"priority": True}, "priority"),
                               ("WP01", {"title": 1}, "title"), ("WP01", {"title": "a\0b"}, "title")):
            answer = self.by("admin", "PUT", f"{PROJECTS}{row['id']}/work-packages/{wp}/", body)
            self.assertEqual([e["path"] for e in self.error(answer, 400, "validation_error")["errors"]], [path], body)
        self.error(self.by("admin", "PUT", f"{PROJECTS}{uuid.uuid4()}/work-packages/WP01/", {}), 404, "project_not_found")

    def test_one_id_in_several_missions(self):
        row = self.project()
        for mission in ("m2", None, "m1"):
            self.put(row, "WP01", mission_slug=mission, title=mission or "none")
        path = f"{PROJECTS}{row['id']}/work-packages/WP01/"
        details = self.error(self.by("read", "GET", path), 409, "ambiguous_work_package", "conflict")
        self.assertEqual(details["candidates"], [None, "m1", "m2"])
        self.error(self.by("admin", "PUT", path, {"lane": "done"}), 409, "ambiguous_work_package")
        self.assertEqual(self.work_package(row, "WP01", mission="m1")["title"], "m1")
        self.put(row, "WP01", 200, mission_slug=None, lane="done")
        self.put(row, "WP02", mission_slug="m1")
        listed = self.rows(f"{PROJECTS}{row['id']}/work-packages/", limit="1")
        self.assertEqual([(w["wp_id"], w["mission_slug"], w["lane"]) for w in listed],
                         [("WP01", None, "done"), ("WP01", "m1", "planned"), ("WP01", "m2", "planned"), ("WP02", "m1", "planned")])
        self.assertEqual([w["wp_id"] for w in self.rows(f"{PROJECTS}{row['id']}/work-packages/", mission="m1")], ["WP01", "WP02"])


class Events(TeamSuite):
    def test_events_make_move_and_assign(self):
        row = self.project()
        results = self.results(event(row, "WPCreated", "WP01", wp_title="Fix", feature_slug="m"),
                               event(row, "WPStatusChanged", "WP01", from_lane="genesis", to_lane="claimed", mission_slug="m"),
                               event(row, "WPAssigned", "WP01", agent_id="ann", mission_slug="m"),
                               event(row, "SomethingElse", "x"))
        self.assertEqual(results, [("success", None)] * 4)
        wp = self.work_package(row, "WP01")
        self.assertEqual((wp["mission_slug"], wp["title"], wp["lane"], wp["assignee"]), ("m", "Fix", "claimed", "ann"))
        rows = self.rows(ACTIVITY)
        self.assertEqual([r["type"] for r in reversed(rows)], ["WPCreated", "WPStatusChanged", "WPAssigned", "SomethingElse"])
        self.assertEqual(rows[2]["payload"]["to_lane"], "claimed")
        self.assertEqual((rows[2]["wp_id"], rows[2]["mission_slug"], rows[2]["project_id"], rows[2]["actor"]["kind"]), ("WP01", "m", row["id"], "client"))
        self.assertEqual(rows[2]["url"], f"/dashboard/projects/{row['id']}/work-packages/WP01?mission=m")

    def test_an_event_counts_once(self):
        row = self.project()
        one = event(row, "WPCreated", "WP01", event_id="01ARZ3NDEKTSV4RRFFQ69G5FAV")
        again = {**one, "event_id": one["event_id"].lower()}
        self.assertEqual([s for s, _ in self.results(one, again)], ["success", "duplicate"])
        self.assertEqual([s for s, _ in self.results(one)], ["duplicate"])
        self.assertEqual(len(self.rows(ACTIVITY)), 1)
        other = self.tokens_of(self.new_tenant())["write"]
        self.assertEqual(self.report(one, token=other).json["results"][0]["status"], "success", "ids are a team's own")

    def test_the_last_lane_is_the_greatest_events(self):
        row = self.project()

        def move(lane, clock, node, event_id=None):
            return event(row, "WPStatusChanged", "WP01", to_lane=lane, clock=clock, node=node, event_id=event_id)

        self.results(move("in_progress", 5, "b"))
        for lane, clock, node, expected in (("done", 4, "z", "in_progress"), ("done", 5, "a", "in_progress"), ("blocked", 5, "c", "blocked"),
                                            ("planned", 6, "a", "planned"), ("done", 5, "zz", "planned")):
            self.results(move(lane, clock, node))
            self.assertEqual(self.work_package(row, "WP01")["lane"], expected)
        low, high = "00000000-0000-4000-8000-000000000001", "ffffffff-ffff-4fff-bfff-ffffffffffff"
        self.results(move("claimed", 9, "n", high), move("done", 9, "n", low))
        self.assertEqual(self.work_package(row, "WP01")["lane"], "claimed")

    def test_what_is_wrong_is_rejected_alone(self):
        row = self.project()
        good = event(row, "WPCreated", "WP01")
        broken = []
        for member in ("event_id", "event_type", "aggregate_id", "aggregate_type", "payload", "node_id", "lamport_clock", "timestamp", "project_uuid"):
            broken.append(({k: v for k, v in event(row, "WPCreated", "WP02").items() if k != member}, "missing field " + member))
        broken += [(event(row, "WPStatusChanged", "WP02"), "missing field payload.to_lane"),
                   (event(row, "WPStatusChanged", "WP02", to_lane="odd"), "unknown lane in payload.to_lane"),
                   (event(row, "WPStatusChanged", "WP02", to_lane="genesis"), "unknown lane in payload.to_lane"),
                   (event(row, "WPCreated"), "missing field payload.wp_id"), (event(row, "WPCreated", "W2"), "invalid field payload.wp_id"),
                   (event(row, "ErrorLogged", error_message="x"), "missing field payload.error_type"),
                   ({**event(row, "WPCreated", "WP02"), "lamport_clock": -1}, "invalid field lamport_clock"),
                   ({**event(row, "WPCreated", "WP02"), "event_id": "x"}, "invalid field event_id"),
                   ({**event(row, "WPCreated", "WP02"), "timestamp": "yesterday"}, "invalid field timestamp"),
                   ({**event(row, "WPCreated", "WP02"), "event_type": "a\nb"}, "invalid field event_type"),
                   ("text", "the event is not an object")]
        results = self.results(*(e for e, _ in broken), good)
        self.assertEqual(results[:-1], [("rejected", why) for _, why in broken])
        self.assertEqual(results[-1], ("success", None))
        self.assertEqual([w["wp_id"] for w in self.rows(f"{PROJECTS}{row['id']}/work-packages/")], ["WP01"])

    def test_an_unknown_project_is_made(self):
        self.project("taken")
        strangers = [{"project_uuid": str(uuid.uuid4()), "slug": slug} for slug in ("new", "taken", None)]
        self.assertEqual([s for s, _ in self.results(*(event(p, "WPCreated", "WP01") for p in strangers))], ["success"] * 3)
        slugs = {p["project_uuid"]: p["slug"] for p in self.rows(PROJECTS)}
        self.assertEqual([slugs[p["project_uuid"]] for p in strangers], ["new", "taken-" + strangers[1]["project_uuid"][:8], "project"])

    def test_a_batch_that_cannot_be_read_is_refused_whole(self):
        def refused(raw, status, code, **headers):
            answer = self.by("write", "POST", EVENTS, raw, headers={"Content-Type": "application/json", **headers})
            self.error(answer, status, code)
            self.assertEqual(answer.json["error"], answer.json["message"])

        packed = gzip.compress(b'{"events":[]}')
        refused(b"{", 400, "invalid_json")
        refused(b'{"events":1}', 400, "validation_error")
        refused(b"{}", 400, "validation_error")
        refused(packed[:-4], 400, "invalid_json", **{"Content-Encoding": "gzip"})
        refused(packed + b"x", 400, "invalid_json", **{"Content-Encoding": "gzip"})
        refused(b"{}", 400, "invalid_json", **{"Content-Encoding": "gzip"})
        refused(json.dumps({"events": [0] * 1001}).encode(), 413, "payload_too_large")
        refused(gzip.compress(b'{"events":[]' + b" " * (9 << 20) + b"}"), 413, "payload_too_large", **{"Content-Encoding": "gzip"})
        two = gzip.compress(b'{"events"') + gzip.compress(b":[]}")
        self.assertEqual(self.by("write", "POST", EVENTS, two, headers={"Content-Type": "application/json", "Content-Encoding": "gzip"}).status, 200)
        self.assertEqual(self.results(*(event(self.project(), "WPCreated", f"WP{i}") for i in range(3)), packed=False), [("success", None)] * 3)

    def test_numbers_of_the_feed_rise_whoever_writes(self):
        row = self.project()

        def write(thread):
            for i in range(5):
                self.results(*(event(row, "WPStatusChanged", f"WP{thread}", to_lane="done", clock=i * 4 + k) for k in range(4)))

        threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        seqs = [r["seq"] for r in self.rows(ACTIVITY, limit="7")]
        self.assertEqual(seqs, list(range(80, 0, -1)))


class NoNewProjects(TeamSuite):
    settings = {"EVENTS_AUTOCREATE_PROJECTS": "false", "TRACKER_MAX_BODY_BYTES": "65536"}

    def test_a_stranger_is_not_admitted(self):
        row = self.project()
        stranger = {"project_uuid": str(uuid.uuid4()), "slug": "s"}
        known, unknown = event(row, "WPCreated", "WP01"), event(stranger, "WPCreated", "WP01")
        answer = self.report(known, unknown)
        details = self.error(answer, 400, "project_not_admitted")
        body = answer.json
        self.assertEqual((body["category"], body["error_category"], body["status"]), ("project_not_admitted", "project_not_admitted", "rejected"))
        self.assertEqual([e["event_id"] for e in details], [unknown["event_id"]])
        self.assertEqual((self.rows(ACTIVITY), len(self.rows(PROJECTS))), ([], 1), "all or nothing")

    def test_the_limit_is_the_settings(self):
        row = self.project()
        answer = self.report(event(row, "Note", text="x" * 70000))
        self.error(answer, 413, "payload_too_large", "limit")
        answer = self.report(event(row, "Note", text="x" * 70000), packed=False)
        self.error(answer, 413, "payload_too_large", "limit")
        self.assertEqual(self.results(event(row, "Note", text="x" * 60000)), [("success", None)])


if __name__ == "__main__":
    harness.main()
