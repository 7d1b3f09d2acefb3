"""Pages of bindings, of the queue and of binding by hand, as a browser without JavaScript sees them."""

import re
import urllib.parse

import harness
from pages import EVIL, FRONT, ConnectorsSuite
from snapshots import T, issue, mapping, snapshot


class BindingPage(ConnectorsSuite):
    def setUp(self):
        super().setUp()
        self.home = self.project(name="Apollo")
        self.call("PUT", f"/api/v1/projects/{self.home['id']}/work-packages/WP01/", {"title": "Ours", "lane": "done"})
        issues = [issue("a-1", "in_progress", title=EVIL, ref={"system": "linear", "workspace": "acme", "id": "a-1", "key": "A-1",
                                                              "url": "javascript:alert(1)"}), issue("a-2")]
        self.send(snapshot(self.home, issues, [mapping("WP01", "a-1")]))
        self.bound = self.call("GET", T + "/bindings/").json["items"][0]["id"]
        self.path = f"{FRONT}/bindings/{self.bound}"

    def now(self):
        return self.call("GET", f"{T}/bindings/{self.bound}/").json

    def test_the_overview_says_how_it_is_and_why(self):
        page = self.shown(self.viewer, self.path)
        health = page.one(data_testid="tracker-binding-health")
        self.assertEqual((health.attrs["data-health"], health.attrs["data-state"]), ("drifting", "discovered"))
        self.assertIn(f"{self.now()['counts']['drift_open']} difference", health.text)
        facts = {d.one("dt").text: d.one("dd").text for d in page.one("dl").every("div")}
        counts = self.now()["counts"]
        self.assertEqual([facts[k] for k in ("Provider", "Workspace", "Project", "Issues", "Mappings", "Open drift")],
                         ["linear", "acme", self.home["slug"], str(counts["issues"]), str(counts["mappings"]), str(counts["drift_open"])])
        self.assertEqual([f.attrs["action"] for f in page.every("form")], ["/dashboard/logout"])

    def test_receipts_mappings_and_drift_have_their_tabs(self):
        receipts = self.shown(self.viewer, self.path + "?tab=receipts").ids("tracker-receipt")
        self.assertEqual([r.attrs["data-state"] for r in receipts], ["applied"])
        page = self.shown(self.viewer, self.path + "?tab=mappings")
        row = page.one(data_testid="tracker-mapping")
        self.assertEqual((row.attrs["data-external-id"], row.attrs["data-state"]), ("a-1", "linked"))
        self.assertIn("<script>alert", row.text)
        self.assertFalse([a for a in page.every("a") if a.attrs["href"].startswith("javascript")] + list(page.every("img")))
        drift = self.shown(self.viewer, self.path + "?tab=drift").ids("tracker-drift")
        self.assertEqual(len(drift), self.now()["counts"]["drift_open"])
        self.assertIn("status_mismatch", [d.attrs["data-kind"] for d in drift])

    def test_lists_are_paged_and_small_whatever_is_in_them(self):
        for number in range(40):
            self.call("PUT", f"/api/v1/projects/{self.home['id']}/work-packages/WP1{number:02}/", {"title": "Ours", "lane": "done"})
        loud = "<&>\"'" * 60
        issues = [issue(f"c-{n}", "in_progress", title=loud) for n in range(40)]
        self.send(snapshot(self.home, issues, [mapping(f"WP1{n:02}", f"c-{n}") for n in range(40)], cursor="next"))
        for tab, testid, least in (("mappings", "tracker-mapping", 41), ("drift", "tracker-drift", 41)):
            rows, link = [], f"{self.path}?tab={tab}"
            while link:
                page = self.shown(self.viewer, link)
                rows += [row.text for row in page.ids(testid)]
                link = next((a.attrs["href"] for a in page.every("a") if a.text.startswith("More ")), None)
            self.assertGreaterEqual(len(rows), least)
            if tab == "mappings":
                self.assertEqual(len(set(rows)), len(rows))

    def test_label_state_and_policy_are_changed_by_a_form(self):
        form = self.shown(self.admin, self.path).one("form", action=self.path + "/change")
        done = self.admin.submit(form, label="Ours", state="active", mode="split_ownership")
        self.assertEqual((done.status, done.one("p", class_="flash").text), (200, "Changed."))
        self.assertEqual(self.audited("tracker_binding.patch"), ["session:Ana"])
        now = self.now()
        self.assertEqual((now["display_label"], now["state"], now["doctrine"]["mode"], now["doctrine"]["source"]),
                         ("Ours", "active", "split_ownership", "manual"))
        back = self.shown(self.admin, self.path).one("form", action=self.path + "/change")
        self.assertEqual(self.admin.submit(back, mode="").status, 200)
        self.assertEqual(self.now()["doctrine"]["source"], "snapshot")

    def test_where_ownership_is_split_the_form_says_whose_a_field_is(self):
        form = lambda: self.shown(self.admin, self.path).one("form", action=self.path + "/change")
        owners = lambda: self.now()["doctrine"]["field_owners"]
        self.admin.submit(form(), mode="split_ownership", title_owner="external", assignee_owner="local")
        self.assertEqual(owners(), {"assignee": "local", "title": "external"})
        self.assertIn("Split ownership (assignee: local, title: external)", self.shown(self.viewer, self.path).root.text)
        shown = self.admin.filled(form())
        self.assertEqual((shown["mode"], shown["title_owner"], shown["assignee_owner"]), ("split_ownership", "external", "local"))
        self.assertIn("title_mismatch", {d["kind"] for d in self.call("GET", T + "/drift/", query={"state": "open"}).json["items"]})
        self.admin.submit(form(), title_owner="")
        self.assertEqual(owners(), {"assignee": "local"})
        self.assertNotIn("title_mismatch", {d["kind"] for d in self.call("GET", T + "/drift/", query={"state": "open"}).json["items"]})
        self.call("PATCH", f"{T}/bindings/{self.bound}/", {"doctrine_mode": "split_ownership", "doctrine_field_owners": {"labels": "local"}})
        self.admin.submit(form(), assignee_owner="external")
        self.assertEqual(owners(), {"assignee": "external", "labels": "local"}, "what the form does not ask for stays")
        refused = self.admin.submit(form(), title_owner="nobody")
        self.assertEqual((refused.status, owners()), (400, {"assignee": "external", "labels": "local"}))

    def test_a_refused_change_keeps_what_was_typed(self):
        form = self.shown(self.admin, self.path).one("form", action=self.path + "/change")
        for values in ({"label": " "}, {"label": "x" * 513}, {"state": "nonsense"}, {"mode": "nonsense"}):
            with self.subTest(values):
                wanted = {"label": "Kept <b>", **values}
                refused = self.admin.submit(form, **wanted)
                self.assertEqual((refused.status, bool(refused.one("p", role="alert").text)), (400, True))
                self.assertEqual(refused.one("input", name="label").attrs["value"], wanted["label"])
        self.assertNotEqual(self.now()["display_label"], "Kept <b>")

    def test_unbinding_asks_for_the_workspace(self):
        form = self.shown(self.admin, self.path).one("form", action=self.path + "/unbind")
        refused = self.admin.submit(form, confirm="acmee")
        self.assertEqual((refused.status, refused.one("input", name="confirm").attrs["value"]), (400, "acmee"))
        self.assertEqual(self.now()["state"], "discovered")
        done = self.admin.submit(form, confirm="acme")
        self.assertEqual((done.status, done.one("p", class_="flash").text[:7]), (200, "Unbound"))
        self.assertEqual(self.audited("tracker_binding.delete"), ["session:Ana"])
        self.assertEqual(self.admin.post(form, confirm="acme").status, 404)
        self.shown(self.admin, self.path, 404)

    def test_other_teams_other_roles_and_no_flag(self):
        csrf = lambda b: self.shown(b, FRONT).one("form", action="/dashboard/logout").one("input", name="csrf").attrs["value"]
        for path in ("/change", "/unbind"):
            self.assertEqual(self.editor.send("POST", self.path + path, {"csrf": csrf(self.editor), "confirm": "acme"}).status, 403)
        stranger = self.browser("admin", tenant=self.new_tenant())
        self.shown(stranger, self.path, 404)
        self.assertEqual(stranger.send("POST", self.path + "/unbind", {"csrf": csrf(stranger), "confirm": "acme"}).status, 404)
        self.flag(False)
        for path in (self.path, FRONT + "/queue", FRONT + "/bindings/new"):
            page = self.shown(self.admin, path, 404)
            self.assertIsNone(re.search("tracker|drift|snapshot|binding", re.sub("data-stream=\"[^\"]*", "", page.one("main").text), re.I))
        self.assertEqual(self.admin.send("POST", self.path + "/unbind", {"csrf": csrf(self.admin), "confirm": "acme"}).status, 404)
        self.flag(True)
        self.assertEqual(self.now()["state"], "discovered")


class Queue(ConnectorsSuite):
    def setUp(self):
        super().setUp()
        self.home = self.project()
        self.send(snapshot({"project_uuid": None, "slug": self.home["slug"]}, [issue("b-1", title=EVIL)], workspace=EVIL,
                           resource=("linear_team", "team-1")), 202)
        self.item = self.call("GET", T + "/queue/").json["items"][0]
        self.path = f"{FRONT}/queue/{self.item['id']}"

    def now(self):
        return self.call("GET", f"{T}/queue/{self.item['id']}/").json["state"]

    def test_what_waits_is_listed_with_the_reason(self):
        page = self.shown(self.viewer, FRONT + "/queue")
        row = page.one(data_testid="tracker-queue-row")
        self.assertEqual(row.one("a").attrs["href"], self.path)
        self.assertIn("It names no project.", row.text)
        self.assertFalse(list(page.every("img")))
        self.assertEqual(self.shown(self.viewer, FRONT + "/queue?provider=jira").ids("tracker-queue-row"), [])
        self.assertEqual(self.shown(self.viewer, FRONT + "/queue?state=resolved").ids("tracker-queue-row"), [])
        self.assertEqual(self.shown(self.viewer, FRONT).one(data_testid="tracker-queue-count").text, "1")

    def test_it_is_mapped_by_a_form_and_only_once(self):
        form = self.shown(self.admin, self.path).one("form", action=self.path + "/resolve")
        self.assertEqual(self.admin.filled(form)["project"], self.home["id"])  # its slug is the snapshot's
        empty = self.admin.submit(form, project="")
        self.assertEqual((empty.status, self.now()), (400, "pending"))
        done = self.admin.submit(form, project=self.home["id"], resource="yes")
        self.assertEqual((done.status, done.one("p", class_="flash").text, self.now()), (200, "Mapped, and applied.", "resolved"))
        self.assertEqual(done.one("section", id="overview").one("tbody").one("th").text, "team-1")
        again = self.admin.submit(form, project=self.home["id"], resource="yes")
        self.assertEqual((again.status, bool(again.one("p", role="alert").text)), (409, True))
        self.assertEqual(self.audited("tracker_queue.resolve"), ["session:Ana"])
        self.assertEqual(len(self.call("GET", T + "/bindings/").json["items"]), 1)

    def test_it_is_discarded_and_twice_is_once(self):
        form = self.shown(self.admin, self.path).one("form", action=self.path + "/resolve")
        for _ in range(2):
            done = self.admin.submit(form, self.path + "/discard")
            self.assertEqual((done.status, done.one("p", class_="flash").text[:9], self.now()), (200, "Discarded", "dismissed"))
        self.assertEqual(self.audited("tracker_queue.dismiss"), ["session:Ana"])
        self.assertEqual(self.shown(self.admin, FRONT).one(data_testid="tracker-queue-count").text, "0")

    def test_whoever_only_looks_sees_whose_the_buttons_are(self):
        page = self.shown(self.viewer, self.path)
        self.assertEqual(self.denied(page), ["Map and apply", "Discard"])
        self.assertEqual([f.attrs["action"] for f in page.every("form")], ["/dashboard/logout"])
        csrf = page.one("input", name="csrf").attrs["value"]
        for path in ("/resolve", "/discard"):
            self.assertEqual(self.viewer.send("POST", self.path + path, {"csrf": csrf, "project": self.home["id"]}).status, 403)
        self.shown(self.browser("admin", tenant=self.new_tenant()), self.path, 404)


class Wizard(ConnectorsSuite):
    NEW = FRONT + "/bindings/new"

    def test_by_hand_step_by_step_and_nothing_twice(self):
        home = self.project(name=EVIL)
        first = self.shown(self.admin, self.NEW)
        form = first.one("form", action=self.NEW)
        values = self.admin.filled(form, project=home["id"], provider="jira", workspace="acme & co", label="Board", resource="10001", mode="split_ownership", title_owner="local")
        second = self.shown(self.admin, self.NEW + "?" + urllib.parse.urlencode(values))
        self.assertEqual(second.one("li", aria_current="step").text, "Confirm")
        for said in ("acme & co", "Board", "jira_project 10001", "Split ownership (title: local)"):
            self.assertIn(said, second.root.text)
        back = next(a.attrs["href"] for a in second.every("a") if a.text == "Back")
        self.assertEqual(self.admin.filled(self.shown(self.admin, back).one("form", action=self.NEW)), values)
        confirm = second.one("form", action=FRONT + "/bindings")
        pages = [self.admin.submit(confirm) for _ in range(2)]
        self.assertEqual([p.one("p", class_="flash").text.split()[0] for p in pages], ["Bound.", "That"])
        self.assertEqual(self.audited("tracker_binding.create"), ["session:Ana"])
        rows = self.call("GET", T + "/bindings/").json["items"]
        self.assertEqual([(b["provider"], b["workspace"], b["display_label"], b["state"], b["doctrine"]["mode"], b["doctrine"]["field_owners"]) for b in rows],
                         [("jira", "acme & co", "Board", "active", "split_ownership", {"title": "local"})])

    def test_what_waits_is_offered_and_applied(self):
        home = self.project()
        self.send(snapshot(None, [issue("b-1")], workspace="north", resource=("linear_team", "t-1")), 202)
        page = self.shown(self.admin, f"{self.NEW}?project={home['id']}")
        chosen = self.shown(self.admin, page.one(data_testid="tracker-place").one("a").attrs["href"])
        values = self.admin.filled(chosen.one("form", action=self.NEW))
        self.assertEqual([values[k] for k in ("project", "provider", "workspace", "resource", "resource_type")],
                         [home["id"], "linear", "north", "t-1", "linear_team"])
        confirm = self.shown(self.admin, self.NEW + "?" + urllib.parse.urlencode(values))
        self.assertIn("Snapshots of it that wait: 1", confirm.root.text)
        bound = self.admin.submit(confirm.one("form", action=FRONT + "/bindings"))
        self.assertEqual(bound.one(data_testid="tracker-binding-health").attrs["data-state"], "active")
        self.assertEqual(self.call("GET", T + "/queue/", query={"state": "pending"}).json["items"], [])

    def test_what_is_missing_is_said_and_the_rest_kept(self):
        home = self.project()
        for query, said in (("step=confirm", "project"), (f"step=confirm&project={home['id']}&workspace=kept", "provider"),
                            (f"step=confirm&project={home['id']}&provider=jira&label=kept", "workspace"),
                            (f"step=confirm&project={home['id']}&provider=jira&workspace=kept&mode=nonsense", "Mode")):
            page = self.shown(self.admin, f"{self.NEW}?{query}", 400)
            self.assertIn(said, page.one("p", role="alert").text)
            self.assertEqual("kept" in query, any(e.attrs.get("value") == "kept" for e in page.every("input")))
        gone = "0190f3a2-0000-7000-8000-000000000000"
        self.shown(self.admin, f"{self.NEW}?step=confirm&project={gone}&provider=jira&workspace=w", 404)

    def test_only_administrators_bind(self):
        for browser in (self.viewer, self.editor):
            page = self.shown(browser, self.NEW, 403)
            csrf = page.one("input", name="csrf").attrs["value"]
            self.assertEqual(browser.send("POST", FRONT + "/bindings", {"csrf": csrf}).status, 403)
        for browser, denied in ((self.viewer, ["Bind a tracker"]), (self.editor, ["Bind a tracker"]), (self.admin, [])):
            page = self.shown(browser, FRONT)
            self.assertEqual(self.denied(page, page.one("section", id="bindings")), denied)
            self.assertEqual([a.text for a in page.every("a") if a.text == "Bind a tracker"], [] if denied else ["Bind a tracker"])


if __name__ == "__main__":
    harness.main()
