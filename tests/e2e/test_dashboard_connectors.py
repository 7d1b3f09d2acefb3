"""The connectors page and what is behind it, as a browser without JavaScript sees it."""

import re
import urllib.parse

import harness
import signers
from harness import eventually
from pages import EVIL, FRONT, ConnectorsSuite, Page
from snapshots import T, issue, snapshot
from zoo import ZooSuite, fetch


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
        return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}|datetime=\"[^\"]*\"|title=\"2[^\"]*\"|team-\w+|data-since=\"\d+|csrf\" value=\"[^\"]*|p-\w+", "*",
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


class ConnectionPage(ConnectorsSuite):
    def setUp(self):
        super().setUp()
        self.row = self.connect("example", "acct-1", display_name="Example Ltd")
        self.path, self.actions = f"{FRONT}/{self.row['id']}", f"/dashboard/connections/{self.row['id']}"

    def arrive(self, count=1):
        for number in range(count):
            body = signers.to_bytes(signers.example_event(number))
            self.deliver("example", body, signers.example(body))
        eventually(lambda: len(self.signals()) == count, what="the signals")

    def test_the_overview_says_what_there_is(self):
        page = self.shown(self.viewer, self.path)
        self.assertEqual((page.one("h1").text, page.one(data_testid="connection").attrs["data-state"]), ("Example Ltd", "active"))
        facts = {d.one("dt").text: d.one("dd").text for d in page.one("dl").every("div")}
        self.assertEqual([facts[k] for k in ("Account", "Access token", "Refresh token")], ["acct-1", "none", "none"])
        self.assertIn(f"/webhooks/example/{self.tenant}", page.source)

    def test_the_last_day_is_counted_by_the_hour(self):
        self.assertIn("No webhook came", self.shown(self.viewer, self.path).one("section", id="traffic").text)
        self.arrive(3)
        day = self.shown(self.viewer, self.path).one("section", id="traffic")
        self.assertEqual([f.text.strip() for f in day.every("figcaption")], ["3 webhooks", "0 syncs"])
        counts = [[int(td.text) for td in row.every("td")] for row in day.ids("traffic-row")]
        self.assertEqual([sum(column) for column in zip(*counts)], [3, 0, 0, 0])
        self.assertEqual(len(list(day.every("rect"))), len(counts))

    def test_every_tab_has_an_address_and_says_when_it_is_empty(self):
        page = self.shown(self.viewer, self.path)
        links = [a.attrs["href"] for a in page.one("nav", class_="tabs").every("a")]
        self.assertEqual(links, [self.path] + [f"{self.path}?tab={t}" for t in ("webhooks", "jobs", "signals", "audit")])
        for link in links[1:]:
            tab = self.shown(self.viewer, link)
            self.assertEqual(tab.one("nav", class_="tabs").one("a", aria_current="page").attrs["href"], link)
            self.assertEqual(len(list(tab.every("p", class_="empty"))), 1)

    def test_what_the_provider_s_trackers_are_bound_to(self):
        bind = lambda provider, workspace: self.call("POST", T + "/bindings/", {"project_id": self.project()["id"], "provider": provider, "workspace": workspace}).json["id"]
        wanted, other = [bind("linear", f"acme {n}") for n in range(32)], bind("jira", "acme")
        path = f"{FRONT}/{self.connect('linear', 'org-1')['id']}"
        self.assertIn(f"{path}?tab=bindings", [a.attrs["href"] for a in self.shown(self.viewer, path).one("nav", class_="tabs").every("a")])
        page = self.shown(self.viewer, path + "?tab=bindings")
        more = self.shown(self.viewer, next(a.attrs["href"] for a in page.every("a") if a.text == "More trackers"))
        rows = [row.attrs["data-binding-id"] for p in (page, more) for row in p.ids("connector-row")]
        self.assertEqual((sorted(rows), other in rows), (sorted(wanted), False))
        self.flag(False)
        self.assertNotIn("bindings", self.shown(self.viewer, path + "?tab=bindings").source)

    def test_signals_say_what_they_are_about_and_how_they_came(self):
        self.arrive()
        row = self.shown(self.viewer, self.path + "?tab=signals").one(data_testid="signal-row")
        self.assertEqual(row.one("td", data_label="Came by").text, "webhook")
        self.assertEqual(row.one("td", data_label="About").text, self.service.database.query("SELECT entity FROM signals")[0])

    def test_lists_are_paged_and_small(self):
        self.arrive(60)
        for tab, testid in (("webhooks", "delivery-row"), ("signals", "signal-row")):
            first = self.shown(self.editor, f"{self.path}?tab={tab}")
            older = next(a.attrs["href"] for a in first.every("a") if a.text.startswith("Older"))
            second = self.shown(self.editor, older)
            seen = [row.attrs["data-id"] for page in (first, second) for row in page.ids(testid)]
            self.assertEqual((len(seen), len(set(seen))), (60, 60))

    def test_a_delivery_is_replayed_once_however_often_the_button_is_pressed(self):
        self.arrive()
        page = self.shown(self.editor, self.path + "?tab=webhooks")
        form, button = page.one("section", id="deliveries").one("form"), page.one("button", formaction=self.replay_path())
        done = self.editor.submit(form, button.attrs["formaction"])
        self.assertEqual((done.status, done.one("p", class_="flash").text), (200, "The delivery was processed once more."))
        attempts = self.deliveries()[0]["attempts"]
        self.assertEqual(self.editor.submit(form, button.attrs["formaction"]).status, 200)
        self.assertEqual((self.deliveries()[0]["attempts"], len(self.signals())), (attempts, 1))
        self.assertEqual(self.audited("delivery.replay"), ["session:Ana"])

    def replay_path(self):
        return f"{self.actions}/deliveries/{self.deliveries()[0]['id']}/replay"

    def test_a_disconnect_asks_for_the_account_s_name(self):
        page = self.shown(self.editor, self.path)
        form = page.one("form", action=self.actions + "/disconnect")
        wrong = self.editor.submit(form, confirm='acct-2"<b>')
        self.assertEqual((wrong.status, self.get("/connections/" + self.row["id"])["status"]), (400, "active"))
        self.assertEqual(wrong.one("input", name="confirm").attrs["value"], 'acct-2"<b>')
        self.assertIn("nothing was changed", wrong.one("p", role="alert").text)
        for _ in range(2):
            done = self.editor.submit(form, confirm="acct-1")
            self.assertEqual((done.status, done.one("p", class_="flash").text[:12]), (200, "Disconnected"))
        self.assertEqual(self.get("/connections/" + self.row["id"])["status"], "revoked")
        self.assertEqual(self.audited("connection.delete"), ["session:Ana"])
        gone = self.shown(self.editor, self.path)
        self.assertEqual(gone.one(data_testid="connection").attrs["data-state"], "revoked")
        self.assertEqual([f.attrs["action"] for f in gone.every("form")], ["/dashboard/logout"])

    def test_a_new_secret_is_shown_once_and_the_one_before_is_accepted_yet(self):
        page = self.shown(self.editor, self.path)
        form = page.one("form", action=self.actions + "/webhook-secret")
        shown = self.editor.submit(form)
        self.assertEqual((shown.status, shown.answer.headers["Cache-Control"]), (200, "no-store"))
        first = shown.one(data_testid="fresh-secret")
        self.assertIn("none of its own before", first.text)
        self.assertEqual(shown.one("body")["data-stream"], "", "nothing asks for this address again")
        again = self.editor.submit(form)
        self.assertEqual((again.status, again.ids("fresh-secret")), (409, []), "a second press makes no other one")
        page = self.shown(self.editor, self.path)
        self.assertNotIn(first.one("code").text, page.source)
        second = self.editor.submit(page.one("form", action=self.actions + "/webhook-secret")).one(data_testid="fresh-secret")
        self.assertIn("The one before ends in 24 h", second.text)
        for number, secret in enumerate((first.one("code").text, second.one("code").text)):
            body = signers.to_bytes(signers.example_event(number + 50))
            self.deliver("example", body, signers.example(body, secret))
        self.assertEqual(self.audited("connection.rotate_secret"), ["session:Ana"] * 2)

    def test_who_did_what_to_it_is_told_to_whoever_may_change_it(self):
        secret = self.shown(self.editor, self.path).one("form", action=self.actions + "/webhook-secret")
        self.editor.submit(secret)
        self.connect("example", "acct-2")  # another one's row is not this one's
        told = lambda page: [(row.attrs["data-action"], row.one("th").text, row.one("td", data_label="Who").text) for row in page.ids("audit-row")]
        page = self.shown(self.editor, self.path + "?tab=audit")
        self.assertEqual(told(page), [("connection.rotate_secret", "Made a new webhook secret", "Ana"), ("connection.create", "Added", "operator")])
        for n in range(40):
            self.call("PATCH", "/connections/" + self.path.rpartition("/")[2], {"display_name": f"Name {n}"})
        pages = [self.shown(self.editor, self.path + "?tab=audit")]
        pages.append(self.shown(self.editor, next(a.attrs["href"] for a in pages[0].every("a") if a.text == "What was done before")))
        self.assertEqual([action for page in pages for action, _, _ in told(page)], ["connection.patch"] * 40 + ["connection.rotate_secret", "connection.create"])
        denied = self.shown(self.viewer, self.path + "?tab=audit")
        self.assertEqual((told(denied), denied.one("p", class_="empty").text), ([], "Your role does not show who changed what."))

    def test_whoever_only_looks_sees_the_buttons_and_whose_they_are_but_cannot_press_any(self):
        self.arrive()
        for query, labels in (("", ["New webhook secret …", "Disconnect …"]), ("?tab=webhooks", ["Replay"])):
            page = self.shown(self.viewer, self.path + query)
            self.assertEqual(self.denied(page)[-len(labels):], labels)
            self.assertEqual([b.text for b in page.every("button") if "disabled" not in b.attrs], ["Sign out"])
            self.assertEqual([f.attrs["action"] for f in page.every("form", method="post") if f.attrs["action"] != "/dashboard/logout" and list(f.every("button"))], [])
            self.assertEqual(self.denied(self.shown(self.editor, self.path + query)), [])
        csrf = page.one("form", action="/dashboard/logout").one("input", name="csrf").attrs["value"]
        for path in ("sync", "refresh", "disconnect", "webhook-secret"):
            answer = self.viewer.send("POST", f"{self.actions}/{path}", {"csrf": csrf, "confirm": "acct-1"})
            self.assertEqual((answer.status, answer.headers.get_content_type()), (403, "text/html"))
        self.assertEqual(self.viewer.send("POST", self.replay_path(), {"csrf": csrf}).status, 403)
        self.assertEqual(self.viewer.send("POST", FRONT + "/connect", {"csrf": csrf, "provider": "example"}).status, 403)
        self.assertEqual(self.get("/connections/" + self.row["id"])["status"], "active")

    def test_a_form_of_somebody_else_is_refused(self):
        form = self.shown(self.editor, self.path).one("form", action=self.actions + "/disconnect")
        for headers, values in (({}, {"csrf": ""}), ({}, {"csrf": "x" * 43}), ({"Sec-Fetch-Site": "cross-site"}, {}),
                                ({"Sec-Fetch-Site": None, "Origin": "https://evil.example"}, {})):
            fields = self.editor.filled(form, confirm="acct-1", **values)
            with self.subTest(headers=headers, values=values):
                self.assertEqual(self.editor.send("POST", self.actions + "/disconnect", fields, headers).status, 403)
        self.assertEqual(self.get("/connections/" + self.row["id"])["status"], "active")

    def test_a_suspended_team_looks_and_does_not_act(self):
        form = self.shown(self.editor, self.path).one("form", action=self.actions + "/disconnect")
        self.assertEqual(self.call("POST", f"/ops/tenants/{self.tenant}/suspend", tenant=None).status, 200)
        self.shown(self.editor, self.path)
        self.assertEqual(self.editor.post(form, confirm="acct-1").status, 403)
        self.call("POST", f"/ops/tenants/{self.tenant}/resume", tenant=None)
        self.assertEqual(self.get("/connections/" + self.row["id"])["status"], "active")

    def test_another_team_finds_nothing(self):
        self.arrive()
        stranger = self.browser("admin", tenant=self.new_tenant())
        never = self.shown(stranger, FRONT + "/0190f3a2-0000-7000-8000-000000000000", 404)
        page = self.shown(stranger, self.path, 404)
        self.assertEqual(*(re.sub(r"[0-9a-f]{32}|[0-9a-f-]{36}", "*", p.source) for p in (page, never)))
        csrf = page.one("form", action="/dashboard/logout").one("input", name="csrf").attrs["value"]
        for path in (self.actions + "/sync", self.actions + "/disconnect", self.replay_path()):
            self.assertEqual(stranger.send("POST", path, {"csrf": csrf, "confirm": "acct-1"}).status, 404)
        self.assertEqual(self.get("/connections/" + self.row["id"])["status"], "active")

    def test_what_has_nothing_to_sync_says_so(self):
        page = self.shown(self.editor, self.path)
        self.assertEqual([f for f in page.every("form") if f.attrs["action"].endswith("/refresh")], [])
        csrf = page.one("form", action="/dashboard/logout").one("input", name="csrf").attrs["value"]
        refused = Page(self.editor.send("POST", self.actions + "/refresh", {"csrf": csrf}))
        self.assertEqual((refused.status, bool(refused.one("p", role="alert").text)), (400, True))


class Consent(ZooSuite, ConnectorsSuite):
    settings = {"TRACKER_FLAG_DEFAULT": "true"}

    def connect_by_hand(self, browser, provider="example"):
        """From the button to the provider, and back to the page of the connection."""
        form = self.shown(browser, FRONT).one("form", action=FRONT + "/connect")
        leaving = browser.post(form, provider=provider)
        self.assertEqual(leaving.status, 200, leaving)
        link = tuple(Page(leaving).every("a"))[0].attrs["href"]
        self.assertIn(f'content="0;url=', leaving.text)
        consent = fetch("GET", link + "&account=" + self.person)
        self.assertEqual(consent.status, 302, consent)
        target = urllib.parse.urlsplit(consent.headers["Location"])
        cookie = leaving.headers["Set-Cookie"].partition(";")[0]
        return self.service.call("GET", f"{target.path}?{target.query}", token=None, headers={"Cookie": cookie}, timeout=60)

    def test_connecting_needs_no_script(self):
        back = self.connect_by_hand(self.editor)
        self.assertEqual((back.status, back.headers.get_content_type()), (200, "text/html"))
        page = self.shown(self.editor, tuple(Page(back).every("a"))[0].attrs["href"])
        self.assertEqual(page.one("p", class_="flash").text, "Connected. Its first sync has been queued.")
        row = self.get("/connections")["connections"][0]
        self.assertEqual(page.one(data_testid="connection").attrs["data-state"], row["status"])

    def test_a_sync_and_new_tokens_at_the_press_of_a_button(self):
        page = self.shown(self.editor, tuple(Page(self.connect_by_hand(self.editor)).every("a"))[0].attrs["href"])
        path = f"/dashboard/connections/{self.get('/connections')['connections'][0]['id']}"
        jobs = self.editor.submit(page.one("form", action=path + "/sync"), mode="full")
        self.assertEqual(jobs.status, 200, jobs.source)
        self.assertIn("queue", jobs.one("p", class_="flash").text)
        self.assertGreaterEqual(len(jobs.ids("job-row")), 1)
        fresh = self.editor.submit(page.one("form", action=path + "/refresh"))
        self.assertEqual((fresh.status, fresh.one("p", class_="flash").text), (200, "It has new tokens."))
        self.assertEqual([self.audited(a) for a in ("oauth.start", "sync.request", "connection.refresh")], [["session:Ana"]] * 3)

    def test_a_denial_leads_back_with_a_reason(self):
        form = self.shown(self.editor, FRONT).one("form", action=FRONT + "/connect")
        leaving = self.editor.post(form, provider="example")
        state = urllib.parse.parse_qs(urllib.parse.urlsplit(tuple(Page(leaving).every("a"))[0].attrs["href"]).query)["state"][0]
        cookie = leaving.headers["Set-Cookie"].partition(";")[0]
        back = self.service.call("GET", "/connect/example/callback?error=access_denied&state=" + state, token=None, headers={"Cookie": cookie})
        self.assertEqual((back.status, back.headers.get_content_type()), (400, "text/html"))
        self.assertEqual(self.get("/connections")["connections"], [])

    def test_a_provider_that_cannot_be_asked_is_refused(self):
        form = self.shown(self.editor, FRONT).one("form", action=FRONT + "/connect")
        self.assertEqual(self.editor.post(form, provider="nowhere").status, 404)


if __name__ == "__main__":
    harness.main()
