"""Connecting: the decision table of the callback, every provider's consent, reconnecting and the end of a connection."""

import concurrent.futures
import time

import harness
from harness import eventually
from zoo import OAUTH, ZooSuite

CALLBACK = "/connect/example/callback"
REVOKES = [slug for slug in OAUTH if slug != "jira"]


class Decisions(ZooSuite):
    settings = {"HTTP_CLIENT_TIMEOUT_SECONDS": "2"}

    def come_back(self, query, provider="example"):
        return self.service.call("GET", f"/connect/{provider}/callback", token=None, query=query, timeout=60)

    def state(self, provider="example"):
        """A fresh state, and the code that goes with it."""
        location = self.authorize(provider)
        query = dict(part.split("=", 1) for part in location.partition("?")[2].split("&"))
        return query["state"], query["code"]

    def not_consumed(self, state, code):
        self.assertEqual(self.come_back({"state": state, "code": code}).status, 200)

    def test_an_unknown_provider_is_not_found(self):
        self.refused(self.come_back({"state": "s", "code": "c"}, "nowhere"), 404, "NOT_FOUND")

    def test_a_missing_or_empty_state_is_refused(self):
        for path in (CALLBACK + "?code=c", CALLBACK + "?state=&code=c"):
            answer = self.service.call("GET", path, token=None)
            self.refused(answer, 400, "VALIDATION_FAILED", state=..., error_type="state_missing")

    def test_an_unknown_state_is_refused(self):
        answer = self.come_back({"state": "x" * 43, "code": "c"})
        self.refused(answer, 400, "VALIDATION_FAILED", error_type="csrf_validation_failed")

    def test_a_state_of_another_provider_is_refused_and_stays_good_for_its_own(self):
        state, code = self.state()
        answer = self.come_back({"state": state, "code": code}, "github")
        self.refused(answer, 400, "VALIDATION_FAILED", error_type="csrf_validation_failed")
        self.not_consumed(state, code)

    def test_a_state_is_good_once(self):
        state, code = self.state()
        self.not_consumed(state, code)
        self.refused(self.come_back({"state": state, "code": code}), 400, "VALIDATION_FAILED", error_type="state_reused")

    def test_a_denial_burns_the_state_with_and_without_a_code(self):
        for with_code in ({}, {"code": "c"}):
            state, code = self.state()
            answer = self.come_back({"state": state, "error": "access_denied", **with_code})
            self.refused(answer, 400, "VALIDATION_FAILED", error_type="provider_denied", provider_error="access_denied")
            answer = self.come_back({"state": state, "code": code})
            self.refused(answer, 400, "VALIDATION_FAILED", error_type="state_reused")

    def test_a_denial_is_shown_cut_and_cleaned(self):
        state, _ = self.state()
        answer = self.come_back({"state": state, "error": "<Script>a" + "b" * 200})
        self.refused(answer, 400, "VALIDATION_FAILED", provider_error=("cripta" + "b" * 200)[:100])

    def test_a_missing_code_is_refused_and_the_state_is_consumed(self):
        for empty in ({}, {"code": ""}):
            state, code = self.state()
            path = CALLBACK + f"?state={state}" + ("&code=" if empty else "")
            answer = self.service.call("GET", path, token=None)
            self.refused(answer, 400, "VALIDATION_FAILED", code=..., error_type="code_missing")
            answer = self.come_back({"state": state, "code": code})
            self.refused(answer, 400, "VALIDATION_FAILED", error_type="state_reused")

    def test_an_answer_of_another_issuer_is_refused(self):
        state, code = self.state()
        answer = self.come_back({"state": state, "code": code, "iss": "https://evil.example"})
        self.assertEqual(answer.status, 400, answer)
        self.assertEqual(self.zoo.requests("example", "token", self.person), [])

    def test_a_failed_exchange_is_named_and_stores_nothing(self):
        table = [
            ({"status": 500}, 500, "http_error"),
            ({"garbage": True}, 200, "malformed_response"),
            ({"truncate": True}, 200, "malformed_response"),
            ({"close": True}, 0, "network_error"),
            ({"delay": 4}, 0, "timeout"),
            ({"drip": "body"}, 200, "timeout"),
            ({"retry_after": 7}, 429, "rate_limited"),
            ({"status": 400, "body": {"error": "invalid_grant"}}, 400, "invalid_grant"),
            ({"status": 401, "body": {"error": "invalid_client"}}, 401, "invalid_client"),
            ({"status": 200, "body": {"error": "something_odd"}}, 200, "http_error"),
            ({"status": 200, "body": {"token_type": "bearer"}}, 200, "malformed_response"),
        ]
        for fault, status, name in table:
            with self.subTest(name=name, **fault):
                location = self.authorize("example")
                self.tell("faults", "example", operation="token", **fault)
                answer = self.callback(location)
                problem = self.refused(answer, 502, "PROVIDER_ERROR",
                                       provider={"name": "example", "status": status, "error": name})
                self.assertEqual(problem["retry_after"], 7 if name == "rate_limited" else None)
        self.assertEqual(self.get("/connections", query={"status": "all"})["connections"], [])

    def test_an_account_that_cannot_be_asked_for_is_no_connection(self):
        for fault in ({"status": 403}, {"status": 200, "body": {}}, {"garbage": True}):
            with self.subTest(**fault):
                location = self.authorize("example")
                self.tell("faults", "example", operation="identity", **fault)
                answer = self.callback(location)
                problem = self.refused(answer, 502, "PROVIDER_ERROR", provider=...)
                self.assertEqual(problem["details"]["provider"]["error"], "identity_failed")
        self.assertEqual(self.get("/connections", query={"status": "all"})["connections"], [])

    def test_twenty_callbacks_at_once_make_one_connection(self):
        location = self.authorize("example")
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(self.callback, [location] * 20))
        self.assertEqual(sorted(answer.status for answer in answers), [200] + [400] * 19)
        for answer in answers:
            if answer.status == 400:
                self.refused(answer, 400, "VALIDATION_FAILED", error_type="state_reused")
        self.assertEqual(len(self.get("/connections")["connections"]), 1)
        self.assertEqual(len(self.zoo.requests("example", "token", self.person)), 1)


class Expiry(ZooSuite):
    settings = {"OAUTH_STATE_TTL_SECONDS": "1"}

    def test_an_old_state_is_told_from_an_unknown_one(self):
        location = self.authorize("example")
        time.sleep(1.1)  # the shortest life there is
        self.refused(self.callback(location), 400, "VALIDATION_FAILED", error_type="state_expired")


class Consents(ZooSuite):
    def test_every_provider_connects_and_tells_its_account(self):
        for provider in OAUTH:
            with self.subTest(provider=provider):
                row = self.consent(provider)
                account = self.zoo.ask("account", provider=provider, account=self.person)
                self.assertEqual((row["provider"], row["external_id"], row["status"]), (provider, account["external_id"], "active"))
                self.assertTrue(row["has_access_token"])
                self.assertTrue(row["display_name"])
                later = ("metadata", "sync", "updated_at")  # the first sync is at work
                self.assertEqual(row, self.connection(row) | {name: row[name] for name in later})
        self.assertEqual(len(self.service.pages("/connections", "connections", tenant=self.tenant)), len(OAUTH))

    def test_an_account_tells_its_facts_and_no_token(self):
        row = self.consent("jira")
        self.assertEqual(row["metadata"]["site_url"], f"https://{self.person}.atlassian.net")
        self.assertEqual(row["metadata"]["cloud_id"], row["external_id"])
        self.assertEqual([site["id"] for site in row["metadata"]["sites"]], [row["external_id"]])
        self.assertTrue(row["has_refresh_token"])
        self.assertEqual(row["scopes"], ["read:jira-work", "read:jira-user", "offline_access"])
        self.assertFalse({"access_token", "refresh_token", "access_ciphertext"} & row.keys())

    def test_consenting_again_updates_the_connection(self):
        first = self.consent("gitlab")
        second = self.consent("gitlab")
        self.assertEqual(second["id"], first["id"])
        self.assertEqual(len(self.get("/connections")["connections"]), 1)

    def test_the_same_account_may_be_connected_by_two_tenants(self):
        other = self.new_tenant()
        mine, theirs = self.consent("linear"), self.consent("linear", tenant=other)
        self.assertEqual(mine["external_id"], theirs["external_id"])
        self.assertNotEqual(mine["id"], theirs["id"])
        self.assertEqual(self.call("GET", "/connections/" + theirs["id"]).status, 404)

    def test_every_provider_may_deny(self):
        for provider in OAUTH:
            with self.subTest(provider=provider):
                self.zoo.tell("settings", provider=provider, deny={"error": "access_denied"})
                try:
                    answer = self.callback(self.authorize(provider))
                finally:
                    self.zoo.tell("settings", provider=provider, deny=None)
                self.refused(answer, 400, "VALIDATION_FAILED", error_type="provider_denied", provider_error="access_denied")
        self.assertEqual(self.get("/connections", query={"status": "all"})["connections"], [])

    def test_deletion_revokes_the_grant(self):
        for provider in REVOKES:
            with self.subTest(provider=provider):
                row = self.consent(provider)
                self.assertEqual(self.call("DELETE", "/connections/" + row["id"]).status, 204)
                calls = eventually(lambda: self.zoo.requests(provider, "revoke", self.person), what="the revocation")
                self.assertEqual([call["method"] for call in calls], ["DELETE" if provider == "github" else "POST"])
                gone = self.connection(row)
                self.assertEqual(gone["status"], "revoked")
                self.assertFalse(gone["has_access_token"] or gone["has_refresh_token"])
                self.assertEqual(self.call("DELETE", "/connections/" + row["id"]).status, 204)
                self.assertEqual(len(self.zoo.requests(provider, "revoke", self.person)), 1)

    def test_deletion_happens_even_when_revocation_fails(self):
        row = self.consent("gitlab")
        self.zoo.tell("faults", provider="gitlab", operation="revoke", status=500)
        self.assertEqual(self.call("DELETE", "/connections/" + row["id"]).status, 204)
        self.assertEqual(self.connection(row)["status"], "revoked")

    def test_a_deleted_account_can_be_connected_again(self):
        row = self.consent("example")
        self.call("DELETE", "/connections/" + row["id"])
        again = self.consent("example")
        self.assertEqual((again["id"], again["status"]), (row["id"], "active"))


if __name__ == "__main__":
    harness.main()
