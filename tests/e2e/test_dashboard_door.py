"""The way into the dashboard: one-time links, sign-in, the cookie, and the way out."""

import base64
import hashlib
import hmac
import re
import urllib.parse
import uuid

import harness
from harness import OPERATOR, Suite

DOORS, LOGIN, LOGOUT = "/api/v1/dashboard-sessions", "/dashboard/login", "/dashboard/logout"


class Door(Suite):
    settings = {"TRUSTED_PROXIES": "127.0.0.1/32"}

    def setUp(self):
        self.client = "203.0.113." + str(uuid.uuid4().int % 250)  # sign-in counts by client: each test is one of its own
        self.slug = "team-" + uuid.uuid4().hex[:10]
        self.tenant = self.new_tenant(slug=self.slug)

    def visit(self, method, path, form=None, **options):
        """A browser without credentials of the API."""
        body = None if form is None else urllib.parse.urlencode(form)
        headers = {"X-Forwarded-For": self.client, **options.pop("headers", {})}
        return self.service.call(method, path, body, token=None, headers=headers, **options)

    def open(self, **members):
        wanted = {"tenant_id": self.tenant, "name": "Ana", "roles": ["viewer"], **members}
        answer = self.service.call("POST", DOORS, wanted)
        self.assertEqual(answer.status, 201, answer)
        return "/" + answer.json["url"].split("/", 3)[3]

    def cookie_of(self, answer):
        return re.match(r"connectord_session=([^;]*); ", answer.headers["Set-Cookie"])[1]

    def sign_in(self, token=OPERATOR, team=None, status=303, **more):
        answer = self.visit("POST", LOGIN, {"token": token, "team": self.slug if team is None else team, **more})
        self.assertEqual(answer.status, status, answer)
        return answer

    def leave(self, secret, status=303, headers=None, **form):
        answer = self.visit("POST", LOGOUT, form, headers={"Cookie": "connectord_session=" + secret, **(headers or {})})
        self.assertEqual(answer.status, status, answer)
        return answer


class Links(Door):
    def test_a_link_is_good_once(self):
        path = self.open(return_path="/dashboard/projects")
        first = self.visit("GET", path)
        self.assertEqual(first.status, 200)
        self.assertIn('content="0;url=/dashboard/projects"', first.text)
        self.assertIn("Welcome, Ana", first.text)
        second = self.visit("GET", path)
        self.assertEqual((second.status, second.headers["Set-Cookie"]), (404, None))

    def test_a_link_that_was_never_given_out_is_like_a_used_one(self):
        used = self.open()
        self.visit("GET", used)
        never = self.visit("GET", "/dashboard/enter/" + "x" * 43)
        mask = lambda a: a.text.replace(a.headers["x-trace-id"], "")
        self.assertEqual((never.status, mask(never)), (404, mask(self.visit("GET", used))))

    def test_only_an_operator_opens_a_door_and_only_into_the_dashboard(self):
        wanted = {"tenant_id": self.tenant, "name": "Ana", "roles": ["viewer"]}
        self.assertEqual(self.service.call("POST", DOORS, wanted, token=self.token()["secret"]).status, 403)
        self.assertEqual(self.service.call("POST", DOORS, wanted, token=None).status, 401)
        self.assertEqual(self.service.call("POST", DOORS, {**wanted, "tenant_id": str(uuid.uuid4())}).status, 404)
        for bad in ({"roles": []}, {"roles": ["owner"]}, {"name": ""}, {"session_seconds": 59}, {"session_seconds": 43201},
                    *({"return_path": p} for p in ("https://evil.example/", "//evil.example", "/dashboards", "/dashboard/\\evil", "/dashboard/ x"))):
            with self.subTest(bad):
                answer = self.service.call("POST", DOORS, {**wanted, **bad})
                self.assertEqual((answer.status, next(iter(bad)) in answer.json["details"]), (400, True), answer)

    def test_a_hostile_name_stays_text(self):
        page = self.visit("GET", self.open(name="<script>alert(1)</script>")).text
        self.assertNotIn("<script>alert", page)
        self.assertIn("&lt;script&gt;", page)


class SignIn(Door):
    def test_the_cookie_is_out_of_reach(self):
        flags = self.sign_in().headers["Set-Cookie"].split("; ")[1:]
        self.assertEqual(flags, ["Path=/dashboard", "HttpOnly", "SameSite=Strict", "Max-Age=43200"])

    def test_a_team_s_token_and_an_operator_s_lead_in(self):
        reader = self.token("tracker:read")["secret"]
        for token, team in ((OPERATOR, self.slug), (OPERATOR, self.tenant), (reader, ""), (reader, self.slug), (reader, self.tenant)):
            with self.subTest(team):
                self.assertEqual(self.sign_in(token, team, next="/dashboard/activity").headers["Location"], "/dashboard/activity")

    def test_nobody_is_sent_elsewhere(self):
        for bad in ("https://evil.example/", "//evil.example", "/connections", "/dashboard/\r\nX: y", "javascript:alert(1)"):
            with self.subTest(bad):
                self.assertEqual(self.sign_in(next=bad).headers["Location"], "/dashboard/connectors")


class Refusals(Door):
    def test_whatever_is_wrong_with_a_token_reads_the_same(self):
        other = self.new_tenant()
        revoked = self.token("tracker:read")
        self.service.call("DELETE", f"/api/v1/tenants/{self.tenant}/tokens/{revoked['id']}")
        wrong = [("nonsense", ""), (revoked["secret"], ""), (self.token("signals:read")["secret"], ""),
                 (self.token("tracker:read", tenant=other)["secret"], self.slug), (OPERATOR, "no-such-team")]
        pages = [self.sign_in(token, team, status=401) for token, team in wrong]
        self.assertEqual({re.search(r'role="alert">([^<]*)', p.text)[1] for p in pages}, {"That token is not valid, or it is not this team&#39;s."})
        for (token, _), page in zip(wrong, pages):
            self.assertNotIn(token, page.text)
            self.assertIsNone(page.headers["Set-Cookie"])


class Guesses(Door):
    def test_guessing_is_slowed_down(self):
        answers = [self.visit("POST", LOGIN, {"token": f"guess-{n}", "team": ""}) for n in range(25)]
        refused = [a for a in answers if a.status == 429]
        self.assertTrue(refused and all(a.status in (401, 429) for a in answers))
        self.assertTrue(all(int(a.headers["Retry-After"]) > 0 for a in refused))


class Leaving(Door):
    def csrf_of(self, secret):
        """As the page's form carries it; no page shows it to this suite."""
        digest = hmac.new(secret.encode(), b"dashboard form", hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def test_leaving_needs_a_form_of_our_own_and_ends_the_session(self):
        secret = self.cookie_of(self.sign_in())
        proof = self.csrf_of(secret)
        for headers, form in (({}, {}), ({}, {"csrf": ("y" if proof[0] == "x" else "x") + proof[1:]}), ({"Sec-Fetch-Site": "cross-site"}, {"csrf": proof}),
                              ({"Origin": "https://evil.example"}, {"csrf": proof}), ({"Sec-Fetch-Site": "same-site"}, {"csrf": proof})):
            with self.subTest(headers=headers, form=form):
                self.leave(secret, 403, headers, **form)
        left = self.leave(secret, headers={"Sec-Fetch-Site": "same-origin"}, csrf=proof)
        self.assertEqual((self.cookie_of(left), left.headers["Location"]), ("", LOGIN))
        self.assertTrue(self.leave(secret, csrf=proof).headers["Location"].startswith(LOGIN + "?next="))  # nobody any more

    def test_a_session_ends_with_the_token_that_opened_it(self):
        token = self.token("tracker:read")
        secret = self.cookie_of(self.sign_in(token["secret"], ""))
        self.leave(secret, 403)  # known, but not our form
        self.service.call("DELETE", f"/api/v1/tenants/{self.tenant}/tokens/{token['id']}")
        self.assertTrue(self.leave(secret).headers["Location"].startswith(LOGIN + "?next="))

    def test_two_cookies_are_none(self):
        secret = self.cookie_of(self.sign_in())
        answer = self.visit("POST", LOGOUT, {}, headers={"Cookie": f"connectord_session={secret}; connectord_session={secret}"})
        self.assertTrue(answer.headers["Location"].startswith(LOGIN))


if __name__ == "__main__":
    harness.main()
