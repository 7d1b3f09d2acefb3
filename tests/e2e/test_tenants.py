"""Tenants and their tokens: who may do what, and for how long."""

import datetime
import uuid

import harness
from harness import OPERATOR, SCOPES, Suite


class Tenants(Suite):
    def test_a_tenant_is_created_read_changed_and_deleted(self):
        call = self.service.call
        made = call("POST", "/api/v1/tenants", {"name": "  Åsa & 株式会社  ", "slug": "asa-" + uuid.uuid4().hex[:8], "metadata": {"a": [1]}})
        self.assertEqual(made.status, 201, made)
        row = made.json["data"]
        self.assertEqual((row["name"], row["status"], row["metadata"]), ("Åsa & 株式会社", "active", {"a": [1]}))
        self.assertTrue(made.headers["Location"].endswith(row["id"]))
        self.assertEqual(made.json["meta"]["request_id"], made.headers["x-trace-id"])
        path = "/api/v1/tenants/" + row["id"]
        self.assertEqual(call("GET", path).json["data"], row)
        changed = call("PATCH", path, {"name": "Bo", "metadata": {"b": 2}}).json["data"]
        self.assertEqual((changed["name"], changed["metadata"], changed["slug"]), ("Bo", {"b": 2}, row["slug"]))
        self.assertEqual(call("DELETE", path).status, 204)
        self.refused(call("GET", path), 404, "TENANT_NOT_FOUND", tenant_id=row["id"])

    def test_members_out_of_their_domain_are_named(self):
        for name, value in (("name", ""), ("name", "   "), ("name", "x" * 256), ("name", 5), ("name", None), ("slug", "A"),
                            ("slug", "-a"), ("slug", "a--b"), ("slug", "a" * 64), ("id", "1"), ("metadata", []),
                            ("id", "00000000-0000-0000-0000-000000000000"), ("metadata", {"a": "x" * 17000})):
            with self.subTest(f"{name}={str(value)[:20]!r}"):
                answer = self.service.call("POST", "/api/v1/tenants", {"name": "ok", **{name: value}})
                self.refused(answer, 400, "VALIDATION_FAILED", **{name: ..., "field": name})

    def test_id_and_slug_are_unique(self):
        slug = "s" + uuid.uuid4().hex[:10]
        first = self.new_tenant(slug=slug)
        for field, body in (("slug", {"slug": slug}), ("id", {"id": first})):
            answer = self.service.call("POST", "/api/v1/tenants", {"name": "again", **body})
            self.refused(answer, 409, "CONFLICT", field=field)

    def test_the_list_is_paged_in_order_of_creation(self):
        made = [self.new_tenant() for _ in range(5)]
        rows = self.service.pages("/api/v1/tenants", "data", limit=2)
        self.assertEqual([row["id"] for row in rows][-5:], made)
        self.assertEqual(rows, sorted(rows, key=lambda row: (row["created_at"].rstrip("Z"), row["id"])))

    def test_a_retry_with_the_same_key_makes_one_tenant(self):
        key, name = uuid.uuid4().hex, "keyed " + uuid.uuid4().hex
        first = self.service.call("POST", "/api/v1/tenants", {"name": name}, headers={"Idempotency-Key": key})
        again = self.service.call("POST", "/api/v1/tenants", {"name": name}, headers={"Idempotency-Key": f'"{key}"'})
        self.assertEqual((first.status, again.status), (201, 201))
        self.assertEqual(first.json["data"], again.json["data"])
        self.assertEqual(again.headers["Idempotency-Replayed"], "true")
        other = self.service.call("POST", "/api/v1/tenants", {"name": "other"}, headers={"Idempotency-Key": key})
        self.refused(other, 422, "IDEMPOTENCY_KEY_REUSED")
        bad = self.service.call("POST", "/api/v1/tenants", {"name": "x"}, headers={"Idempotency-Key": "x" * 256})
        self.refused(bad, 400, "VALIDATION_FAILED", **{"Idempotency-Key": ...})

    def test_a_mutating_call_provisions_and_a_read_does_not(self):
        unknown = str(uuid.uuid4())
        self.assertEqual(self.get("/connections", tenant=unknown)["connections"], [])
        self.refused(self.service.call("GET", "/api/v1/tenants/" + unknown), 404, "TENANT_NOT_FOUND")
        self.connect("example", tenant=unknown)
        self.assertEqual(self.service.call("GET", "/api/v1/tenants/" + unknown).status, 200)

    def test_deleting_a_tenant_takes_everything_it_owned(self):
        row, token = self.connect("example"), self.token()
        self.assertEqual(self.service.call("DELETE", "/api/v1/tenants/" + self.tenant).status, 204)
        self.refused(self.service.call("GET", "/protected/ping", token=token["secret"]), 401, "UNAUTHORIZED")
        self.assertEqual(self.get("/connections")["connections"], [])
        self.refused(self.call("GET", "/connections/" + row["id"]), 404, "NOT_FOUND")


class Tokens(Suite):
    def test_the_secret_is_shown_once_and_works(self):
        token = self.token("signals:read")
        self.assertRegex(token["secret"], r"^cdt_[A-Za-z0-9_-]{43}$")
        self.assertEqual(token["prefix"], token["secret"][:8])
        self.assertEqual(self.get("/protected/ping", tenant=None, token=token["secret"])["tenant_id"], self.tenant)
        listed = self.service.call("GET", f"/api/v1/tenants/{self.tenant}/tokens")
        self.assertNotIn(token["secret"], listed.text)
        self.assertEqual([row["id"] for row in listed.json["data"]], [token["id"]])

    def test_a_token_does_what_its_scopes_say_and_no_more(self):
        routes = {"connections:read": ("GET", "/connections"), "signals:read": ("GET", "/signals"),
                  "deliveries:read": ("GET", "/deliveries"), "connections:write": ("POST", "/connections"),
                  "deliveries:write": ("POST", "/webhooks/example")}
        for held in routes:
            secret = self.token(held)["secret"]
            for needed, (method, path) in routes.items():
                with self.subTest(f"{held} on {method} {path}"):
                    answer = self.service.call(method, path, {} if method == "POST" else None, token=secret)
                    if held == needed:
                        self.assertNotIn(answer.status, (401, 403), answer)
                    else:
                        self.refused(answer, 403, "FORBIDDEN", required_scope=needed)

    def test_a_tenant_token_is_no_operator(self):
        secret = self.token(*SCOPES)["secret"]
        for path in ("/metrics", "/config/summary", "/config/rate-limit-policy", "/api/v1/tenants", "/ops/actors", "/ops/tenants",
                     "/ops/unrouted", f"/api/v1/tenants/{self.tenant}"):
            with self.subTest(path):
                self.refused(self.service.call("GET", path, token=secret), 403, "FORBIDDEN")

    def test_a_token_does_not_name_another_tenant(self):
        secret = self.token()["secret"]
        self.refused(self.call("GET", "/signals", token=secret, tenant=str(uuid.uuid4())), 403, "TENANT_SCOPE_MISMATCH")
        self.get("/signals", token=secret, tenant=self.tenant.upper())

    def test_a_revoked_token_ends_at_once(self):
        token = self.token()
        path = f"/api/v1/tenants/{self.tenant}/tokens/{token['id']}"
        self.get("/signals", token=token["secret"])
        self.assertEqual(self.service.call("DELETE", path).status, 204)
        self.refused(self.call("GET", "/signals", token=token["secret"]), 401, "UNAUTHORIZED")

    def test_an_expired_token_ends_at_once(self):
        soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=1.5)
        token = self.token("signals:read", expires_at=soon.isoformat().replace("+00:00", "Z"))
        self.get("/signals", token=token["secret"])
        harness.eventually(lambda: self.call("GET", "/signals", token=token["secret"]).status == 401, what="expiry")

    def test_bad_tokens_are_not_made(self):
        for name, value in (("scopes", []), ("scopes", ["signals:eat"]), ("scopes", "signals:read"), ("name", ""), ("name", "x" * 101),
                            ("expires_at", "2001-01-01T00:00:00Z"), ("expires_at", "soon")):
            with self.subTest(f"{name}={value!r:.30}"):
                body = {"name": "t", "scopes": ["signals:read"], name: value}
                self.refused(self.service.call("POST", f"/api/v1/tenants/{self.tenant}/tokens", body), 400, "VALIDATION_FAILED", **{name: ...})

    def test_the_scheme_is_read_in_any_case_and_nothing_else_passes(self):
        for header in ("bearer " + OPERATOR, "BEARER " + OPERATOR):
            self.get("/signals", token=None, headers={"Authorization": header})
        for header in ("Basic " + OPERATOR, OPERATOR, "Bearer", "Bearer " + OPERATOR[:-1], "Bearer " + OPERATOR + "x", "Bearer cdt_" + "A" * 43):
            with self.subTest(header):
                self.refused(self.call("GET", "/signals", token=None, headers={"Authorization": header}), 401, "UNAUTHORIZED")


class Unprovisioned(Suite):
    settings = {"TENANT_AUTO_PROVISION": "false"}

    def test_an_unknown_tenant_is_not_made_on_the_way(self):
        unknown = str(uuid.uuid4())
        answer = self.call("POST", "/connections", {"provider": "example", "external_id": "x"}, tenant=unknown)
        self.refused(answer, 404, "TENANT_NOT_FOUND", tenant_id=unknown)


if __name__ == "__main__":
    harness.main()
