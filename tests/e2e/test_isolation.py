"""Nothing of one tenant is seen or changed by another, on any route that the service says it has."""

import re
import uuid

import harness
import signers
from harness import OPERATOR, SCOPES, Suite

METHODS = ("get", "post", "put", "patch", "delete")
# A body that each mutating route would accept, so that a refusal is about whose row it is.
BODIES = {"/connections": {"provider": "example", "external_id": "mine"}, "/connections/{}": {"display_name": "taken"},
          "/api/v1/tenants": None, "/api/v1/tenants/{}/tokens": {"name": "t", "scopes": ["signals:read"]},
          "/api/v1/tenants/{}": {"name": "taken"}, "/signal-config": {}, "/grounded-signals/{}": {"status": "draft"}}


class Isolation(Suite):
    def setUp(self):
        super().setUp()
        self.row = self.connect("example", "canary-external", display_name="canary-display", metadata={"k": "canary-metadata"})
        body = signers.to_bytes(signers.example_event(1, title="canary-title"))
        self.delivery = self.deliver("example", body, signers.example(body, delivery="canary-delivery")).json
        self.signal = self.signals()[0]
        self.victim_token = self.token()
        self.other = self.new_tenant()
        self.other_token = self.token(*SCOPES, tenant=self.other)["secret"]
        self.owned = {
            "connections": self.row["id"], "signals": self.signal["id"], "deliveries": self.delivery["delivery_id"],
            "jobs": self.get("/signals/" + self.signal["id"])["job_id"] or str(uuid.uuid4()), "grounded-signals": str(uuid.uuid4()),
        }
        self.traces = [*self.owned.values(), self.tenant, self.delivery["receipt_id"], self.victim_token["id"], "canary-"]

    def operations(self):
        """Every documented operation: method, template, and a path in which every id is the first tenant's."""
        for template, item in self.get("/openapi.json")["paths"].items():
            shape = re.sub(r"\{\w+\}", "{}", template)
            path = template.replace("{provider}", "example")
            head = template.split("/")[1]
            if head in self.owned:
                path = re.sub(r"\{\w+\}", self.owned[head], path)
            else:
                path = path.replace("{token_id}", self.victim_token["id"])
                path = re.sub(r"\{\w+\}", self.tenant, path)
            for method in METHODS:
                if method in item:
                    yield method.upper(), shape, path, self.tenant in path or any(i in path for i in self.owned.values())

    def state(self):
        """What the first tenant has, as an operator sees it."""
        return [self.service.call("GET", path, tenant=self.tenant).json for path in (
            "/connections?status=all", f"/connections/{self.row['id']}", "/deliveries", f"/deliveries/{self.delivery['delivery_id']}",
            "/signals", f"/signals/{self.signal['id']}")] + [
            self.service.call("GET", f"/api/v1/tenants/{self.tenant}{part}").json["data"] for part in ("", "/tokens")]

    def visit(self, method, shape, path, **credentials):
        body = BODIES.get(shape, {}) if method in ("POST", "PUT", "PATCH") else None
        return self.service.call(method, path, body, **credentials)

    def unrevealing(self, answer, path):
        # What the caller itself wrote into the path may be told back to it.
        for trace in self.traces:
            if trace not in path:
                self.assertNotIn(trace, answer.text)

    def test_a_token_of_another_tenant_gets_nothing_on_any_route(self):
        before, visited = self.state(), 0
        for method, shape, path, owned in list(self.operations()):
            with self.subTest(f"{method} {path}"):
                answer = self.visit(method, shape, path, token=self.other_token)
                if owned:
                    visited += 1
                    self.assertIn(answer.status, (400, 401, 403, 404, 501), answer)
                self.unrevealing(answer, path)
        self.assertGreaterEqual(visited, 12)
        self.assertEqual(self.state(), before)

    def test_an_operator_acting_for_another_tenant_finds_nothing(self):
        before = self.state()
        for method, shape, path, owned in list(self.operations()):
            # The operator's own routes name the tenant in the path, and may.
            if not owned or self.tenant in path or shape.startswith(("/ops", "/api")):
                continue
            with self.subTest(f"{method} {path}"):
                answer = self.visit(method, shape, path, token=OPERATOR, tenant=self.other)
                self.refused(answer, 404, "NOT_FOUND")
                unknown = self.visit(method, shape, re.sub(r"[0-9a-f-]{36}", str(uuid.uuid4()), path), token=OPERATOR, tenant=self.other)
                self.assertEqual(self.comparable(answer), self.comparable(unknown), "a foreign row and no row look different")
        self.assertEqual(self.state(), before)

    @staticmethod
    def comparable(answer):
        return answer.status, {k: v for k, v in answer.json.items() if k != "trace_id"}

    def test_a_token_does_not_speak_for_the_tenant_in_the_header(self):
        for method, shape, path, _ in list(self.operations()):
            if path.split("/")[1] not in ("connections", "signals", "deliveries", "jobs", "protected", "signal-config"):
                continue
            with self.subTest(f"{method} {path}"):
                answer = self.visit(method, shape, path, token=self.other_token, tenant=self.tenant)
                self.refused(answer, 403, "TENANT_SCOPE_MISMATCH")
                self.unrevealing(answer, path)

    def test_lists_of_another_tenant_hold_nothing_of_this_one(self):
        for path in ("/connections?status=all", "/signals", "/deliveries", f"/signals?connection_id={self.row['id']}",
                     f"/deliveries?connection_id={self.row['id']}"):
            answer = self.service.call("GET", path, token=self.other_token)
            self.assertEqual(answer.status, 200, answer)
            self.unrevealing(answer, path)
            self.assertEqual([v for v in answer.json.values() if isinstance(v, list)], [[]])

    def test_an_idempotency_key_belongs_to_its_tenant(self):
        body, key = {"provider": "example", "external_id": "keyed"}, {"Idempotency-Key": "one-key"}
        mine = self.call("POST", "/connections", body, headers=key).json
        theirs = self.call("POST", "/connections", body, headers=key, tenant=self.other)
        self.assertNotEqual(theirs.json["id"], mine["id"])
        self.assertIsNone(theirs.headers["Idempotency-Replayed"])


if __name__ == "__main__":
    harness.main()
