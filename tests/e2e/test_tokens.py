"""Tokens: one exchange however many ask, no grant lost to rotation, and no hammering of a provider that said no."""

import concurrent.futures
import re

import harness
from harness import Service, eventually
from zoo import OAUTH, ZooSuite

FAST = {"RATE_LIMIT_BASE_SECONDS": "1", "RATE_LIMIT_MAX_SECONDS": "1", "RATE_LIMIT_JITTER_FACTOR": "0",
        "TOKEN_REFRESH_JITTER_FACTOR": "0", "SYNC_LEASE_SECONDS": "3", "HTTP_CLIENT_TIMEOUT_SECONDS": "5"}


def at_once(calls):
    with concurrent.futures.ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


class TokenSuite(ZooSuite):
    settings = FAST

    def setUp(self):
        super().setUp()
        for provider in OAUTH:
            rotates = provider not in ("github", "slack")
            self.zoo.tell("settings", provider=provider, leeway_seconds=0, refresh_tokens=rotates, expires_in=3600)

    def refresh(self, row, service=None):
        return (service or self.service).call("POST", f"/connections/{row['id']}/refresh", tenant=self.tenant, timeout=60)

    def exchanges(self, provider):
        return self.zoo.requests(provider, "refresh", self.person)

    def outcomes(self, provider):
        return [call.get("outcome") for call in self.exchanges(provider)]


class Sharing(TokenSuite):
    def test_fifty_callers_share_one_exchange(self):
        for provider in ("gitlab", "gmail"):
            with self.subTest(provider=provider):
                row = self.consent(provider)
                self.tell("faults", provider, operation="refresh", delay=1)
                answers = at_once([lambda: self.refresh(row)] * 50)
                self.assertEqual({answer.status for answer in answers}, {200})
                self.assertEqual(self.outcomes(provider), ["refreshed"])

    def test_rotation_with_reuse_detection_never_trips(self):
        row = self.consent("gitlab")
        self.tell("items", "gitlab", count=3)

        def synced():
            return not [job for job in self.get("/jobs")["jobs"] if job["status"] in ("queued", "running")]

        for _ in range(50):
            self.tell("expire", "gitlab")
            calls = [lambda: self.refresh(row).status] * 3 + [lambda: self.sync("gitlab") and 200]
            self.assertEqual(at_once(calls), [200] * 4)
            eventually(synced, what="the end of the jobs")  # a token that ends twice in a run is lost for good
        self.assertEqual(self.zoo.reuse_detected("gitlab"), 0)
        self.assertEqual(set(self.outcomes("gitlab")), {"refreshed"})
        self.assertEqual(self.connection(row)["status"], "active")
        self.assertEqual(len(self.signals()), 3)

    def test_a_token_near_its_end_is_refreshed_without_being_asked(self):
        self.zoo.tell("settings", provider="example", expires_in=200)
        row = self.consent("example")
        self.service.restart()  # the sweep comes first of all
        eventually(lambda: self.outcomes("example") == ["refreshed"], what="the refresh")
        later = eventually(lambda: self.connection(row)["metadata"].get("last_refreshed_at"), what="the time of the refresh")
        self.assertGreaterEqual(later, row["created_at"])

    def test_a_token_that_is_used_again_until_it_ends_is_not_exchanged_by_every_run(self):
        self.consent("zoho-mail")
        for _ in range(3):
            job = self.sync("zoho-mail")["job_id"]
            eventually(lambda: self.job(job)["status"] == "succeeded", what="the end of the job")
        self.assertEqual(self.exchanges("zoho-mail"), [])

    def test_a_connection_without_a_refresh_token_cannot_be_refreshed(self):
        self.zoo.tell("settings", provider="github", refresh_tokens=False, expires_in=None)
        row = self.consent("github")
        self.refused(self.refresh(row), 400, "VALIDATION_FAILED", refresh_token=...)
        self.assertIsNone(row["expires_at"])


class Refusal(TokenSuite):
    def test_a_permanent_refusal_is_named_and_not_tried_again(self):
        reasons = {"gitlab": "invalid_grant", "github": "bad_refresh_token", "slack": "invalid_refresh_token"}
        for provider, reason in reasons.items():
            with self.subTest(provider=provider):
                self.zoo.tell("settings", provider=provider, refresh_tokens=True)
                row = self.consent(provider)
                self.tell("withdraw", provider)
                self.refused(self.refresh(row), 502, "PROVIDER_ERROR", provider=...)
                ended = self.connection(row)
                self.assertEqual((ended["status"], ended["status_reason"]), ("error", reason))
                if provider != "slack":
                    self.assertEqual(self.call("POST", f"/sync/{provider}", {}).status, 404)
                self.service.restart()
                self.assertEqual(len(self.exchanges(provider)), 1)
                again = self.consent(provider)
                self.assertEqual((again["id"], again["status"], again["status_reason"]), (row["id"], "active", None))

    def test_every_permanent_name_ends_the_connection(self):
        for reason in ("invalid_client", "unauthorized_client", "access_denied", "unsupported_grant_type", "revoked"):
            with self.subTest(reason=reason):
                self.setUp()
                row = self.consent("example")
                self.tell("faults", "example", operation="refresh", status=400, body={"error": reason})
                self.refused(self.refresh(row), 502, "PROVIDER_ERROR", provider=...)
                self.assertEqual(self.connection(row)["status_reason"], reason)

    def test_what_passes_leaves_the_connection_as_it_was(self):
        for fault in ({"status": 503}, {"retry_after": 1}, {"garbage": True}, {"close": True},
                      {"status": 400, "body": {"error": "temporarily_unavailable"}}):
            with self.subTest(**fault):
                self.setUp()
                row = self.consent("example")
                self.tell("faults", "example", operation="refresh", **fault)
                self.refused(self.refresh(row), 502, "PROVIDER_ERROR", provider=...)
                self.assertEqual(self.connection(row)["status"], "active")
                self.assertEqual(eventually(lambda: self.refresh(row).status == 200, what="a refresh"), True)

    def test_a_lost_answer_costs_nothing_within_the_leeway(self):
        self.zoo.tell("settings", provider="jira", leeway_seconds=60)
        row = self.consent("jira")
        self.tell("faults", "jira", operation="refresh", lose_answer=True)
        self.refused(self.refresh(row), 502, "PROVIDER_ERROR", provider=...)
        self.assertEqual(eventually(lambda: self.refresh(row).status == 200, what="a refresh"), True)
        self.assertEqual(self.outcomes("jira")[:2], ["refreshed", "within_leeway"])
        self.assertEqual(self.connection(row)["status"], "active")

    def kill_in_an_exchange(self, row):
        """The provider exchanges the token, and nobody hears."""
        self.tell("faults", "jira", operation="refresh", delay=1)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            asked = pool.submit(self.refresh, row)
            eventually(lambda: self.exchanges("jira"), what="the exchange")
            self.service.kill()
            self.assertRaises(OSError, asked.result)
        eventually(lambda: self.outcomes("jira") == ["refreshed"], what="the end of the exchange")
        self.service.start()

    def test_a_kill_during_an_exchange_costs_nothing_within_the_leeway(self):
        self.zoo.tell("settings", provider="jira", leeway_seconds=60)
        row = self.consent("jira")
        self.kill_in_an_exchange(row)
        eventually(lambda: self.refresh(row).status == 200, 40, what="a refresh")
        self.assertEqual(self.connection(row)["status"], "active")
        self.assertEqual(self.zoo.reuse_detected("jira"), 0)

    def test_a_kill_during_an_exchange_without_a_leeway_is_told_as_what_it_is(self):
        row = self.consent("jira")
        self.kill_in_an_exchange(row)
        eventually(lambda: self.refresh(row).status != 200 and self.connection(row)["status"] == "error", 40, "the end")
        self.assertEqual(self.connection(row)["status_reason"], "refresh_outcome_unknown")
        self.assertEqual(self.outcomes("jira"), ["refreshed", "reuse_detected"])


class Custody(TokenSuite):
    def test_no_token_code_or_secret_is_to_be_seen(self):
        for provider in OAUTH:
            row = self.consent(provider)
            if row["has_refresh_token"]:
                self.assertEqual(self.refresh(row).status, 200)
        seen = self.service.log().encode() + self.service.database.content()
        for path in ("/connections", "/jobs", "/metrics", "/config/summary"):
            seen += self.call("GET", path).body
        self.assertEqual(re.findall(rb"(?:access|refresh|code)-[0-9a-f]{40}|client-secret-canary", seen), [])


class TwoProcesses(TokenSuite):
    other = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if cls.service.database.kind == "postgresql":
            cls.other = Service(**{**cls.zoo.settings(), **cls.settings})
            cls.addClassCleanup(cls.other.close)
            cls.other.env["POBLYSH_DATABASE_URL"] = cls.service.database.url
            cls.other.start()

    def setUp(self):
        if not self.other:
            self.skipTest("one process for a file")
        super().setUp()

    def test_both_share_one_exchange_for_each_expiry(self):
        row = self.consent("gitlab")
        for n in range(1, 11):
            self.tell("expire", "gitlab")
            self.tell("faults", "gitlab", operation="refresh", delay=0.5)
            answers = at_once([lambda: self.refresh(row), lambda: self.refresh(row, self.other)] * 4)
            self.assertEqual({answer.status for answer in answers}, {200})
            self.assertEqual(len(self.exchanges("gitlab")), n)
        self.assertEqual(self.zoo.reuse_detected("gitlab"), 0)
        self.assertEqual(self.connection(row)["status"], "active")

    def test_either_may_use_what_the_other_refreshed(self):
        row = self.consent("gitlab")
        for service in (self.service, self.other) * 3:
            self.assertEqual(self.refresh(row, service).status, 200)
        self.assertEqual(set(self.outcomes("gitlab")), {"refreshed"})
        self.tell("items", "gitlab", count=2)
        self.sync("gitlab")
        eventually(lambda: len(self.signals()) == 2, what="the signals")


if __name__ == "__main__":
    harness.main()
