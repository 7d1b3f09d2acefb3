"""What a connection's account has for a tracker: by the API, and in the wizard that binds it, without JavaScript."""

import concurrent.futures
import urllib.parse
import uuid

import harness
from harness import eventually
from pages import EVIL, FRONT, PagesSuite
from snapshots import T
from zoo import ZooSuite

TRACKERS = {"github": "github_repo", "gitlab": "gitlab_project", "jira": "jira_project", "linear": "linear_team"}


class DiscoverySuite(ZooSuite, PagesSuite):
    settings = {"TRACKER_FLAG_DEFAULT": "true", "HTTP_CLIENT_TIMEOUT_SECONDS": "2"}

    def connected(self, provider="github", **resources):
        """A connection of this test's person, whose account has these."""
        if resources:
            self.tell("resources", provider, **resources)
        return self.consent(provider)

    def path(self, c):
        return f"/api/v1/connections/{c['id']}/resources"

    def listed(self, c, **query):
        return self.get(self.path(c), query=query)

    def looks(self, provider="github"):
        """How often the account's provider was asked for a page."""
        return len(self.zoo.requests(provider, "discover", self.person))

    def goes_wrong(self, provider="github", **how):
        self.zoo.tell("faults", provider=provider, operation="discover", account=self.person, **{"times": 0, **how})

    def bindings(self):
        return self.call("GET", T + "/bindings/").json["items"]


class Api(DiscoverySuite):
    def refused_with(self, c, http_status, code, /, **details):
        answer = self.call("GET", self.path(c), timeout=60)
        problem = self.refused(answer, http_status, code)
        self.assertEqual({name: problem["details"].get(name) for name in details}, details)
        return answer

    def test_every_tracker_tells_what_it_has(self):
        for provider, kind in TRACKERS.items():
            with self.subTest(provider):
                c = self.connected(provider, names=["toys", "Tools", "attic"])
                found = self.listed(c)
                rows = found["items"]
                self.assertEqual([row["label"].rpartition("/")[2] for row in rows], ["Tools", "attic", "toys"])
                self.assertEqual({row["resource_type"] for row in rows}, {kind})
                self.assertIn(self.person, {name for row in rows for name in row["workspaces"]})
                self.assertEqual(len({row["ids"][0] for row in rows}), 3)
                self.assertEqual([found[k] for k in ("total", "matching", "partial", "provider", "connection_id", "next_cursor")],
                                 [3, 3, None, provider, c["id"], None])

    def test_five_thousand_are_read_once_and_walked_in_pages(self):
        c = self.connected(count=5000)
        rows = self.service.pages(self.path(c), "items", tenant=self.tenant, limit=100)
        self.assertEqual(len({row["ids"][0] for row in rows}), 5000)
        self.assertEqual(self.looks(), 50)
        one = self.listed(c, search="PLACE-0042")
        self.assertEqual([one["total"], one["matching"], one["items"][0]["label"]], [5000, 1, f"{self.person}/place-0042"])
        self.assertEqual(self.looks(), 50)
        first = self.listed(c, search="place", limit=1)
        for query in ({"search": "other"}, {}):
            answer = self.call("GET", self.path(c), query={**query, "limit": 1, "cursor": first["next_cursor"]})
            self.refused(answer, 400, "invalid_cursor")
        self.tell("resources", "github", count=5001)
        more = self.listed(c, fresh="true", limit=1)
        self.assertEqual([more["total"], more["partial"]], [5000, "limit"])

    def test_whoever_asks_at_once_shares_one_look(self):
        c = self.connected(count=150)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            answers = list(pool.map(lambda _: self.listed(c), range(8)))
        self.assertEqual({answer["total"] for answer in answers}, {150})
        self.assertEqual(len({answer["read_at"] for answer in answers}), 1)
        self.assertEqual(self.looks(), 2)

    def test_a_token_that_has_expired_is_renewed(self):
        c = self.connected("gitlab", names=["a"])
        self.zoo.tell("expire", provider="gitlab", account=self.person)
        self.assertEqual(self.listed(c)["total"], 1)

    def test_a_consent_that_is_gone_is_needed_again(self):
        c = self.connected("gitlab")
        self.zoo.tell("withdraw", provider="gitlab", account=self.person)
        for _ in range(2):  # also once the connection itself says so
            answer = self.refused_with(c, 403, "no_installation", reason="tokens_refused")
            self.assertTrue(answer.json["user_action_required"])
        self.consent("gitlab")
        self.assertEqual(self.listed(c)["total"], 1)

    def test_a_provider_that_refuses_says_what_for(self):
        c = self.connected()
        self.goes_wrong(status=403)
        self.refused_with(c, 403, "no_installation", reason="access_denied", status=403)
        self.zoo.tell("heal", provider="github")
        self.goes_wrong(retry_after=7)
        answer = self.refused_with(c, 429, "rate_limited", provider="github")
        self.assertEqual(answer.headers["Retry-After"], "7")
        for trouble in ({"delay": 5}, {"close": True}, {"status": 500}, {"garbage": True}):
            with self.subTest(**trouble):
                self.zoo.tell("heal", provider="github")
                self.goes_wrong(**trouble)
                answer = self.refused_with(c, 503, "busy", provider="github")
                self.assertTrue(int(answer.headers["Retry-After"]) > 0)

    def test_what_came_before_the_trouble_is_shown_and_called_partial(self):
        c = self.connected("linear", count=250)
        for trouble, why in (({"status": 500}, "provider_error"), ({"retry_after": 9}, "rate_limited"), ({"delay": 5}, "provider_error"),
                             ({"repeated_cursor": True}, "provider_error")):
            with self.subTest(**trouble):
                self.zoo.tell("heal", provider="linear")
                self.goes_wrong("linear", skip=1, **trouble)
                found = self.call("GET", self.path(c), query={"fresh": "true"}, timeout=60).json
                self.assertEqual(found["partial"], why)
                self.assertIn(found["total"], (100, 200))
        self.zoo.tell("heal", provider="linear")
        self.goes_wrong("linear", endless_pages=True)
        self.assertEqual(self.listed(c, fresh="true")["partial"], "limit")

    def test_only_the_team_s_own_connections_that_can_be_asked(self):
        c = self.connected()
        self.refused(self.service.call("GET", self.path(c), tenant=self.new_tenant()), 404, "not_found")
        self.refused(self.call("GET", self.path({"id": str(uuid.uuid4())})), 404, "not_found")
        self.refused(self.call("GET", self.path({"id": "nonsense"})), 404, "not_found")
        self.refused_with(self.connect("github"), 403, "no_installation", reason="no_consent")
        self.refused_with(self.consent("gmail"), 400, "validation_error")
        self.call("DELETE", "/connections/" + c["id"])
        self.refused_with(c, 403, "no_installation", reason="disconnected")

    def test_the_flag_and_the_scope_come_first(self):
        c = self.connected()
        for scope in ("tracker:read", "tracker:write"):
            answer = self.service.call("GET", self.path(c), token=self.token(scope)["secret"])
            self.refused(answer, 403, "insufficient_scope")
        self.assertEqual(self.service.call("GET", self.path(c), token=self.token("tracker:admin")["secret"]).status, 200)
        self.flag(False)
        self.refused(self.call("GET", self.path(c)), 403, "feature_disabled")
        self.assertEqual(self.looks(), 1)


class Wizard(DiscoverySuite):
    def setUp(self):
        super().setUp()
        self.home = self.project()

    def begin(self, c):
        return f"/dashboard/connections/{c['id']}/bindings/new"

    def offers(self, page):
        """Their labels, and where they lead: to the next step, or to the binding that has them."""
        return {row.one("th").text.rpartition("/")[2]: next(row.every("a")).attrs["href"] for row in page.ids("tracker-offer")}

    def confirming(self, c, name, browser=None, **values):
        """The last page before that resource is bound to the project."""
        browser = browser or self.admin
        page = self.shown(browser, self.offers(self.shown(browser, self.begin(c)))[name])
        wanted = browser.filled(page.one("form", action=self.begin(c)), **{"project": self.home["id"], **values})
        return self.shown(browser, self.begin(c) + "?" + urllib.parse.urlencode(wanted))

    def bind(self, page, browser=None, status=200):
        done = (browser or self.admin).submit(page.one("form", action=page.confirm))
        self.assertEqual(done.status, status, done.source)
        return done

    def confirmed(self, c, name, browser=None, **values):
        page = self.confirming(c, name, browser, **values)
        page.confirm = f"/dashboard/connections/{c['id']}/bindings"
        return page

    def test_found_chosen_confirmed_and_nothing_twice(self):
        for provider, kind in TRACKERS.items():
            with self.subTest(provider):
                c = self.connected(provider, names=["widgets", "other"])
                first = self.shown(self.admin, self.begin(c))
                self.assertEqual(first.one("li", aria_current="step").text, "Choose")
                self.assertEqual(sorted(self.offers(first)), ["other", "widgets"])
                last = self.confirmed(c, "widgets", label="Ours & theirs", mode="split_ownership", assignee_owner="external")
                self.assertEqual(last.one("li", aria_current="step").text, "Confirm")
                said = [self.bind(last).one("p", class_="flash").text.split()[0] for _ in range(2)]
                self.assertEqual(said, ["Bound.", "That"])
                made = [b for b in self.bindings() if b["provider"] == provider]
                self.assertEqual([(b["state"], b["display_label"], b["doctrine"]["mode"], b["doctrine"]["field_owners"]) for b in made],
                                 [("active", "Ours & theirs", "split_ownership", {"assignee": "external"})])
                wanted = next(row for row in self.listed(c)["items"] if row["label"].endswith("widgets"))
                self.assertEqual([(r["resource_type"], r["resource_id"], r["workspace"], r["state"]) for r in made[0]["resources"]],
                                 [(kind, wanted["ids"][0], wanted["workspaces"][0], "active")])
                self.assertEqual(wanted["bound"], {"binding_id": made[0]["id"], "project_slug": self.home["slug"]})
        self.assertEqual(self.audited("tracker_binding.create"), ["session:Ana"] * 4)

    def test_its_issues_land_there(self):
        c = self.connected()
        self.bind(self.confirmed(c, "widgets"))
        self.tell("change", "github")
        self.sync("github")
        issues = eventually(lambda: self.call("GET", T + "/issues/").json["items"], what="the issues")
        self.assertEqual({i["binding_id"] for i in issues}, {self.bindings()[0]["id"]})

    def test_what_is_bound_leads_to_its_binding(self):
        c = self.connected(names=["mine", "free"])
        self.bind(self.confirmed(c, "mine"))
        bound = self.bindings()[0]["id"]
        page = self.shown(self.admin, self.begin(c))
        links = self.offers(page)
        self.assertEqual(links["mine"], f"{FRONT}/bindings/{bound}")
        row = next(row for row in page.ids("tracker-offer") if row.one("th").text.endswith("mine"))
        self.assertEqual(row.one("span", aria_disabled="true").text, f"{self.person}/mine")
        self.assertIn(self.home["slug"], row.text)
        chosen = self.begin(c) + "?resource=" + urllib.parse.quote(f"{self.person}/mine", safe="")
        again = self.shown(self.admin, chosen, 409)
        self.assertIn("Ana bound it", again.one("p", role="alert").text)
        self.assertEqual(again.one("p", role="alert").one("a").attrs["href"], f"{FRONT}/bindings/{bound}")

    def test_a_second_one_of_the_workspace_joins_the_binding(self):
        c = self.connected(names=["one", "two"])
        self.bind(self.confirmed(c, "one"))
        done = self.bind(self.confirmed(c, "two"))
        self.assertIn("leads there, too", done.one("p", class_="flash").text)
        only, = self.bindings()
        self.assertEqual(sorted(r["resource_id"].rpartition("/")[2] for r in only["resources"]), ["one", "two"])

    def test_a_binding_that_only_snapshots_found_is_switched_on(self):
        c = self.connected(names=["one", "two"])
        self.bind(self.confirmed(c, "one"))
        only, = self.bindings()
        last = self.confirmed(c, "two")
        self.call("PATCH", f"{T}/bindings/{only['id']}/", {"state": "disabled"})
        self.bind(last)
        self.assertEqual(self.bindings()[0]["state"], "active")

    def test_somebody_was_quicker(self):
        c = self.connected(names=["prize"])
        late = self.confirmed(c, "prize", project=self.project()["id"])
        self.bind(self.confirmed(c, "prize"))
        refused = self.bind(late, status=409)
        said = refused.one("p", role="alert")
        self.assertRegex(said.text, r"^Ana bound it (just now|\d+ s ago)")
        self.assertEqual(said.one("a").attrs["href"], f"{FRONT}/bindings/{self.bindings()[0]['id']}")
        self.assertEqual(len(self.bindings()), 1)

    def test_searching_and_paging_are_in_the_address(self):
        c = self.connected(count=5000)
        page = self.shown(self.admin, self.begin(c))
        self.assertEqual(page.one(data_testid="tracker-offers").attrs["data-total"], "5000")
        found = self.shown(self.admin, self.begin(c) + "?search=place-01")
        self.assertEqual(found.one(data_testid="tracker-offers").attrs["data-matching"], "100")
        self.assertEqual(found.one("input", name="search").attrs["value"], "place-01")
        names, link = [], self.begin(c) + "?search=place-01"
        while link:
            page = self.shown(self.admin, link)
            names += self.offers(page)
            link = next((a.attrs["href"] for a in page.every("a") if a.text.startswith("More ")), None)
        self.assertEqual(names, [f"place-01{n:02}" for n in range(100)])
        self.assertEqual(self.looks(), 50)
        self.assertIn("Nothing matches", self.shown(self.admin, self.begin(c) + "?search=nowhere").root.text)

    def test_hostile_names_stay_text_and_pages_small(self):
        names = [EVIL, "\u202e\u0627\u0644", "=cmd|'/c calc'!A0", "<&>\"'" * 90, "line\nbreak", *(f"{n}" + "\"" * 400 for n in range(40))]
        for provider in TRACKERS:
            with self.subTest(provider):
                c = self.connected(provider, names=names)
                page = self.shown(self.admin, self.begin(c))
                self.assertFalse(page.all("img") + [a for a in page.every("a") if a.attrs["href"].startswith("javascript")])
                evil = self.shown(self.admin, self.begin(c) + "?search=" + urllib.parse.quote("<script>alert"))
                self.assertEqual([row.one("th").text.rpartition(f"{self.person}/")[2][:14] for row in evil.ids("tracker-offer")], ["<script>alert("])
                (_, link), = self.offers(evil).items()
                form = self.shown(self.admin, link).one("form", action=self.begin(c))
                wanted = self.admin.filled(form, project=self.home["id"])
                last = self.shown(self.admin, self.begin(c) + "?" + urllib.parse.urlencode(wanted))
                last.confirm = f"/dashboard/connections/{c['id']}/bindings"
                self.bind(last)
                self.assertFalse(page.all("img"))

    def test_trouble_is_said_with_a_way_out(self):
        c = self.connected("gitlab", names=[])
        self.assertIn("nothing that issues could belong to", self.shown(self.admin, self.begin(c)).root.text)
        for trouble, code, said in (({"status": 403}, "no_installation", "does not let"), ({"retry_after": 7}, "rate_limited", "Try again in 7 s"),
                                    ({"delay": 5}, "busy", "cannot be asked")):
            with self.subTest(**trouble):
                self.zoo.tell("heal", provider="gitlab")
                self.goes_wrong("gitlab", **trouble)
                panel = self.shown(self.admin, self.begin(c) + "?fresh=true").one(data_testid="tracker-discovery-refused")
                self.assertEqual(panel.attrs["data-code"], code)
                self.assertIn(said, panel.text)
        self.zoo.tell("heal", provider="gitlab")
        self.tell("resources", "gitlab", count=150)
        self.goes_wrong("gitlab", skip=1, status=500)
        partial = self.shown(self.admin, self.begin(c) + "?fresh=true").one(data_testid="tracker-offers-partial")
        self.assertIn("there may be more", partial.text)
        self.zoo.tell("withdraw", provider="gitlab", account=self.person)
        self.zoo.tell("heal", provider="gitlab")
        panel = self.shown(self.admin, self.begin(c) + "?fresh=true").one(data_testid="tracker-discovery-refused")
        consent = panel.one("form", action=FRONT + "/connect")
        self.assertEqual(self.admin.filled(consent)["provider"], "gitlab")
        self.assertIn(self.zoo.bases["gitlab"], self.admin.submit(consent).source)

    def test_a_resource_that_went_away_is_not_bound_by_an_old_address(self):
        c = self.connected(names=["here"])
        for resource in ("gone", f"{self.person}/gone"):
            page = self.shown(self.admin, self.begin(c) + "?step=confirm&resource=" + urllib.parse.quote(resource, safe=""), 404)
            self.assertIn("not there any more", page.one("p", role="alert").text)
            self.assertEqual(list(self.offers(page)), ["here"])

    def test_what_is_missing_is_said_and_the_rest_kept(self):
        c = self.connected(names=["here"])
        link = self.offers(self.shown(self.admin, self.begin(c)))["here"]
        page = self.shown(self.admin, link + "&step=confirm&label=kept", 400)
        self.assertIn("project", page.one("p", role="alert").text)
        self.assertEqual(page.one("input", name="label").attrs["value"], "kept")
        self.shown(self.admin, link + f"&step=confirm&project={uuid.uuid4()}", 404)

    def test_other_roles_other_teams_and_no_flag(self):
        c = self.connected(names=["here"])
        last = self.confirmed(c, "here")
        for browser in (self.viewer, self.editor):
            page = self.shown(browser, self.begin(c), 403)
            csrf = page.one("input", name="csrf").attrs["value"]
            self.assertEqual(browser.send("POST", last.confirm, {"csrf": csrf, "resource": "x"}).status, 403)
        stranger = self.browser("admin", tenant=self.new_tenant())
        page = self.shown(stranger, self.begin(c), 404)
        csrf = page.one("input", name="csrf").attrs["value"]
        self.assertEqual(stranger.send("POST", last.confirm, {"csrf": csrf, "resource": "x"}).status, 404)
        own = f"{FRONT}/{c['id']}"
        for page in (self.shown(self.admin, FRONT), self.shown(self.admin, own)):
            self.assertEqual([a.attrs["href"] for a in page.every("a") if a.text == "Bind tracker…"], [self.begin(c)])
        self.assertIn("Bind tracker…", self.denied(self.shown(self.viewer, own)))
        self.flag(False)
        for page in (self.shown(self.admin, FRONT), self.shown(self.admin, own), self.shown(self.viewer, own)):
            self.assertNotIn("racker", page.one("main").text.replace(self.id().rpartition(".")[2], ""))
        self.shown(self.admin, self.begin(c), 404)
        self.assertEqual(self.admin.submit(last.one("form", action=last.confirm)).status, 404)
        self.flag(True)
        self.assertEqual(self.bindings(), [])


if __name__ == "__main__":
    harness.main()
