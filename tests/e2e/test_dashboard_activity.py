"""The feed's page and its files, and the stream that keeps open pages up to date."""

import csv
import http.client
import io
import json
import re
import time
import urllib.parse
import uuid

import harness
import signers
from harness import eventually
from pages import Browser, TrackerPagesSuite
from snapshots import issue, mapping, snapshot
from teams import event

ACTIVITY, EVENTS = "/dashboard/activity", "/dashboard/events"


class FeedSuite(TrackerPagesSuite):
    settings = {**TrackerPagesSuite.settings, "ACTIVITY_STREAM_HEARTBEAT_SECONDS": "1"}


class Feed(FeedSuite):
    def test_empty_then_newest_first_then_older(self):
        self.assertIn("Nothing has happened yet.", self.page(ACTIVITY).text)
        project = self.project()
        self.report(*(event(project, "Note") for _ in range(120)))
        page, seen = self.page(ACTIVITY), []
        self.assertIn("data-live", page.all(id="feed")[0].attrs)
        while True:
            seen += self.seqs(page)
            older = [a["href"] for a in page.all("a") if a.text == "Older"]
            if not older:
                break
            self.report(event(project, "Note"))  # what comes meanwhile neither repeats nor hides others
            page = self.page(older[0])
            self.assertNotIn("data-live", page.all(id="feed")[0].attrs, "what is old does not move")
        self.assertEqual(seen, list(range(120, 0, -1)))

    def test_filters_are_the_url_and_as_the_api_s(self):
        one, two = self.project(name="One"), self.project(name="Two")
        self.work_package(one)
        self.taken(snapshot(one, [issue("a-1", "done")], [mapping("WP01", "a-1")]))
        self.report(event(one, "WPCreated", "WP02"), event(two, "WPCreated", "WP01"), event(two, "Odd"))
        for query in ({"project": one["id"]}, {"project": two["project_uuid"]}, {"type": "WPCreated"}, {"wp_id": "WP01"},
                      {"type": "Odd", "project": two["id"]}, {"type": "tracker_drift_detected"}, {"since_seq": "2", "until_seq": "3"},
                      {"project": str(uuid.uuid4())}):
            page = self.page(ACTIVITY + "?" + "&".join(f"{k}={v}" for k, v in query.items()))
            self.assertEqual(self.seqs(page), [r["seq"] for r in self.items("/api/v1/activity/", **query)], query)
            for name in ("type", "project"):
                chosen = [o for o in page.all("select", name=name)[0].all("option") if "selected" in o.attrs]
                self.assertEqual(len(chosen), 1 if name in query and self.seqs(page) else 0, query)
        self.assertIn("Nothing has happened that matches yet.", self.page(ACTIVITY + "?type=Never").text)
        for bad in ("project=x", "cursor=x", "since_seq=-1", "until_seq=x", "from=yesterday", "to=2026-13-01", "provider=odd", "q=" + "x" * 201):
            self.page(f"{ACTIVITY}?{bad}", 400)

    def test_text_provider_and_time_are_filters_here_in_the_api_and_in_files(self):
        one = self.project(name="One")
        self.work_package(one)
        self.taken(snapshot(one, [issue("a-1", "done")], [mapping("WP01", "a-1")]))
        self.report(event(one, "WPCreated", "WP02", title="Fix the LOGIN"), event(one, "Note"))
        today = self.items("/api/v1/activity/")[0]["recorded_at"][:10]
        newest = self.items("/api/v1/activity/")[0]["seq"]
        for query, some in (({"q": "login"}, True), ({"q": "lo_in"}, False), ({"provider": "linear"}, True), ({"provider": "jira"}, False),
                            ({"from": today}, True), ({"to": "2020-01-01"}, False), ({"from": "2035-01-01"}, False),
                            ({"from": today, "to": today, "q": "wp01", "provider": "linear", "type": "tracker_drift_detected"}, True)):
            page = self.page(ACTIVITY + "?" + urllib.parse.urlencode(query))
            spelled = {k: v + {"from": "T00:00:00Z", "to": "T23:59:59.999Z"}.get(k, "") for k, v in query.items()}
            listed = [r["seq"] for r in self.items("/api/v1/activity/", **spelled)]
            self.assertEqual((self.seqs(page), bool(listed)), (listed, some), query)
            files = [a["href"] for a in page.all("a") if a.text == "NDJSON"]
            self.assertEqual([json.loads(line)["seq"] for line in self.ask("GET", files[0]).text.splitlines()], listed, query)
            form = page.one("form", role="search")
            typed = Browser.filled(form)
            self.assertEqual({k: typed[k] for k in query}, query, "the form says what is asked for")
        self.assertEqual(len(self.items("/api/v1/activity/", q="login", limit=1)), 1)
        kinds = {r["type"] for r in self.items("/api/v1/activity/", q="Drift detected")}
        self.assertEqual(kinds, {"tracker_drift_detected"}, "what a row says of its kind is text, too")
        kinds = {r["type"] for r in self.items("/api/v1/activity/", q="WP created")}
        self.assertEqual(kinds, {"WPCreated"})
        self.assertLess(len(self.items("/api/v1/activity/", provider="linear")), newest)
        for bad in ({"q": "x" * 201}, {"provider": "odd"}, {"from": "yesterday"}):
            self.assertEqual(self.ask("GET", "/api/v1/activity/", query=bad).status, 400, bad)

    def test_a_search_stops_at_its_bound_and_says_so(self):
        project = self.project()
        self.report(event(project, "WPCreated", "WP01", title="needle"))
        for _ in range(10):
            self.report(*(event(project, "Note") for _ in range(1000)))
        page = self.page(ACTIVITY + "?q=needle")
        self.assertEqual((self.seqs(page), page.one(data_testid="activity-stopped").text), ([], "10000 rows were looked at. Look further back"))
        self.assertIn("Nothing matches so far.", page.text)
        page = self.page(page.one(data_testid="activity-stopped").all("a")[0]["href"])
        self.assertEqual((self.seqs(page), page.ids("activity-stopped")), ([1], []))
        self.assertEqual([r["seq"] for r in self.items("/api/v1/activity/", q="needle")], [1], "the API's cursors lead there, too")
        self.assertEqual(len(self.ask("GET", ACTIVITY + ".ndjson?q=needle").text.splitlines()), 1)

    def test_a_cursor_is_of_its_filters_and_its_team(self):
        project = self.project()
        self.report(*(event(project, "Note") for _ in range(60)))
        older = [a["href"] for a in self.page(ACTIVITY + "?type=Note").all("a") if a.text == "Older"][0]
        self.page(older)
        self.page(older.replace("type=Note", "type=Other"), 400)
        self.page(older, 400, tenant=self.new_tenant(slug="team-" + uuid.uuid4().hex[:10]))

    def test_every_kind_of_row_has_one_shape(self):
        project = self.project()
        self.work_package(project)
        self.taken(snapshot(project, [issue("a-1", "done")], [mapping("WP01", "a-1")]))
        self.report(event(project, "WPCreated", "WP02"), event(project, "Note"))
        rows = self.page(ACTIVITY).ids("activity-row")
        self.assertGreater(len({r["data-type"] for r in rows}), 4)
        self.assertEqual({tuple(c.tag for c in r.parts if not isinstance(c, str)) for r in rows}, {("td", "th", "td", "td")})
        self.assertEqual({tuple(sorted(r.attrs)) for r in rows}, {("data-seq", "data-testid", "data-type")})
        self.assertEqual({r.all("time")[0]["datetime"][-1] for r in rows}, {"Z"})


class Files(FeedSuite):
    def file(self, end, query="", tenant=None):
        answer = self.ask("GET", f"{ACTIVITY}.{end}{query}", tenant=tenant)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.headers["Content-Disposition"], f'attachment; filename="activity.{end}"')
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
        return answer

    def table(self, answer):
        return list(csv.DictReader(io.StringIO(answer.body.decode(), newline="")))

    def test_both_hold_what_the_page_shows(self):
        one, two = self.project(), self.project()
        self.report(*(event(one, "Note") for _ in range(70)), event(two, "WPCreated", "WP01"))
        listed = self.items("/api/v1/activity/")
        self.assertEqual([json.loads(line) for line in self.file("ndjson").text.splitlines()], listed)
        self.assertEqual([int(r["seq"]) for r in self.table(self.file("csv"))], [r["seq"] for r in listed])
        links = {a.text: a["href"] for a in self.page(f"{ACTIVITY}?project={two['id']}").all("a")}
        self.assertEqual([r["type"] for r in self.table(self.ask("GET", links["CSV"]))], ["WPCreated"])
        self.assertEqual(len(self.ask("GET", links["NDJSON"]).text.splitlines()), 1)

    def test_no_cell_is_a_formula(self):
        project = self.project()
        nasty = ["=1+1", "+1", "-1", "@x", 'a"b,c', "ü – 漢"]
        self.report(*(event(project, kind) for kind in nasty))
        answer = self.file("csv")
        self.assertEqual(answer.headers["Content-Type"], "text/csv; charset=utf-8")
        rows = self.table(answer)
        self.assertEqual([r["type"] for r in reversed(rows)], ["'" + kind for kind in nasty[:4]] + nasty[4:])
        for row in rows:
            self.assertFalse([v for v in row.values() if v and v[0] in "=+-@\t\r"], row)

    def test_a_file_ends_and_says_where_it_goes_on(self):
        project = self.project()
        for _ in range(11):
            self.report(*(event(project, "Note") for _ in range(1000)))
        first = self.file("csv", "?type=Note")
        self.assertEqual(len(self.table(first)), 10000)
        rest = first.headers["Link"].removeprefix("<").removesuffix('>; rel="next"')
        answer = self.ask("GET", rest)
        self.assertEqual([int(r["seq"]) for r in self.table(answer)], list(range(1000, 0, -1)))
        self.assertIsNone(answer.headers["Link"])

    def test_strangers_get_their_own(self):
        self.report(event(self.project(), "Note"))
        other = self.new_tenant(slug="team-" + uuid.uuid4().hex[:10])
        self.assertEqual(self.file("ndjson", tenant=other).body, b"")
        self.assertEqual(self.service.call("GET", ACTIVITY + ".csv", token=None).status, 303)


class FlagOff(FeedSuite):
    def test_pages_files_and_filters_say_nothing_of_it(self):
        project = self.project()
        self.work_package(project)
        self.taken(snapshot(project, [issue("a-1", "done")], [mapping("WP01", "a-1")]))
        self.report(event(project, "WPCreated", "WP02"))
        self.flag(False)
        page = self.page(ACTIVITY)
        self.assertEqual([n["data-type"] for n in page.ids("activity-row")], ["WPCreated"])
        for text in (self.ask("GET", path).text.lower().replace("x-trace-id", "") for path in
                     (ACTIVITY, ACTIVITY + ".csv", ACTIVITY + ".ndjson", ACTIVITY + "?type=tracker_drift_detected", ACTIVITY + "?type=feature_flag_changed", ACTIVITY + "?provider=linear")):
            for word in ("tracker", "drift", "snapshot"):
                self.assertNotIn(word, text)
        self.flag(True)
        self.assertIn("tracker_drift_detected", [n["data-type"] for n in self.page(ACTIVITY).ids("activity-row")])


class Watch:
    """An open page's stream."""

    def __init__(self, case, browser, since=None, header=None):
        self.link = http.client.HTTPConnection("127.0.0.1", browser.service.port, timeout=15)
        headers = {"Cookie": browser.cookie, "Accept": "text/event-stream"}
        if header is not None:
            headers["Last-Event-ID"] = str(header)
        self.link.request("GET", EVENTS + ("" if since is None else f"?last_event_id={since}"), headers=headers)
        self.answer = self.link.getresponse()
        case.addCleanup(self.close)

    def next(self):
        """The feed's last row as the next event's id has it; "alive" for a sign of life, None at the end."""
        fields = {}
        while line := self.answer.readline().decode():
            line = line.rstrip("\n")
            if line.startswith(":"):
                self.answer.readline()
                return "alive"
            if not line:
                assert fields["event"] == "changed" and fields["data"] == "{}", fields
                self.mark = fields["id"]
                return int(re.fullmatch(r"(\d+)\.\d+", self.mark)[1])
            name, _, fields[name] = line.partition(": ")
        return None

    def change(self):
        while (got := self.next()) == "alive":
            pass
        return got

    def close(self):
        self.link.close()
        self.answer.close()


class Events(FeedSuite):
    def setUp(self):
        super().setUp()
        self.row = self.project()

    def note(self, count=1):
        self.report(*(event(self.row, "Note") for _ in range(count)))

    def signed_in(self, token):
        answer = self.service.call("POST", "/dashboard/login", "token=" + token, token=None)
        self.assertEqual(answer.status, 303, answer)
        return Browser(self.service, answer.headers["Set-Cookie"].split(";")[0])

    def test_a_change_is_told_within_a_second(self):
        browser = self.viewer
        since = browser.get(ACTIVITY).all("body")[0]["data-since"]
        watch = Watch(self, browser, since)
        self.assertEqual((watch.answer.status, watch.answer.headers.get_content_type()), (200, "text/event-stream"))
        for n in range(3):
            began = time.monotonic()
            self.note()
            self.assertEqual(watch.change(), n + 1)
            self.assertEqual(self.seqs(browser.get(ACTIVITY))[0], n + 1)
            self.assertLess(time.monotonic() - began, 1)

    def test_what_the_feed_does_not_tell_of_is_told_to_pages(self):
        watch = Watch(self, self.viewer, self.viewer.get(ACTIVITY).all("body")[0]["data-since"])
        made = []
        changes = {
            "a work package": lambda: self.work_package(self.row, lane="done"),
            "a project": lambda: self.project(),
            "a connection": lambda: made.append(self.connect("example", "acct-1")),
            "a delivery": lambda: self.deliver("example", *self.example_delivery()),
            "the connection's end": lambda: self.call("DELETE", f"/connections/{made[0]['id']}"),
        }
        for what, change in changes.items():
            began = time.monotonic()
            change()
            self.assertEqual(watch.change(), 0, what)
            self.assertLess(time.monotonic() - began, 1, what)

    def test_what_changed_between_a_page_and_its_stream_is_told(self):
        browser = self.viewer
        since = browser.get(ACTIVITY).all("body")[0]["data-since"]
        self.connect("example", "acct-1")
        late = Watch(self, browser, since)
        self.assertEqual(late.change(), 0, "the page is older than the change")
        self.assertEqual(Watch(self, browser, header=late.mark).next(), "alive", "and now it is not")
        late.close()
        self.call("PATCH", f"/connections/{self.call('GET', '/connections').json['connections'][0]['id']}", {"display_name": "Other"})
        self.assertEqual(Watch(self, browser, header=late.mark).change(), 0, "a stream that was cut meanwhile")
        self.service.restart()
        self.assertEqual(Watch(self, browser, header=late.mark).change(), 0, "nobody knows what the last process did not tell")

    def example_delivery(self):
        body = signers.to_bytes(signers.example_event(1))
        return body, signers.example(body)

    def test_many_changes_are_few_events(self):
        watch = Watch(self, self.viewer, self.viewer.get(ACTIVITY).all("body")[0]["data-since"])
        began = time.monotonic()
        for n in range(40):
            self.work_package(self.row, f"WP{n:02}")
        took = time.monotonic() - began
        got = 0
        while watch.next() != "alive":
            got += 1
        self.assertTrue(1 <= got <= 2 + took / 0.4, f"{got} events for 40 changes in {took:.1f} s")

    def test_a_page_goes_on_where_its_own_reading_ended(self):
        browser = self.viewer
        self.note()
        since = browser.get(ACTIVITY).all("body")[0]["data-since"]
        self.assertRegex(since, r"^1\.\d+$")
        quiet = Watch(self, browser, since)
        self.assertEqual(quiet.next(), "alive", "nothing is new")
        self.note(3)
        self.assertEqual(quiet.change(), 4, "one event for all of them")
        self.assertEqual(Watch(self, browser, since).change(), 4, "what came between is not lost")
        self.assertEqual(Watch(self, browser, since, header=quiet.mark).next(), "alive", "the browser's own header counts")
        for bad in ("x", "-1", "1.x", "1.-1", "1.2.3", "."):
            self.assertEqual(Watch(self, browser, header=bad).answer.status, 400)

    def test_hidden_rows_ring_no_bell(self):
        self.flag(False)
        browser = self.viewer
        watch = Watch(self, browser, browser.get(ACTIVITY).all("body")[0]["data-since"])
        self.assertEqual(watch.next(), "alive")
        self.report(event(self.row, "tracker_like"))
        self.assertEqual([watch.next() for _ in range(2)], ["alive"] * 2)
        self.note()
        self.assertIsInstance(watch.change(), int)
        self.flag(True)
        self.assertIsInstance(watch.change(), int, "the flag acts on open streams")

    def test_it_ends_with_its_session_and_its_token(self):
        token = self.token("tracker:read")
        first, second = self.signed_in(token["secret"]), self.viewer
        watches = Watch(self, first), Watch(self, second)
        self.call("DELETE", f"/api/v1/tenants/{self.tenant}/tokens/{token['id']}")
        self.press(second, second.get(ACTIVITY).all("form", action="/dashboard/logout")[0])
        for watch in watches:
            self.assertIsNone(watch.change())
        self.assertEqual(Watch(self, second).answer.status, 303)

    def test_one_team_s_changes_are_not_the_other_s(self):
        other = self.new_tenant(slug="team-" + uuid.uuid4().hex[:10])
        watch = Watch(self, self.browser("viewer", tenant=other))
        self.note()
        self.assertEqual([watch.next() for _ in range(2)], ["alive"] * 2)

    def test_places_are_counted_and_come_back(self):
        browser = self.viewer
        crowd = [Watch(self, browser) for _ in range(100)]
        refused = Watch(self, browser).answer
        self.assertEqual((refused.status, refused.headers["Retry-After"]), (429, "1"))
        crowd.pop().close()
        eventually(lambda: Watch(self, browser).answer.status == 200, what="a free place")

    def test_a_drain_closes_it(self):
        watch = Watch(self, self.viewer)
        self.assertEqual(self.service.stop(), 0)
        self.assertIsNone(watch.change())
        self.service.start()


if __name__ == "__main__":
    harness.main()
