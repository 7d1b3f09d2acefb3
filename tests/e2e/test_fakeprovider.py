"""The fake providers themselves: what they refuse, and that what they grant ends as it should."""

import base64
import hashlib
import json
import unittest
import urllib.parse

from zoo import OAUTH, Zoo, fetch

VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
CALLBACK = "https://service.test/callback"


class FakeProvider(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.zoo = Zoo(seed=7)
        cls.addClassCleanup(cls.zoo.close)

    def setUp(self):
        self.zoo.tell("reset")

    def code(self, zoo=None):
        query = {"client_id": "c", "redirect_uri": CALLBACK, "state": "s", "response_type": "code", "scope": "read",
                 "code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        answer = fetch("GET", (zoo or self.zoo).bases["gitlab"] + "/oauth/authorize?" + urllib.parse.urlencode(query))
        self.assertEqual(answer.status, 302, answer)
        back = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(answer.headers["Location"]).query))
        self.assertEqual(back["state"], "s")
        return back["code"]

    def token(self, zoo=None, **form):
        form = {"client_id": "c", "client_secret": "s", **form}
        return fetch("POST", (zoo or self.zoo).bases["gitlab"] + "/oauth/token", form=form)

    def exchange(self, code, **changes):
        return self.token(grant_type="authorization_code", code=code,
                          **{"redirect_uri": CALLBACK, "code_verifier": VERIFIER, **changes})

    def refresh(self, token):
        return self.token(grant_type="refresh_token", refresh_token=token)

    def user(self, token):
        return fetch("GET", self.zoo.bases["gitlab"] + "/api/v4/user", headers={"Authorization": "Bearer " + token}).status

    def refused(self, answer, error="invalid_grant"):
        self.assertGreaterEqual(answer.status, 400)
        self.assertEqual(answer.json["error"], error)

    def test_a_consent_without_its_parameters_is_refused(self):
        for provider in OAUTH:
            self.assertEqual(fetch("GET", self.zoo.bases[provider] + "/nowhere").status, 404)
        answer = fetch("GET", self.zoo.bases["gitlab"] + "/oauth/authorize?client_id=c")
        self.assertEqual(answer.status, 400)
        self.assertIn("code_challenge", answer.text)

    def test_a_code_needs_its_verifier_its_redirect_and_a_client(self):
        self.refused(self.exchange(self.code(), code_verifier="w" * 43))
        self.refused(self.exchange(self.code(), redirect_uri="https://other.test/"))
        self.refused(self.exchange("code-unknown"))
        self.refused(self.exchange(self.code(), client_secret=""), "invalid_client")
        self.assertEqual(self.exchange(self.code()).status, 200)

    def test_a_code_that_comes_twice_ends_what_it_gave(self):
        code = self.code()
        tokens = self.exchange(code).json
        self.assertEqual(self.user(tokens["access_token"]), 200)
        self.refused(self.exchange(code))
        self.assertEqual(self.user(tokens["access_token"]), 401)

    def test_a_refresh_token_that_comes_twice_ends_its_family(self):
        first = self.exchange(self.code()).json
        second = self.refresh(first["refresh_token"]).json
        self.assertEqual(self.user(second["access_token"]), 200)
        self.refused(self.refresh(first["refresh_token"]))
        self.refused(self.refresh(second["refresh_token"]))
        self.assertEqual(self.user(second["access_token"]), 401)
        self.assertEqual(self.zoo.reuse_detected("gitlab"), 1)

    def test_within_the_leeway_it_may_come_again(self):
        self.zoo.tell("settings", provider="gitlab", leeway_seconds=60)
        first = self.exchange(self.code()).json
        for _ in range(3):
            self.assertEqual(self.refresh(first["refresh_token"]).status, 200)
        self.assertEqual(self.zoo.reuse_detected("gitlab"), 0)

    def test_an_expired_token_is_refused_and_its_refresh_token_is_not(self):
        tokens = self.exchange(self.code()).json
        self.zoo.tell("expire", provider="gitlab")
        self.assertEqual(self.user(tokens["access_token"]), 401)
        self.assertEqual(self.user(self.refresh(tokens["refresh_token"]).json["access_token"]), 200)

    def test_a_rule_skips_applies_and_is_over(self):
        self.zoo.tell("faults", provider="gitlab", operation="identity", skip=1, times=2, status=503)
        access = self.exchange(self.code()).json["access_token"]
        self.assertEqual([self.user(access) for _ in range(5)], [200, 503, 503, 200, 200])

    def test_it_tells_what_issues_belong_to(self):
        self.zoo.tell("resources", provider="gitlab", names=["tools", "toys"])
        header = {"Authorization": "Bearer " + self.exchange(self.code()).json["access_token"]}
        first = fetch("GET", self.zoo.bases["gitlab"] + "/api/v4/projects?per_page=1", headers=header)
        self.assertEqual([p["path_with_namespace"] for p in first.json], ["ada/tools"])
        second = fetch("GET", first.headers["link"].partition("<")[2].partition(">")[0], headers=header)
        self.assertEqual(([p["name"] for p in second.json], second.headers["link"]), (["toys"], None))
        self.assertEqual(fetch("POST", self.zoo.control + "resources", {"provider": "gmail", "count": 1}).status, 400)

    def test_an_unknown_order_or_member_is_refused(self):
        self.assertEqual(fetch("POST", self.zoo.control + "dance", {}).status, 404)
        for order, body in (("faults", {"provider": "gitlab", "statsu": 500}), ("settings", {"provider": "gitlab", "x": 1}),
                            ("items", {"provider": "nowhere", "count": 1})):
            self.assertEqual(fetch("POST", self.zoo.control + order, body).status, 400)

    def test_the_same_seed_gives_the_same_secrets(self):
        other, third = Zoo(seed=7), Zoo(seed=8)
        self.addCleanup(other.close)
        self.addCleanup(third.close)
        codes = [self.code(), self.code(other), self.code(third)]
        self.assertEqual(codes[0], codes[1])
        self.assertNotEqual(codes[0], codes[2])
        keys = [json.loads(fetch("GET", zoo.bases["gmail"] + "/oauth2/v3/certs").body) for zoo in (self.zoo, other, third)]
        self.assertEqual(keys[0], keys[1])
        self.assertNotEqual(keys[0], keys[2])


if __name__ == "__main__":
    unittest.main(verbosity=2)
