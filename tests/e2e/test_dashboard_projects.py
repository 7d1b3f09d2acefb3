"""Pages of projects and work packages: what they show, to whom, and what their buttons do."""

import re
import uuid

import harness
from pages import EVIL, Page, TrackerPagesSuite
from snapshots import T, issue, mapping, snapshot
from teams import event

PROJECTS = "/dashboard/projects"


def place(project, wp=None, **query):
    path = f"{PROJECTS}/{project['id']}" + (f"/work-packages/{wp}" if wp else "")
    return path + "".join(("?" if n == 0 else "&") + f"{k}={v}" for n, (k, v) in enumerate(query.items()))


class Projects(TrackerPagesSuite):
    def test_none_some_and_more_than_a_page(self):
        page = self.page(PROJECTS)
        self.assertIn("No projects yet", page.all(id="projects")[0].text)
        rows = [self.project(name=f"Project {n}", slug=f"p-{n:03}") for n in range(53)]
        page = self.page(PROJECTS)
        self.assertEqual([n.all("a")[0].text for n in page.ids("project-row")], [r["name"] for r in rows[:50]])
        more = [a["href"] for a in page.all("a") if a.text == "More projects"]
        rest = self.page(more[0])
        self.assertEqual([n.all("a")[0]["href"] for n in rest.ids("project-row")], [place(r) for r in rows[50:]])
        self.page(PROJECTS + "?cursor=nonsense", 400)

    def test_a_row_has_health_drift_and_age(self):
        project, unbound = self.project(slug="a"), self.project(slug="b")
        self.work_package(project, lane="done")
        self.taken(snapshot(project, [issue("a-1", "todo")], [mapping("WP01", "a-1")]))
        bound, none = (r.text for r in self.page(PROJECTS).ids("project-row"))
        self.assertRegex(bound, r"Apollo a 1 Drifting 100 % 1 Fresh (just now|\d+ s ago)$")
        self.assertRegex(none, r"Apollo b 0 Not bound — — —$", "unknown is not zero")

    def test_the_worst_come_first_or_whatever_a_column_sorts_by(self):
        ids = {name: self.project(name=name, slug=name) for name in ("agreed", "drifting", "half", "new", "off")}
        for name, (wps, linked) in {"agreed": (1, 1), "drifting": (2, 2), "half": (2, 1), "off": (0, 0)}.items():
            for n in range(wps):
                self.work_package(ids[name], f"WP0{n}", lane="done" if name == "drifting" else "planned")
            rows = [mapping(f"WP0{n}", f"{name}-{n}") for n in range(linked)]
            self.taken(snapshot(ids[name], [issue(f"{name}-{n}") for n in range(2)], rows))
        off = [b["id"] for b in self.items("bindings", project=ids["off"]["id"])]
        self.expect(200, "PATCH", f"{T}/bindings/{off[0]}/", {"state": "disabled"})
        expected = {"": ["off", "drifting", "agreed", "half", "new"], "?sort=name": ["agreed", "drifting", "half", "new", "off"],
                    "?sort=mapped": ["half", "agreed", "drifting", "off", "new"], "?sort=drift": ["drifting", "agreed", "half", "off", "new"],
                    "?sort=snapshot": ["agreed", "drifting", "half", "off", "new"], "?sort=odd": ["off", "drifting", "agreed", "half", "new"]}
        for query, names in expected.items():
            page = self.page(PROJECTS + query)
            self.assertEqual([n.all("a")[0].text for n in page.ids("project-row")], names, query)
            sorted_by = [h for h in page.all("th", scope="col") if "aria-sort" in h.attrs]
            self.assertEqual([h.all("a")[0]["href"] for h in sorted_by], [PROJECTS + (query if "=" in query and "odd" not in query else "?sort=health")])
        self.assertEqual([h.text for h in page.all("th", scope="col") if h.all("a")], ["Project", "Tracker", "Mapped", "Drift", "Last snapshot"])

    def test_a_page_of_an_order_goes_on_in_that_order_alone(self):
        for n in range(60):
            self.project(slug=f"p-{n:03}")
        worst = self.project(slug="z")
        self.taken(snapshot(worst, [issue("a-1")], []))
        for query in ("", "?sort=drift", "?sort=snapshot", "?sort=mapped"):
            page = self.page(PROJECTS + query)
            more = [a["href"] for a in page.all("a") if a.text == "More projects"]
            rest = self.page(more[0])
            self.assertEqual([n.all("a")[0]["href"] for n in page.ids("project-row")][0], place(worst), query)
            self.assertEqual(len({n.all("a")[0]["href"] for n in page.ids("project-row") + rest.ids("project-row")}), 61, query)
        self.page(more[0].replace("sort=mapped", "sort=drift"), 400)


class Detail(TrackerPagesSuite):
    def test_unbound_then_bound(self):
        project = self.project()
        card = self.page(place(project)).one(data_testid="tracker-summary")
        self.assertEqual((card["data-health"], "Not bound" in card.text), ("not_bound", True))
        self.work_package(project, "WP01", title="Fix login", lane="done")
        self.work_package(project, "WP02", lane="planned")
        self.taken(snapshot(project, [issue("a-1", "in_progress", "Fix login")], [mapping("WP01", "a-1")]))
        page = self.page(place(project))
        card = page.one(data_testid="tracker-summary")
        self.assertEqual(card["data-health"], "drifting")
        values = {k: card.one(data_testid="tracker-" + k).text for k in ("provider", "workspace", "sync-state", "issue-count", "mapping-count", "drift-count")}
        self.assertEqual(list(values.values()), ["linear", "acme", "idle", "1", "1", "1"])
        self.assertTrue(card.one(data_testid="tracker-last-snapshot").all("time")[0]["datetime"].endswith("Z"))
        self.assertIn("1 difference is open.", card.text)
        self.assertIn("Fresh", card.text)
        rows = [(n["data-wp-id"], n["data-lane"], n["data-drift"]) for n in page.ids("wp-row")]
        self.assertEqual(rows, [("WP01", "done", "1"), ("WP02", "planned", "0")])
        self.assertEqual(page.ids("wp-row")[1].all("td")[2].text, "—")
        kinds = [n["data-type"] for n in page.ids("activity-row")]
        self.assertEqual(kinds, [r["type"] for r in self.items("/api/v1/activity/", project=project["id"])][:5])

    def test_counts_of_mappings_add_up_and_are_filters(self):
        project = self.project()
        for wp, mission in (("WP01", "a"), ("WP01", "b"), ("WP02", "a"), ("WP03", "a"), ("WP04", "a")):
            self.ask("PUT", f"/api/v1/projects/{project['id']}/work-packages/{wp}/", {"mission_slug": mission}, query={"mission": mission})
        self.taken(snapshot(project, [issue(f"a-{n}") for n in (1, 2, 3)], [mapping("WP01", "a-1"), mapping("WP02", "a-2"), mapping("WP09", "a-3")]))
        expected = {"mapped": ["WP02"], "not_mapped": ["WP03", "WP04"], "ambiguous": ["WP01", "WP01"]}
        links = {n["data-mapping"]: n for n in self.page(place(project)).all() if n["data-mapping"]}
        self.assertEqual({k: int(n.text.split()[0]) for k, n in links.items()}, {k: len(v) for k, v in expected.items()})
        for name, wps in expected.items():
            page = self.page(links[name]["href"])
            self.assertEqual([n["data-wp-id"] for n in page.ids("wp-row")], wps, name)
        states = [w["tracker"]["state"] for w in self.items(f"/api/v1/projects/{project['id']}/work-packages/")]
        self.assertEqual(states, ["ambiguous", "ambiguous", "linked", "not_mapped", "not_mapped"], "as the API has it")
        self.assertIn("None of the work packages is like that", self.page(place(self.bound(), mapping="ambiguous")).text)
        self.assertEqual(len(self.page(place(project, mapping="odd")).ids("wp-row")), 5, "what the page does not know is no filter")

    def bound(self):
        project = self.project()
        self.taken(snapshot(project, [issue("b-1")], workspace="other"))
        return project

    def test_drift_has_a_trend_that_reads_without_eyes(self):
        project = self.project()
        self.work_package(project, lane="done")
        self.taken(snapshot(project, [issue("a-1", "todo")], [mapping("WP01", "a-1")]))
        card = self.page(place(project)).one(data_testid="tracker-summary")
        drawing = card.all("svg")[0]
        self.assertEqual((drawing["role"], drawing["aria-label"]), ("img", "14 days, now 1, max 1"))
        self.assertEqual(len(drawing.all("polyline")[0]["points"].split()), 14)
        days = [n.text for n in card.all("figure")[0].all("td")]
        self.assertEqual(days, ["0"] * 13 + ["1"])
        self.taken(snapshot(project, [issue("a-1", "done")], [mapping("WP01", "a-1")], cursor="2"))
        self.assertIn("14 days, now 0, max 0", self.page(place(project)).text)

    def test_work_packages_come_in_pages_of_fifty(self):
        project = self.project()
        for n in range(53):
            self.work_package(project, f"WP{n:03}")
        page = self.page(place(project))
        self.assertIn("50 of 53", page.all(id="work-packages")[0].text)
        more = [a["href"] for a in page.all("a") if a.text == "More work packages"]
        self.assertEqual([n["data-wp-id"] for n in self.page(more[0]).ids("wp-row")], ["WP050", "WP051", "WP052"])

    def test_both_ids_of_a_project_lead_to_it(self):
        project = self.project(name="Gemini")
        for id in (project["id"], project["project_uuid"], project["id"] + "/"):
            self.assertEqual(self.page(f"{PROJECTS}/{id}").one(data_testid="project-title").text, "Gemini")


class WorkPackages(TrackerPagesSuite):
    def setUp(self):
        super().setUp()
        self.row = self.project()
        self.work_package(self.row, "WP01", title="Fix login", lane="done", assignee="ana", priority=2)
        self.work_package(self.row, "WP02", title="Other")

    def fill(self, **members):
        members = {"url": "https://linear.app/acme/a-1", **members}
        ref = {"system": "linear", "workspace": "acme", "id": "a-1", "key": "A-1", "url": members.pop("url")}
        self.taken(snapshot(self.row, [issue("a-1", "in_progress", members.pop("title", "Fix login now"), ref=ref, **members)], [mapping("WP01", "a-1")]))

    def wp(self, wp="WP01", **query):
        return self.page(place(self.row, wp, **query))

    def test_the_issue_and_every_field(self):
        self.fill(assignees=["Ana", "Bo"], priority=3, labels=["api"])
        page = self.wp()
        box = page.one(data_testid="tracker-issue")
        self.assertEqual((box["data-external-id"], box["data-state"]), ("a-1", "linked"))
        self.assertEqual(box.one(data_testid="tracker-issue-title").text, "Fix login now")
        self.assertEqual(box.one(data_testid="tracker-issue-status").text, "in_progress")
        link = box.one(data_testid="tracker-issue-key").all("a")[0]
        self.assertEqual((link["href"], link["rel"], link["target"]), ("https://linear.app/acme/a-1", "noopener noreferrer nofollow", "_blank"))
        self.assertIn("linear.app", box.one(data_testid="tracker-issue-key").text, "the host is shown")
        drift = {n["data-kind"]: [c.text for c in n.all("td")][:2] for n in page.ids("tracker-drift")}
        self.assertEqual(drift, {"status_mismatch": ["done", "in_progress"], "title_mismatch": ["Fix login", "Fix login added now"], "priority_mismatch": ["2", "3"]})
        same = {n["data-field"]: n.all("td")[2].text for n in box.all() if n["data-field"]}
        self.assertEqual(same, {"assignee": "Agree"})
        self.assertEqual({n["data-direction"] for n in page.ids("tracker-drift")}, {"spec_kitty_behind"})

    def test_its_history_is_the_feed_s(self):
        self.report(event(self.row, "WPCreated", "WP02", title="Other"))
        self.fill()
        self.report(event(self.row, "WPStatusChanged", "WP01", from_lane="done", to_lane="in_progress"))
        page = self.wp()
        told = self.items("/api/v1/activity/", project=self.row["id"], wp_id="WP01")
        self.assertEqual(self.seqs(page), [r["seq"] for r in told][:5])
        self.assertTrue({"WPStatusChanged", "tracker_drift_detected"} <= {r["type"] for r in told}, told)
        everything = self.page(next(a["href"] for a in page.all("a") if a.text == "All of it"))
        self.assertEqual(self.seqs(everything), [r["seq"] for r in told])

    def test_titles_are_compared_word_by_word(self):
        self.work_package(self.row, "WP01", title="Fix <b>the</b> old login", lane="done")
        self.fill(title="Fix <b>the</b> new login form")
        ours, theirs = self.wp().one("tr", data_kind="title_mismatch").all("td")[:2]
        self.assertEqual((ours.text, theirs.text), ("Fix <b>the</b> removed old login", "Fix <b>the</b> added new login added form"))
        self.assertEqual(([e.text for e in ours.all("del")], [e.text for e in theirs.all("ins")]), (["removed old"], ["added new", "added form"]))
        self.assertEqual({e["class"] for e in ours.all("span") + theirs.all("span") if e.parent.tag in ("ins", "del")}, {"visually-hidden"})

    def test_what_is_not_known_is_not_called_equal(self):
        self.fill(title="Fix login")
        same = {n["data-field"]: n.all("td")[2].text for n in self.wp().all() if n["data-field"]}
        self.assertEqual(same["title"], "Agree")
        self.assertTrue(same["assignee"].startswith("Not compared") and same["priority"].startswith("Not compared"), same)

    def test_not_mapped_unknown_and_foreign(self):
        self.assertEqual(self.wp("WP02").one(data_testid="tracker-not-mapped").text, "Not mapped")
        self.page(place(self.row, "WP99"), 404)
        self.page(place({"id": str(uuid.uuid4())}, "WP01"), 404)
        self.page(place({"id": "nonsense"}, "WP01"), 404)

    def test_one_id_in_several_missions(self):
        for mission in ("alpha", "beta"):
            self.ask("PUT", f"/api/v1/projects/{self.row['id']}/work-packages/WP07/", {"mission_slug": mission, "title": "T " + mission}, query={"mission": mission})
        page = self.wp("WP07")
        self.assertTrue(page.one(data_testid="tracker-ambiguous"))
        links = [a for a in page.all("main")[0].all("a") if "mission=" in a["href"]]
        self.assertEqual([a.text for a in links], ["alpha", "beta"])
        self.assertIn("T beta", self.page(links[1]["href"]).one(data_testid="wp-title").text)

    def test_an_issue_that_is_gone_says_so(self):
        self.fill()
        self.taken(snapshot(self.row, [issue("a-2")], cursor="2"))
        box = self.wp().one(data_testid="tracker-issue")
        self.assertIn("no longer show it", box.text)
        self.assertEqual(box.one(data_testid="tracker-issue-status").text, "in_progress")

    def test_hostile_text_stays_text(self):
        self.work_package(self.row, "WP01", title=EVIL, lane="done", assignee=EVIL)
        self.fill(title=EVIL, assignees=[EVIL], labels=[EVIL], url="javascript:pwned()")
        for path in (PROJECTS, place(self.row), place(self.row, "WP01"), "/dashboard/activity", place(self.row, "WP02", find="script")):
            page = Page(self.ask("GET", path))
            self.assertNotIn("<script>alert", page.source)
            self.assertEqual([n for n in page.all("img")], [], path)
            self.assertEqual([n.tag for n in page.all() for name in n.attrs if name.startswith("on") or name == "style"], [], path)
            self.assertEqual([a for a in page.all("a") if (a["href"] or "").lower().startswith("javascript")], [], path)
        page = self.wp()
        self.assertEqual(page.one(data_testid="tracker-issue-title").text, EVIL)
        self.assertIn("javascript:pwned()", page.text, "an odd URL is shown, not linked")

    def test_long_titles_are_cut(self):
        self.fill(title="x" * 4000)
        self.assertEqual(self.wp().one(data_testid="tracker-issue-title").text, "x" * 299 + "…")


class Mapping(TrackerPagesSuite):
    def setUp(self):
        super().setUp()
        self.row = self.project()
        self.work_package(self.row, "WP01", title="Fix login", lane="planned")
        self.taken(snapshot(self.row, [issue("a-1", title="Please fix login"), issue("a-2", "done", "Something else")]))

    def links(self):
        return [(m["wp_id"], m["external_id"], m["source"]) for m in self.items("mappings")]

    def test_map_remap_unmap_without_javascript(self):
        page = self.admin.get(place(self.row, "WP01"))
        self.assertIn("Their titles hold this work package's", page.text, "it is suggested by its title")
        to_map = page.all(id="tracker-map")[0].all("form", method="post")
        done = self.press(self.admin, to_map[0])
        self.assertEqual(self.links(), [("WP01", "a-1", "manual")])
        self.assertIn("The issue is mapped now.", done.all(role="status")[-1].text)
        self.assertEqual(done.one(data_testid="tracker-issue")["data-external-id"], "a-1")
        again = self.press(self.admin, to_map[0])
        self.assertIn("It was mapped like that already.", again.text, "a second click does nothing")
        found = self.admin.get(place(self.row, "WP01", find="something"))
        done = self.press(self.admin, found.all(id="tracker-map")[0].all("form", method="post")[0])
        self.assertEqual(self.links(), [("WP01", "a-2", "manual")])
        self.assertIn("status_mismatch", [n["data-kind"] for n in done.ids("tracker-drift")])
        unmap = done.one(data_testid="tracker-issue").all("form")[0]
        self.assertIn("The issue is not mapped any more.", self.press(self.admin, unmap).text)
        self.assertIn("It was not mapped any more.", self.press(self.admin, unmap).text)
        self.assertEqual(self.links(), [])

    def test_a_search_without_a_hit_says_so(self):
        page = self.admin.get(place(self.row, "WP01", find="zzz"))
        self.assertIn("No issue of this project's trackers is like that.", page.text)

    def test_a_viewer_sees_why_and_cannot_act(self):
        page = self.viewer.get(place(self.row, "WP01"))
        box = page.all(id="tracker-map")[0]
        self.assertEqual((self.denied(page, box), box.all("form")), (["Map…"], []))
        form = self.admin.get(place(self.row, "WP01")).all(id="tracker-map")[0].all("form", method="post")[0]
        self.press(self.viewer, form, 403)
        self.press(self.admin, form, 403, csrf="forged")
        self.assertEqual(self.links(), [])

    def test_an_issue_of_another_project_is_not_mapped(self):
        other = self.project()
        self.taken(snapshot(other, [issue("b-1")]), "k")
        foreign = [i for i in self.items("issues", project=other["id"])][0]
        form = self.admin.get(place(self.row, "WP01")).all(id="tracker-map")[0].all("form", method="post")[0]
        self.press(self.admin, form, 404, issue=foreign["id"])
        self.press(self.admin, form, 404, issue="nonsense")
        self.assertEqual(self.links(), [])

    def test_the_flag_stops_them(self):
        form = self.admin.get(place(self.row, "WP01")).all(id="tracker-map")[0].all("form", method="post")[0]
        self.flag(False)
        self.press(self.admin, form, 404)
        self.flag(True)
        self.assertEqual(self.links(), [])


class Strangers(TrackerPagesSuite):
    def test_another_team_finds_nothing(self):
        project = self.project()
        self.work_package(project)
        self.taken(snapshot(project, [issue("a-1")], [mapping("WP01", "a-1")]))
        other = self.new_tenant(slug="team-" + uuid.uuid4().hex[:10])
        for path in (place(project), place(project, "WP01")):
            foreign, never = (self.ask("GET", p, tenant=other) for p in (path, path.replace(project["id"], str(uuid.uuid4()))))
            mask = lambda a: a.text.replace(a.headers["x-trace-id"], "")
            self.assertEqual((foreign.status, mask(foreign)), (404, mask(never)), "as if there was none")
        self.assertEqual(self.page(PROJECTS, tenant=other).ids("project-row"), [])
        form = self.admin.get(place(project, "WP01")).one(data_testid="tracker-issue").all("form")[0]
        thief = self.browser("admin", tenant=other)
        own = thief.get(PROJECTS).all("form", action="/dashboard/logout")[0].all("input")[0]["value"]
        self.press(thief, form, 404, csrf=own)
        self.assertEqual(len(self.items("mappings")), 1)

    def test_nobody_is_led_to_the_door_and_back(self):
        project = self.project()
        answer = self.service.call("GET", place(project), token=None)
        self.assertEqual((answer.status, answer.headers["Location"].split("?")[0]), (303, "/dashboard/login"))
        self.assertEqual(self.service.call("GET", place(project), token="nope").status, 401)
        self.assertEqual(self.service.call("GET", place(project), token=self.token("signals:read")["secret"]).status, 403)


class FlagOff(TrackerPagesSuite):
    def fill(self, tenant):
        """The same names in every team."""
        project = self.project(tenant=tenant, slug="apollo", project_uuid="7f8f6f6e-0f3c-4a35-9d5e-5d6a9a3f2b11")
        for wp in ("WP01", "WP02"):
            self.expect(201, "PUT", f"/api/v1/projects/{project['id']}/work-packages/{wp}/", {"title": "T", "lane": "done"}, tenant=tenant)
        return project

    def seen(self, path, project, tenant):
        text = self.ask("GET", path, tenant=tenant).text
        text = re.sub(r'datetime="[^"]*" title="[^"]*"', "", text).replace(project["id"], "ID")
        text = re.sub(r"data-seq=\"\d+\"", "", text)
        return re.sub(r"team-[0-9a-f]{10}|<code>[-0-9a-f]{32,36}</code>", "", text)

    def test_pages_are_those_of_a_team_that_never_had_it(self):
        never = self.new_tenant(slug="team-" + uuid.uuid4().hex[:10])
        self.flag(False, tenant=never)
        once = self.new_tenant(slug="team-" + uuid.uuid4().hex[:10])
        ours, theirs = self.fill(once), self.fill(never)
        self.taken(snapshot(ours, [issue("a-1")], [mapping("WP01", "a-1")]), tenant=once)
        self.flag(False, tenant=once)
        for path in (PROJECTS, place(ours), place(ours, "WP01"), place(ours, mapping="mapped"), "/dashboard/activity"):
            with self.subTest(path):
                now = self.seen(path, ours, once)
                self.assertEqual(now, self.seen(path.replace(ours["id"], theirs["id"]), theirs, never))
                body = re.sub(r"<title>.*?</title>", "", now).lower()
                for word in ("tracker", "drift", "snapshot"):
                    self.assertNotIn(word, body)
        self.flag(True, tenant=once)
        self.assertEqual(len(self.page(place(ours, "WP01"), tenant=once).ids("tracker-issue")), 1, "hidden, not lost")


class Cost(TrackerPagesSuite):
    def test_pages_are_small(self):
        project = self.project()
        for n in range(60):
            self.work_package(project, f"WP{n:03}", title="A title of an ordinary length, a little longer", lane="done", assignee="somebody")
        self.taken(snapshot(project, [issue(f"a-{n}", "todo") for n in range(60)], [mapping(f"WP{n:03}", f"a-{n}") for n in range(60)]))
        for path in (PROJECTS, place(project), place(project, "WP001"), "/dashboard/activity"):
            self.assertLess(len(self.ask("GET", path).body), 60_000, path)


if __name__ == "__main__":
    harness.main()
