"""Each number that operators watch moves when the thing happens that it counts, and says so in bounded words."""

import re
import uuid

import harness
import signers
from faults import held_for_writers
from harness import Suite, eventually
from snapshots import TrackerSuite, issue, mapping, snapshot
from test_sync import FAST
from zoo import ZooSuite

SAMPLE = re.compile(r'^(\w+)(?:\{(.*)\})? (\S+)$', re.M)
LABEL = re.compile(r'(\w+)="([^"]*)"')
COUNTED = 25  # seconds: the store is counted every ten


class Meters(Suite):
    def samples(self):
        """Labels and value of each series, by name."""
        found = {}
        for name, labels, value in SAMPLE.findall(self.call("GET", "/metrics").text):
            found.setdefault(name, []).append((dict(LABEL.findall(labels)), float(value)))
        return found

    def value(self, name, **labels):
        """The sum of the series that have these labels."""
        return sum(value for own, value in self.samples().get(name, []) if labels.items() <= own.items())

    def gauge(self, name, wanted, **labels):
        """Waits until the gauge says what is wanted."""
        return eventually(lambda: wanted(self.value(name, **labels)), COUNTED, f"{name} {labels}")

    def moves(self, act, by, name, **labels):
        before = self.value(name, **labels)
        act()
        self.assertEqual(self.value(name, **labels) - before, by, (name, labels))


class Process(Meters):
    settings = {"DB_ACQUIRE_TIMEOUT_MS": "300"}

    def test_the_build_says_what_it_is(self):
        [(labels, value)] = self.samples()["connectors_build_info"]
        self.assertEqual((set(labels), value), ({"version", "commit", "backend"}, 1))
        self.assertEqual(labels["backend"], self.service.database.kind)
        self.assertRegex(labels["commit"], r"^([0-9a-f]{12}|unknown)$")
        self.assertEqual(labels["version"], self.get("/openapi.json")["info"]["version"])

    def test_requests_that_are_refused_at_the_door_are_counted_by_reason(self):
        deep = "[" * 100 + "]" * 100
        head = lambda text: lambda: self.service.raw(text.encode())
        refusals = {
            "auth": lambda: self.call("GET", "/connections", token="nobody's"),
            "json": lambda: self.call("POST", "/connections", deep, headers={"Content-Type": "application/json"}),
            "body_limit": lambda: self.call("POST", "/connections", {"provider": "x" * 2_000_000}),
            "framing": head("GET /connections HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
            "header_limit": head("GET /connections HTTP/1.1\r\nHost: x\r\nX: " + "y" * 70_000 + "\r\n\r\n"),
        }
        for reason, refuse in refusals.items():
            with self.subTest(reason):
                self.moves(refuse, 1, "connectors_http_rejected_total", reason=reason)
        self.service.call("POST", f"/ops/tenants/{self.tenant}/suspend")
        change = lambda: self.call("POST", "/connections", {"provider": "example", "external_id": "x"})
        self.moves(change, 1, "connectors_http_rejected_total", reason="quarantine")
        self.moves(lambda: self.call("GET", "/nowhere"), 0, "connectors_http_rejected_total")

    def test_keys_that_come_again_are_counted(self):
        send = lambda number: self.call("POST", "/connections", {"provider": "example", "external_id": number}, headers={"Idempotency-Key": "k"})
        self.moves(lambda: send("1"), 0, "connectors_idempotency_replays_total")
        self.moves(lambda: send("1"), 1, "connectors_idempotency_replays_total", result="replayed")
        self.moves(lambda: send("2"), 1, "connectors_idempotency_replays_total", result="mismatch")
        make = lambda name: self.service.call("POST", "/api/v1/tenants", {"name": name}, headers={"Idempotency-Key": self.tenant})
        self.moves(lambda: make("a"), 0, "connectors_idempotency_replays_total")
        self.moves(lambda: make("a"), 1, "connectors_idempotency_replays_total", result="replayed")
        self.moves(lambda: make("b"), 1, "connectors_idempotency_replays_total", result="mismatch")

    def test_the_store_shows_its_workers_its_commits_and_its_failures(self):
        commits = self.value("connectors_db_commit_seconds_count")
        waits = self.value("connectors_db_wait_seconds_count")
        self.connect("example")
        self.assertGreater(self.value("connectors_db_commit_seconds_count"), commits)
        self.assertGreater(self.value("connectors_db_wait_seconds_count"), waits)
        self.assertEqual({labels["mode"] for labels, _ in self.samples()["connectors_db_pool_in_use"]}, {"read", "write"})
        if self.service.database.kind == "sqlite":
            self.assertGreater(self.value("connectors_db_wal_bytes"), 4096)
            self.assertGreater(self.value("connectors_db_free_bytes"), 4096)
        with held_for_writers(self.service.database, "connections"):
            refuse = lambda: self.refused(self.call("POST", "/connections", {"provider": "example", "external_id": "x"}), 503, "DATABASE_UNAVAILABLE")
            before = self.value("connectors_db_errors_total", reason="busy")
            refuse()
            self.assertGreater(self.value("connectors_db_errors_total", reason="busy"), before)
        self.assertGreater(self.value("connectors_http_rejected_total", reason="overload"), 0)

    def test_actors_show_their_turns_and_tenants_their_state(self):
        turns = self.value("connectors_actor_turn_duration_seconds_count", kind="tenant")
        running = self.value("connectors_tenants", state="running")
        self.connect("example")
        self.assertGreater(self.value("connectors_actor_turn_duration_seconds_count", kind="tenant"), turns)
        self.assertEqual(self.value("connectors_tenants", state="running"), running + 1)

    def test_keys_show_what_they_sealed_and_what_is_sealed_with_them(self):
        sealed = self.value("connectors_crypto_encryptions_total")
        self.connect("example", webhook_secret="a secret of the connection")
        self.assertEqual(self.value("connectors_crypto_encryptions_total"), sealed + 1)
        self.service.restart()
        self.gauge("connectors_tokens_by_key", lambda n: n >= 1)
        [kid] = {labels["kid"] for labels, _ in self.samples()["connectors_tokens_by_key"]}
        self.assertEqual({labels["kid"] for labels, _ in self.samples()["connectors_crypto_encryptions_total"]}, {kid})

    def test_deliveries_that_wait_or_have_failed_are_counted_with_their_age(self):
        """A suspended tenant's delivery waits; its row then says that nobody meant it to."""
        self.connect("example")
        self.service.call("POST", f"/ops/tenants/{self.tenant}/suspend")
        body = signers.to_bytes(signers.example_event(1))
        waiting = self.deliver("example", body, signers.example(body, delivery="d-1")).json["delivery_id"]
        query = self.service.database.query
        query(f"UPDATE deliveries SET received_at = received_at - 900000 WHERE id = '{waiting}'")
        query(f"UPDATE tenants SET status = 'active' WHERE id = '{self.tenant}'")
        self.gauge("connectors_inbox_oldest_age_seconds", lambda age: 900 < age < 1000)
        self.assertEqual(self.value("connectors_inbox_items", state="received"), 1)
        query(f"UPDATE deliveries SET status = 'quarantined' WHERE id = '{waiting}'")
        self.gauge("connectors_inbox_items", lambda n: n == 1, state="quarantined")
        self.assertEqual(self.value("connectors_inbox_items", state="received"), 0)
        self.assertEqual(self.value("connectors_inbox_oldest_age_seconds"), 0)
        self.assertGreater(self.value("connectors_census_timestamp_seconds"), 1_700_000_000)


class Providers(ZooSuite, Meters):
    settings = {**FAST, "HTTP_CLIENT_TIMEOUT_SECONDS": "60", "SYNC_CONCURRENCY": "1", "SYNC_SCHEDULER_TICK_INTERVAL_SECONDS": "10"}

    def requests(self, result):
        return self.value("connectors_provider_requests_total", provider="example", result=result)

    def test_calls_connections_and_what_is_left_of_limits(self):
        ok = self.requests("ok")
        self.tell("items", "example", count=3)
        self.tell("faults", "example", operation="page", times=1, status=503)
        limit = {"X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "25"}
        self.tell("faults", "example", operation="page", times=1, status=200, headers=limit, body={"items": []})
        failed = self.requests("server_error")
        row = self.consent("example")
        eventually(lambda: self.requests("server_error") > failed, 20, "the failure")
        eventually(lambda: self.value("connectors_provider_ratelimit_remaining_ratio", provider="example") == 0.25, 20, "the limit")
        told = lambda: self.get("/connections/" + row["id"])["metadata"].get("sync", {}).get("limit", {})
        eventually(lambda: (told().get("left"), told().get("of")) == (25, 100), 20, "the limit at the connection")
        self.assertIn("25 of 100 calls left", self.call("GET", "/dashboard/connectors/" + row["id"]).text)
        self.assertGreater(self.requests("ok"), ok + 2)
        self.assertGreaterEqual(self.value("connectors_provider_request_duration_seconds_count", provider="example", result="ok"), ok + 2)
        self.gauge("connectors_connections", lambda n: n >= 1, provider="example", status="active")
        self.gauge("connectors_token_expiry_seconds", lambda left: 0 < left <= 3600, provider="example")
        self.assertNotIn(row["id"], self.call("GET", "/metrics").text)

    def test_a_provider_that_is_down_shows_as_held_back_and_comes_back(self):
        self.tell("faults", "example", operation="page", times=0, status=500)  # before its first job, or there is none to fail
        self.consent("example")
        held = lambda: self.value("connectors_provider_breaker_open", provider="example")
        eventually(lambda: held() == 1, 40, "the breaker")
        self.zoo.tell("heal", provider="example")
        eventually(lambda: held() == 0, 90, "the end of the pause")

    def test_jobs_show_what_runs_and_how_long_the_rest_has_waited(self):
        """One slow run has the only slot."""
        self.zoo.tell("settings", provider="example", page_size=10)
        self.tell("items", "example", count=60)
        self.tell("faults", "example", operation="page", times=0, delay=6)
        self.consent("example")
        neighbour = self.new_tenant()
        self.consent("github", neighbour, "p" + uuid.uuid4().hex[:10])
        self.gauge("connectors_jobs", lambda n: n == 1, state="running")
        eventually(lambda: self.value("connectors_jobs_oldest_available_age_seconds") > 2, 25, "the wait")
        self.gauge("connectors_jobs", lambda n: n >= 1, state="queued")
        self.zoo.tell("heal", provider="example")
        self.gauge("connectors_jobs", lambda n: n == 0)


class Tracker(TrackerSuite, Meters):
    def test_snapshots_by_outcome_their_age_and_the_drift_they_show(self):
        project = self.project()
        self.work_package(project, title="Issue a-1", lane="done")
        body = snapshot(project, [issue("a-1", "in_progress", "Fix login")], [mapping("WP01", "a-1")])
        key = uuid.uuid4().hex
        counted = lambda act, result, provider="linear": self.moves(act, 1, "connectors_tracker_snapshots_total", provider=provider, result=result)
        counted(lambda: self.send(body, key), "applied")
        counted(lambda: self.send(body, key), "replayed")
        counted(lambda: self.send(snapshot(project, [issue("b-1")]), key), "mismatch")
        counted(lambda: self.send(snapshot({"project_uuid": str(uuid.uuid4()), "slug": "x"}, [issue("z-1")]), "q"), "queued")
        counted(lambda: self.send(snapshot(project, [issue("a-1", "no status")]), "bad"), "invalid")
        counted(lambda: self.send({"provider": "nobody"}, "worse"), "invalid", "unknown")
        self.gauge("connectors_tracker_drift_fields", lambda n: n >= 1, provider="linear")
        self.service.database.query("UPDATE tracker_bindings SET last_snapshot_at = last_snapshot_at - 90000000")
        for stat in ("max", "p95"):
            self.gauge("connectors_tracker_snapshot_age_seconds", lambda age: 90_000 < age < 90_100, provider="linear", stat=stat)


if __name__ == "__main__":
    harness.main()
