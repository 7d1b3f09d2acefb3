"""The connectors page and what is behind it, as a browser without JavaScript sees it."""

import re

import harness
from pages import EVIL, PagesSuite
from snapshots import T, computed_key, issue, snapshot
from zoo import ZooSuite

FRONT, GATES = "/dashboard/connectors", "/api/v1/connectors/github/"


class ConnectorsSuite(PagesSuite):
    def send(self, body, status=201, tenant=None):
        headers = {"Idempotency-Key": computed_key(body)}
        answer = self.call("POST", T + "/snapshots/", body, tenant=tenant or self.tenant, headers=headers)
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def gate(self, project, name="octo/repo", tenant=None):
        answer = self.call("POST", GATES, {"project_id": project["id"], "repo_full_name": name}, tenant=tenant or self.tenant)
        self.assertEqual(answer.status, 201, answer)
        return answer.json

    def kinds(self, page):
        return sorted(row.attrs["data-kind"] for row in page.ids("connector-row"))


class FrontPage(ConnectorsSuite):
    def test_the_dashboard_begins_with_the_connectors(self):
        answer = self.viewer.send("GET", "/dashboard")
        self.assertEqual((answer.status, answer.headers["Location"]), (303, FRONT))

    def test_an_empty_team_is_told_what_would_be_here(self):
        page = self.shown(self.viewer, FRONT)
        self.assertEqual(page.ids("connector-row"), [])
        self.assertEqual(page.one(data_testid="tracker-queue-count").text, "0")
        self.assertEqual([e.text.partition(" yet")[0] for e in page.every("p", class_="empty")],
                         ["No connections", "No tracker is bound", "No gates"])

    def test_every_kind_of_connector_is_a_row(self):
        project = self.project()
        self.connect("example", display_name="Example Ltd")
        self.send(snapshot(project, [issue("a-1")]))
        self.send(snapshot(None, [issue("b-1")], workspace="nowhere"), 202)
        self.gate(project)
        page = self.shown(self.viewer, FRONT)
        self.assertEqual(self.kinds(page), ["example", "github", "tracker"])
        row = page.one(data_testid="connector-row", data_kind="tracker")
        binding = self.call("GET", T + "/bindings/").json["items"][0]
        self.assertEqual([row.attrs["data-" + n] for n in ("binding-id", "state", "health")],
                         [binding["id"], binding["state"], binding["health"]])
        for said in ("linear", "acme", project["slug"]):
            self.assertIn(said, row.text)
        self.assertTrue(list(row.every("time")))
        self.assertEqual(page.one(data_testid="tracker-queue-count").text, "1")
        self.assertIn("Example Ltd", page.one(data_testid="connector-row", data_kind="example").text)

    def test_filters_are_in_the_address(self):
        project = self.project()
        self.connect("example", "acct-one")
        self.connect("example", "acct-two")
        self.send(snapshot(project, [issue("a-1")]))
        self.gate(project, "octo/one")
        for query, kinds in (("provider=&show=&q=", ["example", "example", "github", "tracker"]), ("provider=example", ["example", "example"]),
                             ("provider=linear", ["tracker"]), ("q=ONE", ["example", "github"]), ("q=acme", ["tracker"]),
                             ("show=attention", []), ("show=revoked", []), ("show=nonsense&provider=example", ["example", "example"])):
            with self.subTest(query):
                self.assertEqual(self.kinds(self.shown(self.viewer, f"{FRONT}?{query}")), kinds)
        page = self.shown(self.viewer, FRONT + "?q=%3Cb%3E&provider=example")
        self.assertEqual(page.one("input", name="q").attrs["value"], "<b>")
        self.assertEqual([e.text for e in page.every("p", class_="empty")][0], "No connection matches.")

    def test_long_lists_go_on_behind_a_link(self):
        accounts = {self.connect("example", f"acct-{n:03}", display_name=EVIL * 3)["id"] for n in range(40)}
        first = self.shown(self.viewer, FRONT)
        more = first.one("section", id="connections").one("a", href=self.link_to(first, "More connections"))
        second = self.shown(self.viewer, more.attrs["href"])
        seen = [a.attrs["href"].rsplit("/", 1)[1] for page in (first, second) for row in page.ids("connector-row") for a in row.every("a")]
        self.assertEqual((len(seen), set(seen)), (40, accounts))
        broken = self.shown(self.viewer, FRONT + "?connections=nonsense&trackers=nonsense")
        self.assertEqual(len(list(broken.every("p", role="alert"))), 2)

    def link_to(self, page, text):
        return next(a.attrs["href"] for a in page.every("a") if a.text == text)

    def test_hostile_text_stays_text(self):
        project = self.project(name=EVIL)
        self.connect("example", EVIL, display_name=EVIL)
        self.send(snapshot(project, [issue("a-1")], workspace=EVIL))
        page = self.shown(self.admin, FRONT)
        self.assertFalse(list(page.every("img")))
        self.assertEqual(len(list(page.every("script"))), 2)  # both ours
        self.assertTrue(all(e.attrs["src"].startswith("/dashboard/assets/") for e in page.every("script")))
        self.assertGreaterEqual(page.root.text.count("<script>alert"), 2)

    def test_another_team_s_connectors_are_not_there(self):
        other = self.new_tenant()
        self.connect("example", "theirs", tenant=other)
        self.send(snapshot(self.project(tenant=other), [issue("a-1")]), tenant=other)
        self.assertEqual(self.shown(self.admin, FRONT).ids("connector-row"), [])

    def test_whoever_may_not_see_connections_sees_the_rest(self):
        self.connect("example")
        project = self.project()
        self.gate(project)
        answer = self.service.call("GET", FRONT, token=self.token("tracker:read")["secret"])
        self.assertEqual(answer.status, 200)
        self.assertIn("Your role does not show connections", answer.text)
        self.assertNotIn('data-kind="example"', answer.text)
        self.assertIn(project["slug"], answer.text)

    def test_headers_of_a_page(self):
        headers = self.shown(self.viewer, FRONT).answer.headers
        self.assertIn("default-src 'self'", headers["Content-Security-Policy"])
        self.assertNotIn("unsafe", headers["Content-Security-Policy"])
        self.assertEqual([headers[n] for n in ("X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Cache-Control")],
                         ["nosniff", "DENY", "no-referrer", "no-store"])


class FlagOff(ConnectorsSuite):
    def masked(self, page):
        return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|datetime=\"[^\"]*\"|title=\"2[^\"]*\"|team-\w+|csrf\" value=\"[^\"]*|p-\w+", "*",
                      page.source)

    def test_nobody_could_tell(self):
        project = self.project()
        self.send(snapshot(project, [issue("a-1")]))
        self.gate(project)
        self.flag(False)
        plain = self.new_tenant(slug=self.slug.replace("team-", "team-x"))
        self.flag(False, tenant=plain)
        self.gate(self.project(tenant=plain), tenant=plain)
        page = self.shown(self.admin, FRONT + "?said=bound")
        self.assertEqual((page.trackers(), self.kinds(page)), ([], ["github"]))
        self.assertIsNone(re.search("tracker|drift|snapshot|binding", page.source, re.I))
        never = self.shown(self.browser("admin", tenant=plain), FRONT)
        name = lambda p, tenant: self.masked(p).replace(self.call("GET", f"/api/v1/tenants/{tenant}", tenant=None).json["data"]["name"], "team")
        self.assertEqual(name(page, self.tenant), name(never, plain))


if __name__ == "__main__":
    harness.main()
