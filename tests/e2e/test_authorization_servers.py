"""Consent, rotation and revocation against authorization servers that others wrote (tests/oauth)."""

import concurrent.futures
import re
import urllib.parse

import harness
from harness import eventually
from issuers import Browser, IssuerSuite, redirect_of
from zoo import fetch

OIDC = ["oidc-basic", "oidc-post"]


def query_of(url):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))


class Consent(IssuerSuite):
    def test_a_consent_in_the_servers_forms_makes_a_connection_that_syncs(self):
        for provider in OIDC:
            with self.subTest(provider=provider):
                location = self.consent(provider)
                self.assertTrue(location.startswith(redirect_of(provider) + "?"))
                self.assertEqual(query_of(location)["iss"], self.issuers.origin_of(provider))
                row = self.callback(location).json["connection"]
                self.assertEqual((row["external_id"], row["status"]), (self.person, "active"))
                self.assertEqual(row["scopes"], ["openid", "offline_access", "items:read"])
                self.assertTrue(row["has_access_token"] and row["has_refresh_token"] and row["expires_at"])
                call = self.issuers.calls(provider, "authorization_code")[-1]
                self.assertEqual(call["body"]["redirect_uri"], redirect_of(provider))
                self.assertRegex(call["body"]["code_verifier"], r"^[A-Za-z0-9._~-]{43,128}$")
                self.assertEqual((call["authorization"], call["inBody"]),
                                 (True, False) if provider == "oidc-basic" else (False, True))
                eventually(lambda: self.signals(connection_id=row["id"]), what="the signal of the first sync")

    def test_a_code_without_its_verifier_is_worth_nothing(self):
        location = self.consent("oidc-post")
        stolen = self.issuers.present("oidc-post", grant_type="authorization_code", code=query_of(location)["code"],
                                      redirect_uri=redirect_of("oidc-post"))
        self.assertEqual((stolen.status, stolen.json["error"]), (400, "invalid_grant"))

    def test_the_server_knows_no_other_redirect(self):
        for change in ("/", "?x=1", "#here"):
            url = self.authorize("oidc-basic")
            other = urllib.parse.quote(redirect_of("oidc-basic") + change, safe="")
            changed = re.sub(r"redirect_uri=[^&]+", "redirect_uri=" + other, url)
            at, page = Browser(self.issuers.origin_of("oidc-basic")).visit(changed)
            self.assertEqual(at, changed)
            self.assertIn("redirect_uri", page)

    def test_a_user_who_turns_back_makes_nothing(self):
        browser = Browser(self.issuers.origin_of("oidc-basic"))
        at, page = browser.visit(self.authorize("oidc-basic"))
        location, page = browser.abort(at, page)
        self.assertEqual((page, query_of(location)["error"]), (None, "access_denied"))
        self.refused(self.callback(location), 400, "VALIDATION_FAILED", error_type="provider_denied",
                     provider_error="access_denied")
        self.refused(self.callback(location), 400, "VALIDATION_FAILED", error_type="state_reused")
        self.assertEqual(self.get("/connections", query={"status": "all"})["connections"], [])

    def test_a_denial_that_brings_a_code_is_a_denial(self):
        self.issuers.order("mock", redirect={"error": "access_denied"})
        location = self.consent("mock")
        self.assertTrue({"code", "error"} <= query_of(location).keys())
        before = len(self.issuers.calls("mock", "authorization_code"))
        self.refused(self.callback(location), 400, "VALIDATION_FAILED", error_type="provider_denied")
        self.assertEqual(len(self.issuers.calls("mock", "authorization_code")), before)

    def test_an_answer_of_another_issuer_is_refused_before_its_code_is_used(self):
        before = len(self.issuers.calls("oidc-basic", "authorization_code"))
        for iss in (self.issuers.origins["mock"], self.issuers.origin_of("oidc-basic") + "/", ""):
            location = self.consent("oidc-basic")
            location = re.sub(r"iss=[^&]+", "iss=" + urllib.parse.quote(iss, safe=""), location)
            self.assertEqual(self.service.call("GET", location.split("8080", 1)[1], token=None).status, 400)
            self.refused(self.callback(location), 400, "VALIDATION_FAILED", error_type="state_reused")
        self.assertEqual(len(self.issuers.calls("oidc-basic", "authorization_code")), before)

    def test_a_server_that_names_no_issuer_is_believed(self):
        self.assertEqual(self.connected("mock")["external_id"], "johndoe")

    def test_many_callbacks_of_one_consent_make_one_connection_and_leave_its_grant_alone(self):
        location = self.consent("oidc-post")
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(self.callback, [location] * 20))
        self.assertEqual(sorted(answer.status for answer in answers), [200] + [400] * 19)
        self.refused(self.callback(location), 400, "VALIDATION_FAILED", error_type="state_reused")
        rows = self.get("/connections", query={"status": "all"})["connections"]
        self.assertEqual([row["external_id"] for row in rows], [self.person])
        codes = [call["body"]["code"] for call in self.issuers.calls("oidc-post", "authorization_code")]
        self.assertEqual(codes.count(query_of(location)["code"]), 1)
        self.assertEqual(self.refresh(rows[0]).status, 200)  # a code that came twice would have ended the grant

    def test_a_failed_exchange_stores_nothing(self):
        for status, body, named in ((400, {"error": "invalid_grant"}, "invalid_grant"), (500, {}, "http_error"),
                                    (200, {"token_type": "Bearer"}, "malformed_response")):
            location = self.consent("mock")
            self.issuers.order("mock", token={"statusCode": status, "body": body})
            self.refused(self.callback(location), 502, "PROVIDER_ERROR",
                         provider={"name": "mock", "status": status, "error": named})
            self.issuers.order("mock")
        self.assertEqual(self.get("/connections", query={"status": "all"})["connections"], [])


class Tokens(IssuerSuite):
    def exchanged_together(self, row, services, meanwhile=lambda: None):
        """Everybody asks while the server holds its answer back; the statuses."""
        self.issuers.order("hold")
        meanwhile()
        with concurrent.futures.ThreadPoolExecutor(len(services)) as pool:
            asked = [pool.submit(self.refresh, row, service) for service in services]
            for service in set(services):
                eventually(lambda s=service: self.waiting(s) > services.count(s), what="the callers")
            self.issuers.order("release")
            return [call.result().status for call in asked]

    def waiting(self, service):
        """Requests in flight, and the one that asks."""
        found = re.search(r"^http_inflight_requests(?:\{\})? (\d+)", service.call("GET", "/metrics").text, re.M)
        return int(found[1])

    def test_fifty_expiries_are_fifty_exchanges_however_many_ask(self):
        for provider in OIDC:
            with self.subTest(provider=provider):
                row = self.connected(provider)
                eventually(self.quiet, what="the first sync")
                before = len(self.issuers.calls(provider))
                for n in range(1, 51):
                    self.assertGreaterEqual(self.issuers.order("expire", account=self.person)["ended"], 1)
                    jobs = []  # begun while the answer is held: one that was quick would have had an exchange of its own
                    begin = lambda: jobs.extend([self.sync(row)] if n % 5 == 0 else [])
                    self.assertEqual(self.exchanged_together(row, [self.service] * 4, begin), [200] * 4)
                    eventually(self.quiet, what="the end of the sync")
                    self.assertEqual([self.get("/jobs/" + job)["status"] for job in jobs], ["succeeded"] * len(jobs))
                    self.assertEqual(len(self.issuers.calls(provider)), before + n)
                calls = self.issuers.calls(provider)[before:]
                self.assertEqual({call["status"] for call in calls}, {200})
                self.assertEqual(len({call["body"]["refresh_token"] for call in calls}), 50)
                self.assertEqual(self.connection(row)["status"], "active")

    def test_a_run_whose_token_was_ended_exchanges_once_and_goes_on(self):
        row = self.connected("oidc-basic")
        for n in range(3):
            eventually(self.quiet, what="the end of the syncs")
            before = len(self.issuers.calls("oidc-basic"))
            self.issuers.order("expire", account=self.person)
            job = self.sync(row)
            eventually(lambda j=job: self.get("/jobs/" + j)["status"] == "succeeded", what="the sync")
            self.assertEqual(len(self.issuers.calls("oidc-basic")), before + 1, n)

    def test_a_token_is_used_until_its_time_and_exchanged_once_after_it(self):
        self.issuers.order("lifetime", seconds=60)  # spent from the start: a token ends a minute early
        row = self.connected("oidc-post")
        eventually(self.quiet, what="the first sync")
        first = len(self.issuers.calls("oidc-post"))
        self.issuers.order("lifetime", seconds=3600)
        for _ in range(3):
            self.sync(row)
            eventually(self.quiet, what="the sync")
        self.assertEqual(len(self.issuers.calls("oidc-post")), first + 1)

    def test_a_stolen_refresh_token_that_is_used_ends_the_grant_and_is_told(self):
        row = self.connected("oidc-post")
        eventually(self.quiet, what="the first sync")
        for _ in range(2):
            self.assertEqual(self.refresh(row).status, 200)
        stolen = self.issuers.calls("oidc-post")[-1]["body"]["refresh_token"]
        thief = self.issuers.present("oidc-post", grant_type="refresh_token", refresh_token=stolen)
        self.assertEqual((thief.status, thief.json["error"]), (400, "invalid_grant"))
        before = len(self.issuers.calls("oidc-post"))
        job = self.sync(row)
        eventually(lambda: self.get("/jobs/" + job)["status"] == "failed", what="the end of the sync")
        self.assertEqual(self.get("/jobs/" + job)["error"]["type"], "unauthorized")
        ended = self.connection(row)
        self.assertEqual((ended["status"], ended["status_reason"]), ("error", "invalid_grant"))
        tried = len(self.issuers.calls("oidc-post")) - before
        self.assertIn(tried, (1, 2))  # the token, and the one before it whose successor never worked
        self.assertEqual(self.call("POST", "/sync/oidc-post", {}).status, 404)
        self.service.restart()  # the sweep of a start
        self.assertEqual(self.connection(row)["status"], "error")
        self.assertEqual(len(self.issuers.calls("oidc-post")) - before, tried)
        again = self.connected("oidc-post")
        self.assertEqual((again["id"], again["status"], again["status_reason"]), (row["id"], "active", None))

    def test_a_refusal_by_name_ends_the_connection(self):
        for reason in ("invalid_grant", "unauthorized_client", "invalid_client"):
            row = self.connected("mock")
            eventually(self.quiet, what="the first sync")
            self.issuers.order("mock", token={"statusCode": 400, "body": {"error": reason}})
            self.refused(self.refresh(row), 502, "PROVIDER_ERROR", provider=...)
            self.assertEqual(self.connection(row)["status_reason"], reason)
            self.issuers.order("mock")

    def test_deletion_revokes_the_grant_at_the_server(self):
        for provider in OIDC:
            with self.subTest(provider=provider):
                row = self.connected(provider)
                eventually(self.quiet, what="the first sync")
                self.assertEqual(self.refresh(row).status, 200)
                tokens = self.issuers.calls(provider)[-1]["answer"]
                items = self.issuers.origin_of(provider) + "/items"
                bearer = {"Authorization": "Bearer " + tokens["access_token"]}
                self.assertEqual(fetch("GET", items, headers=bearer).status, 200)
                self.assertEqual(self.call("DELETE", "/connections/" + row["id"]).status, 204)
                eventually(lambda h=bearer: fetch("GET", items, headers=h).status == 401, what="the revocation")
                used = self.issuers.present(provider, grant_type="refresh_token", refresh_token=tokens["refresh_token"])
                self.assertEqual(used.json["error"], "invalid_grant")
                gone = self.connection(row)
                self.assertEqual((gone["status"], gone["has_refresh_token"]), ("revoked", False))


class TwoProcesses(Tokens):
    """One database, two processes; what one process promises, both do."""

    other = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if cls.service.database.kind == "postgresql":
            cls.other = cls.new_service()
            cls.other.env["POBLYSH_DATABASE_URL"] = cls.service.database.url
            cls.other.start()

    def setUp(self):
        if not self.other:
            self.skipTest("one process for a file")
        super().setUp()

    def test_fifty_expiries_are_fifty_exchanges_however_many_ask(self):
        row = self.connected("oidc-post")
        eventually(self.quiet, what="the first sync")
        before = len(self.issuers.calls("oidc-post"))
        for n in range(1, 51):
            self.issuers.order("expire", account=self.person)
            self.assertEqual(self.exchanged_together(row, [self.service, self.other] * 2), [200] * 4)
            self.assertEqual(len(self.issuers.calls("oidc-post")), before + n)
        self.assertEqual({call["status"] for call in self.issuers.calls("oidc-post")[before:]}, {200})
        self.assertEqual(self.connection(row)["status"], "active")

    def test_a_callback_at_either_counts_once(self):
        location = self.consent("oidc-basic")
        target = location.split("8080", 1)[1]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda s: s.call("GET", target, token=None, timeout=60), [self.service, self.other] * 4))
        self.assertEqual(sorted(answer.status for answer in answers), [200] + [400] * 7)
        self.assertEqual(len(self.get("/connections")["connections"]), 1)


if __name__ == "__main__":
    harness.main()
