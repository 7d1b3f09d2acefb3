"""Syncing: what the engine makes of well and of badly behaved providers."""

import collections
import time

import harness
from harness import SECRETS, eventually
from zoo import ZooSuite

FAST = {"RATE_LIMIT_BASE_SECONDS": "1", "RATE_LIMIT_MAX_SECONDS": "1", "RATE_LIMIT_JITTER_FACTOR": "0",
        "SYNC_MAX_ITEMS_PER_RUN": "100", "HTTP_CLIENT_TIMEOUT_SECONDS": "2"}
LISTS = ["example", "github", "gitlab", "jira", "linear"]
LOGS = ["gmail", "google-calendar", "google-drive"]


class SyncSuite(ZooSuite):
    settings = FAST

    def setUp(self):
        super().setUp()
        for provider in LISTS + LOGS:
            self.zoo.tell("settings", provider=provider, page_size=10)

    def jobs(self, tenant=None, **query):
        return self.service.pages("/jobs", "jobs", tenant=tenant or self.tenant, **query)

    def ended(self, tenant=None, seconds=20, **query):
        """All jobs, once none of them is to run any more."""
        def probe():
            rows = self.jobs(tenant, **query)
            return rows if rows and all(row["status"] in ("succeeded", "failed") for row in rows) else None
        return eventually(probe, seconds, "the end of all jobs")

    def statuses(self, **options):
        return [row["status"] for row in self.ended(**options)]

    def filled(self, provider, count=25, **members):
        """A connection to an account with items, once they are signals."""
        self.tell("items", provider, count=count, **members)
        row = self.consent(provider)
        self.ended(provider=provider)
        return row

    def told(self, **query):
        """How often each version of each entity was told."""
        rows = [self.get("/signals/" + row["id"]) for row in self.signals(**query)]
        return collections.Counter(tuple(row["dedupe_key"].split(":", 2)[2:]) for row in rows)

    def each_once(self, count, **query):
        told = self.told(**query)
        self.assertEqual(len(told), count)
        self.assertEqual(set(told.values()), {1})

    def gaps(self, provider):
        """Seconds between the page requests of this test's account."""
        times = [row["at"] for row in self.zoo.requests(provider, "page", self.person)]
        return [later - earlier for earlier, later in zip(times, times[1:])]

    def deliver_all(self, provider, **order):
        url = f"http://127.0.0.1:{self.service.port}/webhooks/{provider}/{self.tenant}"
        return self.tell("webhooks", provider, url=url, secret=SECRETS.get(provider, ""), **order)


class Paging(SyncSuite):
    def test_the_first_sync_starts_at_once_and_follows_every_page(self):
        for provider in LISTS:
            with self.subTest(provider=provider):
                self.filled(provider)
                self.each_once(25, provider=provider)
                pages = self.zoo.requests(provider, "page", self.person)
                self.assertEqual([row["status"] for row in pages], [200] * (4 if provider in ("github", "gitlab") else 3))
                consented = self.zoo.requests(provider, "identity", self.person)[-1]["at"]
                self.assertLess(pages[0]["at"] - consented, 2)

    def test_issues_and_pull_requests_are_told_apart(self):
        for provider in ("github", "gitlab"):
            with self.subTest(provider=provider):
                self.tell("items", provider, count=12)
                self.tell("items", provider, count=11, pulls=True)
                self.consent(provider)
                self.ended(provider=provider)
                kinds = collections.Counter(row["kind"] for row in self.signals(provider=provider))
                self.assertEqual(kinds, {"issue_updated": 12, "pr_updated": 11})

    def test_a_second_sync_asks_from_where_the_first_ended(self):
        for provider in LISTS:
            with self.subTest(provider=provider):
                self.filled(provider)
                self.tell("change", provider, action="updated", number=3)
                self.tell("change", provider)
                self.sync(provider)
                self.ended(provider=provider)
                self.each_once(27, provider=provider)

    def test_a_log_is_read_from_the_day_of_the_consent(self):
        for provider, kind in (("gmail", "email_"), ("google-calendar", "calendar_event_"), ("google-drive", "file_")):
            with self.subTest(provider=provider):
                self.filled(provider, count=3)
                self.assertEqual(self.signals(provider=provider), [])
                for _ in range(12):
                    self.tell("change", provider)
                self.tell("change", provider, action="updated", number=1)
                self.tell("change", provider, action="deleted", number=15)
                self.sync(provider)
                self.ended(provider=provider)
                seen = collections.Counter(row["kind"] for row in self.signals(provider=provider))
                # What is gone by now is told as gone only.
                created = kind + ("received" if provider == "gmail" else "created")
                self.assertEqual(seen, {created: 11, kind + "updated": 1, kind + "deleted": 1})

    def test_a_list_without_a_filter_by_time_is_read_from_its_new_end(self):
        self.filled("zoho-mail", count=5)
        self.assertEqual(self.signals(provider="zoho-mail"), [])
        for _ in range(3):
            self.tell("change", "zoho-mail")
        self.sync("zoho-mail")
        self.ended(provider="zoho-mail")
        self.each_once(3, provider="zoho-mail")

    def test_equal_times_across_page_edges_lose_nothing(self):
        for provider in LISTS:
            with self.subTest(provider=provider):
                self.zoo.tell("settings", provider=provider, page_size=5)
                self.filled(provider, count=28, together=7)
                self.each_once(28, provider=provider)
                self.sync(provider)
                self.ended(provider=provider)
                self.each_once(28, provider=provider)


class Misbehaviour(SyncSuite):
    def hurt(self, provider, **fault):
        """A first sync that meets a fault at its first page, and its job when it is over."""
        self.tell("items", provider, count=5)
        self.tell("faults", provider, operation="page", **fault)
        row = self.consent(provider)
        return row, self.job(self.ended(provider=provider)[0]["id"])

    def test_a_limited_provider_is_asked_again_when_it_said(self):
        for form in ("seconds", "date"):
            with self.subTest(form=form):
                self.setUp()
                self.tell("items", "example", count=5)
                self.tell("faults", "example", operation="page", retry_after=3, **{"as": form})
                self.consent("example")
                def waits():
                    row = self.jobs()[0]
                    return row if row["status"] == "queued" and row["retry_after"] else None
                eventually(waits, what="the wait")
                self.assertEqual(self.statuses(), ["succeeded"])
                gap, = self.gaps("example")
                self.assertGreater(gap, 3 - 0.05 if form == "seconds" else 2)  # a date has whole seconds
                self.assertLess(gap, 5)
                self.each_once(5)

    def test_403_with_nothing_remaining_is_a_limit(self):
        reset = str(int(time.time()) + 4)
        _, job = self.hurt("github", status=403, headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset})
        self.assertEqual(job["status"], "succeeded")
        self.assertGreater(self.gaps("github")[0], 1)
        self.each_once(5)

    def test_any_other_403_is_final(self):
        row, job = self.hurt("github", status=403)
        self.assertEqual((job["status"], job["error"]["type"]), ("failed", "permanent"))
        self.assertEqual(len(self.zoo.requests("github", "page", self.person)), 1)

    def test_what_passes_is_tried_again(self):
        for name, fault in {"500": {"status": 500}, "503": {"status": 503}, "408": {"status": 408}, "garbage": {"garbage": True},
                            "truncated": {"truncate": True},
                            # Once may be a kept connection that had its time: a GET is sent again on a new one.
                            "closed": {"close": True, "times": 2}, "slow head": {"drip": "head"}, "slow body": {"drip": "body"}}.items():
            with self.subTest(fault=name):
                self.setUp()
                _, job = self.hurt("example", **fault)
                self.assertEqual((job["status"], job["attempts"], job["signals_emitted"]), ("succeeded", 2, 5))
                self.each_once(5)

    def test_an_expired_token_costs_one_refresh_and_one_more_call(self):
        row, job = self.hurt("example", expire_token=True)
        self.assertEqual((job["status"], job["attempts"]), ("succeeded", 1))
        self.assertEqual([call["status"] for call in self.zoo.requests("example", "page")][-2:], [401, 200])
        self.assertEqual(len(self.zoo.requests("example", "refresh", self.person)), 1)
        self.each_once(5)

    def test_a_token_that_expires_between_pages_loses_nothing(self):
        self.tell("items", "gitlab", count=35)
        self.tell("faults", "gitlab", operation="page", skip=2, expire_token=True)
        self.consent("gitlab")
        self.assertEqual(self.statuses(), ["succeeded"])
        self.each_once(35)
        self.assertEqual(len(self.zoo.requests("gitlab", "refresh", self.person)), 1)

    def test_a_provider_that_goes_on_refusing_ends_the_connection(self):
        row, job = self.hurt("example", status=401, times=0)
        self.assertEqual((job["status"], job["error"]["type"]), ("failed", "unauthorized"))
        self.assertEqual(self.connection(row)["status"], "error")
        self.assertEqual(len(self.zoo.requests("example", "page", self.person)), 2)
        self.assertEqual(len(self.zoo.requests("example", "refresh", self.person)), 1)

    def test_an_expired_cursor_begins_anew_in_the_same_run(self):
        for provider in LOGS:
            with self.subTest(provider=provider):
                self.filled(provider, count=1)
                self.tell("change", provider)
                self.tell("faults", provider, operation="page", expired_cursor=True)
                job = self.sync(provider)["job_id"]
                self.ended(provider=provider)
                self.assertEqual(self.job(job)["status"], "succeeded")
                self.tell("change", provider)
                self.sync(provider)
                self.ended(provider=provider)
                self.assertEqual(len(self.signals(provider=provider)), 1)

    def test_an_expired_page_begins_anew_and_tells_nothing_twice(self):
        self.tell("items", "linear", count=35)
        self.tell("faults", "linear", operation="page", skip=2, expired_cursor=True)
        self.consent("linear")
        self.assertEqual(self.statuses(), ["succeeded"])
        self.each_once(35)

    def test_a_repeated_cursor_stalls_and_is_never_a_success(self):
        for provider in ("example", "jira", "linear", "github", "google-drive"):
            with self.subTest(provider=provider):
                if provider in LOGS:
                    self.filled(provider, count=1)
                    self.zoo.tell("faults", provider=provider, operation="page", repeated_cursor=True, times=0)
                    self.tell("change", provider)
                    before = len(self.jobs(provider=provider))
                    self.sync(provider)
                else:
                    self.zoo.tell("faults", provider=provider, operation="page", repeated_cursor=True, times=0)
                    self.tell("items", provider, count=15)
                    self.consent(provider)
                    before = 0
                rows = self.ended(provider=provider, seconds=30)[:-before or None]
                self.assertEqual([row["status"] for row in rows], ["failed"])
                job = self.job(rows[0]["id"])
                self.assertEqual(job["error"]["type"], "stalled")
                row = self.get("/connections", query={"provider": provider})["connections"][0]
                self.assertEqual(row["sync"]["state"], "stalled")
                self.assertGreaterEqual(row["sync"]["runs_without_progress"], 3)
                self.zoo.tell("heal", provider=provider)
                self.tell("change", provider)
                self.sync(provider)
                self.ended(provider=provider)
                row = self.connection(row)
                self.assertEqual((row["sync"]["state"], row["sync"]["runs_without_progress"]), ("idle", 0))

    def test_endless_pages_stop_at_the_limit_and_go_on_in_another_run(self):
        for provider in ("example", "gitlab", "linear"):
            with self.subTest(provider=provider):
                self.tell("items", provider, count=20)
                self.tell("faults", provider, operation="page", endless_pages=True, times=25)
                self.consent(provider)
                rows = self.ended(provider=provider)
                self.assertGreaterEqual(len(rows), 3)
                self.assertEqual({row["status"] for row in rows}, {"succeeded"})
                self.assertLessEqual(max(self.job(row["id"])["signals_emitted"] for row in rows), 110)
                items = self.zoo.ask("account", provider=provider, account=self.person)["items"]
                self.assertGreater(len(items), 250)
                self.each_once(len(items), provider=provider)


class Together(SyncSuite):
    def test_a_change_told_by_webhook_and_by_poll_is_one_signal(self):
        for provider in ("github", "gitlab", "jira", "linear", "example"):
            with self.subTest(provider=provider):
                self.filled(provider, count=2)
                self.tell("change", provider)
                self.tell("change", provider, action="closed", number=1)
                self.assertEqual(self.deliver_all(provider)["sent"], [202, 202])
                self.assertEqual(len(self.signals(provider=provider)), 4)
                self.sync(provider)
                self.ended(provider=provider)
                self.each_once(4, provider=provider)

    def test_lost_repeated_and_reordered_webhooks_leave_each_change_once(self):
        for provider in ("github", "gitlab", "jira", "linear", "example"):
            with self.subTest(provider=provider):
                self.filled(provider, count=2)
                for _ in range(12):
                    self.tell("change", provider)
                done = self.deliver_all(provider, lose=3, duplicate=4, reorder=True)
                self.assertEqual(done, {"happened": 12, "sent": [202] * 13})
                self.sync(provider)
                self.ended(provider=provider)
                self.each_once(14, provider=provider)

    def test_a_notification_queues_a_sync(self):
        for provider in LOGS:
            with self.subTest(provider=provider):
                row = self.filled(provider, count=1)
                self.tell("change", provider)
                done = self.deliver_all(provider, connection_id=row["id"], audience="https://connectors.test/push")
                self.assertEqual(done["sent"], [202])
                eventually(lambda: len(self.signals(provider=provider)) == 1, what="the signal")

    def test_providers_without_a_sync_tell_by_webhook(self):
        self.consent("slack")
        account = self.zoo.ask("account", provider="zoho-cliq", account=self.person)
        self.connect("zoho-cliq", account["external_id"])
        for provider in ("slack", "zoho-cliq"):
            self.tell("change", provider)
            self.tell("change", provider, action="updated", number=1)
            self.assertEqual(self.deliver_all(provider)["sent"], [202, 202])
            kinds = sorted(row["kind"] for row in self.signals(provider=provider))
            self.assertEqual(kinds, ["message_posted", "message_updated"])

    def test_asking_again_joins_the_job_that_is_there(self):
        self.tell("items", "example", count=5)
        self.tell("faults", "example", operation="page", delay=1)
        self.consent("example")
        eventually(lambda: self.zoo.requests("example", "page", self.person), what="the first page")
        first, second = self.sync("example"), self.sync("example")
        self.assertEqual(first["job_id"], second["job_id"])
        self.assertEqual([job["coalesced"] for job in first["jobs"] + second["jobs"]], [True, True])
        self.assertEqual(self.statuses(), ["succeeded"])

    def running(self, pages=2):
        """A first sync that is slow, and at its second page."""
        self.tell("items", "example", count=50)
        self.tell("faults", "example", operation="page", delay=0.3, times=0)
        row = self.consent("example")
        eventually(lambda: len(self.zoo.requests("example", "page", self.person)) >= pages, what="the second page")
        return row

    def test_a_deleted_connection_ends_its_run(self):
        row = self.running()
        self.assertEqual(self.call("DELETE", "/connections/" + row["id"]).status, 204)
        self.assertEqual(self.statuses(), ["failed"])
        self.assertEqual(len(self.zoo.requests("example", "page", self.person)), 2)

    def test_a_suspended_tenant_goes_on_when_it_is_resumed(self):
        self.running()
        self.assertEqual(self.service.call("POST", f"/ops/tenants/{self.tenant}/suspend").status, 200)
        eventually(lambda: self.jobs()[0]["status"] == "queued", what="the job to be given back")
        self.assertEqual(self.service.call("POST", f"/ops/tenants/{self.tenant}/resume").status, 200)
        self.assertEqual(self.statuses(seconds=10), ["succeeded"])
        self.each_once(50)

    def test_a_drain_gives_a_running_job_back(self):
        self.running()
        self.assertEqual(self.service.stop(), 0)
        self.service.start()
        rows = self.ended()
        self.assertEqual([(row["status"], row["attempts"]) for row in rows], [("succeeded", 1)])
        self.each_once(50)

    def test_a_redirect_elsewhere_takes_no_token_along(self):
        self.tell("items", "example", count=2)
        self.tell("faults", "example", operation="page", status=302, headers={"location": self.zoo.bases["github"] + "/user"})
        self.consent("example")
        self.assertEqual(self.statuses(), ["succeeded"])
        self.assertEqual([row for row in self.zoo.requests("github", "identity") if row["account"] is None], [])


class Fairness(SyncSuite):
    settings = {**FAST, "SYNC_CONCURRENCY": "5", "SYNC_TENANT_CONCURRENCY": "4"}

    def test_a_slow_provider_of_one_tenant_does_not_delay_another(self):
        slow, quick = self.tenant, self.new_tenant()
        for n in range(6):  # more than may run at a time, and each longer than the other tenant may wait
            person = f"{self.person}s{n}"
            self.zoo.tell("items", provider="example", account=person, count=30)
            self.zoo.tell("faults", provider="example", account=person, operation="page", delay=1.5, times=0)
            self.consent("example", slow, person)
        eventually(lambda: [row["status"] for row in self.jobs(slow)].count("running") == 4, what="four slow runs")
        started = time.monotonic()
        self.tell("items", "example", count=5)
        self.consent("example", quick)
        eventually(lambda: len(self.signals(tenant=quick)) == 5, what="the quick tenant's signals")
        self.assertLess(time.monotonic() - started, 3)
        self.assertEqual([row["status"] for row in self.jobs(slow)].count("running"), 4)
        self.ended(slow, seconds=30)


class Asking(SyncSuite):
    def test_what_cannot_be_synced_is_refused(self):
        self.refused(self.call("POST", "/sync/nowhere"), 404, "NOT_FOUND")
        self.refused(self.call("POST", "/sync/github"), 404, "NOT_FOUND")
        self.consent("slack")
        self.refused(self.call("POST", "/sync/slack"), 400, "VALIDATION_FAILED", provider=...)
        row = self.filled("example", count=1)
        for body in ({"mode": "sideways"}, {"connection_id": "x"}):
            self.refused(self.call("POST", "/sync/example", body), 400, "VALIDATION_FAILED", **dict.fromkeys(body, ...))
        other = self.new_tenant()
        self.refused(self.call("POST", "/sync/example", {"connection_id": row["id"]}, tenant=other), 404, "NOT_FOUND")

    def test_one_key_asks_once(self):
        self.filled("example", count=1)
        key = {"Idempotency-Key": "again-and-again"}
        first = self.call("POST", "/sync/example", {"mode": "full"}, headers=key)
        second = self.call("POST", "/sync/example", {"mode": "full"}, headers=key)
        self.assertEqual((first.status, first.json), (202, second.json))
        self.assertEqual(second.headers["Idempotency-Replayed"], "true")
        self.refused(self.call("POST", "/sync/example", {}, headers=key), 422, "IDEMPOTENCY_KEY_REUSED")
        self.assertEqual(len(self.ended()), 2)

    def test_each_connection_of_the_provider_gets_a_job(self):
        rows = [self.consent("example", person=f"{self.person}{n}") for n in range(3)]
        self.ended()
        asked = self.sync("example")
        self.assertEqual({job["connection_id"] for job in asked["jobs"]}, {row["id"] for row in rows})
        self.assertEqual(asked["job_id"], asked["jobs"][0]["job_id"])
        one = self.sync("example", connection_id=rows[1]["id"])
        self.assertEqual([job["connection_id"] for job in one["jobs"]], [rows[1]["id"]])

    def test_a_full_sync_reads_everything_and_tells_nothing_twice(self):
        self.filled("github", count=25)
        before = len(self.zoo.requests("github", "page", self.person))
        job = self.sync("github", mode="full")["job_id"]
        self.ended()
        self.assertEqual((self.job(job)["job_type"], self.job(job)["signals_emitted"]), ("full", 0))
        self.assertNotIn("since", self.zoo.requests("github", "page", self.person)[before]["query"])
        self.each_once(25)

    def test_jobs_are_listed_filtered_and_a_tenants_own(self):
        self.filled("example", count=1)
        row = self.filled("linear", count=1)
        mine = self.jobs()
        self.assertEqual([job["provider_slug"] for job in mine], ["linear", "example"])
        self.assertEqual([job["id"] for job in self.jobs(provider="linear")], [mine[0]["id"]])
        self.assertEqual([job["id"] for job in self.jobs(connection_id=row["id"])], [mine[0]["id"]])
        self.assertEqual(self.jobs(status="failed") + self.jobs(job_type="full"), [])
        self.assertEqual(len(self.jobs(finished_after=mine[1]["finished_at"])), 2)
        other = self.new_tenant()
        self.assertEqual(self.jobs(other), [])
        self.refused(self.call("GET", "/jobs/" + mine[0]["id"], tenant=other), 404, "NOT_FOUND")


class Exhaustion(SyncSuite):
    settings = {**FAST, "SYNC_MAX_ATTEMPTS": "2"}

    def test_a_provider_that_stays_down_ends_the_job_after_so_many_attempts(self):
        self.tell("faults", "example", operation="page", status=503, times=0)
        self.consent("example")
        rows = self.ended()
        job = self.job(rows[0]["id"])
        self.assertEqual((job["status"], job["error"]["type"]), ("failed", "attempts_exhausted"))
        self.assertEqual(len(self.zoo.requests("example", "page", self.person)), 2)


class Crash(SyncSuite):
    settings = {**FAST, "SYNC_LEASE_SECONDS": "3", "SYNC_MAX_ITEMS_PER_RUN": "5000"}

    def test_a_sync_goes_on_within_five_seconds_of_a_kill(self):
        self.tell("items", "gitlab", count=300)
        self.tell("faults", "gitlab", operation="page", delay=0.1, times=0)
        self.consent("gitlab")
        eventually(lambda: len(self.zoo.requests("gitlab", "page", self.person)) > 10, what="some pages")
        self.service.kill()
        before = len(self.zoo.requests("gitlab", "page", self.person))
        killed = time.monotonic()
        self.service.start()
        eventually(lambda: len(self.zoo.requests("gitlab", "page", self.person)) > before, what="the next page")
        self.assertLess(time.monotonic() - killed, 5)
        self.ended(seconds=30)
        self.each_once(300)
        # It went on from its cursor: at most the page in flight was asked for twice.
        self.assertLessEqual(len(self.zoo.requests("gitlab", "page", self.person)), 33)


if __name__ == "__main__":
    harness.main()
