"""The feed as a list and as a stream: filters, order, and a reader that comes back misses nothing."""

import threading
import uuid

import harness
from harness import eventually
from teams import ACTIVITY, FLAGS, Stream, TeamSuite, event


class Listing(TeamSuite):
    def test_filters_narrow(self):
        one, two = self.project(), self.project()
        self.results(event(one, "WPCreated", "WP01"), event(two, "WPCreated", "WP01"), event(one, "WPAssigned", "WP02", agent_id="a"),
                     event(one, "Note"))

        def seqs(**query):
            return [r["seq"] for r in self.rows(ACTIVITY, limit="1", **query)]

        self.assertEqual(seqs(), [4, 3, 2, 1])
        for query, expected in (({"project": one["id"]}, [4, 3, 1]), ({"project": f"{one['project_uuid']},{two['id']}"}, [4, 3, 2, 1]),
                                ({"project": str(uuid.uuid4())}, []), ({"wp_id": "WP01"}, [2, 1]), ({"wp_id": "WP01,WP02"}, [3, 2, 1]),
                                ({"type": "WPCreated,Note"}, [4, 2, 1]), ({"since_seq": "2", "until_seq": "3"}, [3, 2]),
                                ({"project": one["id"], "type": "WPCreated"}, [1]), ({"binding_id": str(uuid.uuid4())}, [])):
            self.assertEqual(seqs(**query), expected, query)
        for name in ("project", "binding_id", "since_seq"):
            details = self.error(self.by("read", "GET", ACTIVITY, query={name: "x"}), 400, "validation_error")
            self.assertEqual([e["path"] for e in details["errors"]], [name])

    def test_the_feed_is_the_teams_own(self):
        self.results(event(self.project(), "WPCreated", "WP01"))
        other = self.token("tracker:read", tenant=self.new_tenant())["secret"]
        self.assertEqual(self.service.call("GET", ACTIVITY, token=other).json["items"], [])


class Streaming(TeamSuite):
    settings = {"ACTIVITY_STREAM_HEARTBEAT_SECONDS": "1"}

    def setUp(self):
        super().setUp()
        self.row = self.project()

    def note(self, count=1, **payload):
        self.results(*(event(self.row, "Note", **payload) for _ in range(count)))

    def stream(self, **options):
        opened = Stream(self.service, self.tokens["read"], **options)
        self.addCleanup(opened.close)
        return opened

    def test_rows_come_as_they_are_written(self):
        self.note()
        live, whole = self.stream(), self.stream(after=0)
        self.assertEqual((live.answer.status, live.answer.headers.get_content_type()), (200, "text/event-stream"))
        self.note(2)
        self.assertEqual([r["seq"] for r in live.rows(2)], [2, 3], "from the next row on")
        rows = whole.rows(3)
        self.assertEqual(list(reversed(rows)), self.rows(ACTIVITY), "a row is the same in both")

    def test_there_are_signs_of_life(self):
        frames = self.stream().frames()
        self.assertTrue(next(frames)[0].startswith(":"))

    def test_filters_and_bad_places(self):
        stream = self.stream(after=0, type="Other")
        self.note()
        self.results(event(self.row, "Other"))
        self.assertEqual([r["type"] for r in stream.rows(1)], ["Other"])
        for options in ({"after": "x"}, {"last_event_id": "-1"}, {"project": "x"}):
            answer = self.stream(**options).answer
            self.assertEqual(answer.status, 400)

    def test_a_reader_that_comes_back_misses_nothing_and_repeats_nothing(self):
        writers = [threading.Thread(target=lambda: [self.note(3) for _ in range(20)]) for _ in range(3)]
        for w in writers:
            w.start()
        seen, last = [], 0
        while len(seen) < 180:
            with Stream(self.service, self.tokens["read"], after=last) as stream:
                seen += [r["seq"] for r in stream.rows(min(17, 180 - len(seen)))]
            last = seen[-1]
        for w in writers:
            w.join()
        self.assertEqual(seen, list(range(1, 181)))

    def test_a_reader_far_behind_is_closed_and_loses_nothing(self):
        for _ in range(3):
            self.note(700)
        seen, closings = [], 0
        while len(seen) < 2100:
            with Stream(self.service, self.tokens["read"], after=seen[-1] if seen else 0) as stream:
                seen += [r["seq"] for r in stream.rows(2100 - len(seen))]
            closings += 1
        self.assertEqual((seen, closings), (list(range(1, 2101)), 3))

    def test_the_flag_acts_on_open_streams(self):
        self.flag(True)
        stream = self.stream()
        self.results(event(self.row, "tracker_like"))
        self.assertEqual([r["type"] for r in stream.rows(1)], ["tracker_like"])
        self.flag(False)
        self.results(event(self.row, "tracker_like"), event(self.row, "Note"))
        self.assertEqual([r["type"] for r in stream.rows(2)], ["feature_flag_changed", "Note"])
        self.assertEqual([r for r in self.rows(ACTIVITY) if r["type"].startswith("tracker_")], [])
        self.flag(True)
        self.assertEqual(len([r for r in self.rows(ACTIVITY) if r["type"].startswith("tracker_")]), 2, "hidden, not lost")

    def test_a_token_that_is_revoked_ends_its_streams(self):
        token = self.token("tracker:read")
        with Stream(self.service, token["secret"]) as stream:
            self.call("DELETE", f"/api/v1/tenants/{self.tenant}/tokens/{token['id']}")
            self.assertEqual(stream.rows(), [])

    def test_a_team_has_a_hundred_streams(self):
        crowd = [self.stream() for _ in range(100)]
        answer = self.by("read", "GET", ACTIVITY + "stream")
        self.error(answer, 429, "rate_limited", "rate_limit")
        self.assertTrue(answer.json["retryable"])
        self.assertEqual(answer.headers["Retry-After"], "1")
        self.note()
        self.assertEqual({stream.rows(1)[0]["seq"] for stream in crowd}, {1})
        crowd.pop().close()
        eventually(lambda: Stream(self.service, self.tokens["read"]).answer.status == 200, what="the place of the one that left")
        for stream in crowd:
            stream.close()

    def test_head_asks_for_no_rows(self):
        answer = self.by("read", "HEAD", ACTIVITY + "stream")
        self.assertEqual((answer.status, answer.body), (200, b""))

    def test_a_drain_closes_them(self):
        stream = self.stream()
        self.assertEqual(self.service.stop(), 0)
        self.assertEqual(stream.rows(), [])
        self.service.start()


if __name__ == "__main__":
    harness.main()
