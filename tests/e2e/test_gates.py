"""GitHub gates: checks of a repository in a project's feed, whatever the tracker's flag says."""

import hashlib
import hmac
import json
import uuid
from concurrent.futures import ThreadPoolExecutor

import harness
from harness import Suite

CONNECTORS = "/api/v1/connectors/github/"
FLAG = "/api/v1/flags/tracker_connectors"


def check_run(conclusion="success", repository="acme/app", action="completed", **check):
    return {"action": action, "repository": {"full_name": repository},
            "check_run": {"id": 11, "name": "build", "conclusion": conclusion, "html_url": "https://github.com/acme/app/runs/11",
                          "completed_at": "2026-03-01T00:00:00Z", "pull_requests": [{"number": 7}], **check}}


class Gates(Suite):
    def setUp(self):
        super().setUp()
        self.project = self.made("/api/v1/projects/", {"name": "Shop", "slug": "shop"})
        self.gate = self.made(CONNECTORS, {"project_id": self.project["id"], "repo_full_name": "acme/app"})

    def made(self, path, body, **options):
        answer = self.call("POST", path, body, **options)
        self.assertEqual(answer.status, 201, answer)
        return answer.json

    def send(self, body, *, event="check_run", delivery=None, secret=None, gate=None, **headers):
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        signature = hmac.new((secret or self.gate["webhook_secret"]).encode(), raw, hashlib.sha256).hexdigest()
        sent = {"X-GitHub-Event": event, "X-GitHub-Delivery": delivery or str(uuid.uuid4()), "X-Hub-Signature-256": "sha256=" + signature,
                **{name.replace("_", "-"): value for name, value in headers.items()}}
        return self.service.call("POST", f"/api/v1/webhooks/github/{gate or self.gate['id']}/", raw, token=None,
                                 headers={k: v for k, v in sent.items() if v is not None})

    def refused_as(self, answer, status, code):
        self.assertEqual((answer.status, answer.json["code"]), (status, code), answer)

    def feed(self):
        return self.get("/api/v1/activity/", query={"type": "GatePassed,GateFailed"})["items"]

    # ---- connectors

    def test_the_secret_is_shown_once(self):
        self.assertEqual(len(self.gate["webhook_secret"]), 43)
        self.assertTrue(self.gate["webhook_url"].endswith(f"/api/v1/webhooks/github/{self.gate['id']}/"))
        shown = {k: v for k, v in self.gate.items() if k != "webhook_secret"}
        self.assertEqual(self.get(CONNECTORS), {"items": [shown], "next_cursor": None})
        self.assertEqual(self.get(CONNECTORS + self.gate["id"]), shown)

    def test_a_secret_of_the_callers_own(self):
        own = self.made(CONNECTORS, {"project_id": self.project["id"], "repo_full_name": "acme/app", "webhook_secret": "hush"})
        self.assertEqual(own["webhook_secret"], "hush")
        self.assertEqual(self.send(check_run(), secret="hush", gate=own["id"]).status, 202)

    def test_what_is_no_gate_is_refused(self):
        good = {"project_id": self.project["id"], "repo_full_name": "acme/app"}
        for wrong, path in (({"project_id": "x"}, "project_id"), ({"project_id": None}, "project_id"), ({"repo_full_name": "acme"}, "repo_full_name"),
                            ({"repo_full_name": "acme/app/x"}, "repo_full_name"), ({"repo_full_name": "/app"}, "repo_full_name"),
                            ({"repo_full_name": "acme/a pp"}, "repo_full_name"), ({"webhook_secret": ""}, "webhook_secret"),
                            ({"webhook_secret": 7}, "webhook_secret")):
            with self.subTest(wrong):
                answer = self.call("POST", CONNECTORS, {**good, **wrong})
                self.refused_as(answer, 400, "validation_error")
                self.assertEqual([e["path"] for e in answer.json["details"]["errors"]], [path])
        self.refused_as(self.call("POST", CONNECTORS, {**good, "project_id": str(uuid.uuid4())}), 404, "project_not_found")
        self.assertEqual(len(self.get(CONNECTORS)["items"]), 1)

    def test_a_gate_that_is_gone_takes_nothing(self):
        path = CONNECTORS + self.gate["id"] + "/"
        self.assertEqual(self.call("DELETE", path).status, 204)
        for answer in (self.call("DELETE", path), self.call("GET", path), self.send(check_run())):
            self.refused_as(answer, 404, "not_found")

    def test_pages(self):
        ids = [self.gate["id"]] + [self.made(CONNECTORS, {"project_id": self.project["id"], "repo_full_name": "acme/app"})["id"] for _ in range(4)]
        seen, cursor = [], None
        while True:
            page = self.get(CONNECTORS, query={"limit": "2", **({"cursor": cursor} if cursor else {})})
            seen += [g["id"] for g in page["items"]]
            cursor = page["next_cursor"]
            if not cursor:
                break
        self.assertEqual(sorted(seen), sorted(ids))
        self.assertEqual(len(seen), 5)

    def test_scopes(self):
        read, write = (self.token(scope)["secret"] for scope in ("tracker:read", "tracker:write"))
        self.assertEqual(self.call("GET", CONNECTORS, token=read, tenant=None).status, 200)
        for method, path, body in (("POST", CONNECTORS, {}), ("DELETE", CONNECTORS + self.gate["id"], None)):
            self.refused_as(self.call(method, path, body, token=write, tenant=None), 403, "insufficient_scope")

    def test_another_tenant_sees_no_gate(self):
        other = self.new_tenant()
        path = CONNECTORS + self.gate["id"]
        self.assertEqual(self.call("GET", CONNECTORS, tenant=other).json["items"], [])
        for method in ("GET", "DELETE"):
            foreign, unknown = self.call(method, path, tenant=other), self.call(method, CONNECTORS + str(uuid.uuid4()), tenant=other)
            self.refused_as(foreign, 404, "not_found")
            self.assertEqual({**foreign.json, "trace_id": 0}, {**unknown.json, "trace_id": 0})
        body = {"project_id": self.project["id"], "repo_full_name": "acme/app"}
        self.refused_as(self.call("POST", CONNECTORS, body, tenant=other), 404, "project_not_found")
        self.assertEqual(self.send(check_run()).status, 202)

    # ---- deliveries

    def test_a_check_is_one_row_of_the_feed(self):
        delivery = str(uuid.uuid4())
        first = self.send(check_run(), delivery=delivery)
        self.assertEqual((first.status, first.json["status"], first.json["event_type"]), (202, "accepted", "GatePassed"))
        again = self.send(check_run(), delivery=delivery)
        self.assertEqual((again.status, again.json), (200, {"status": "duplicate"}))
        [row] = self.feed()
        self.assertEqual(row["payload"], {"gate_name": "build", "gate_type": "ci", "conclusion": "success", "external_provider": "github",
                                          "check_run_id": 11, "check_run_url": "https://github.com/acme/app/runs/11", "delivery_id": delivery,
                                          "pr_number": 7})
        self.assertEqual((row["id"], row["type"], row["project_id"], row["project_slug"], row["occurred_at"], row["actor"]),
                         (first.json["event_id"], "GatePassed", self.project["id"], "shop", "2026-03-01T00:00:00Z",
                          {"kind": "webhook", "name": "github"}))

    def test_every_conclusion(self):
        for conclusion, status, shown in (("success", 202, "GatePassed"), ("failure", 202, "GateFailed"), ("timed_out", 202, "GateFailed"),
                                          ("cancelled", 202, "GateFailed"), ("action_required", 202, "GateFailed"), ("neutral", 202, None),
                                          ("skipped", 202, None), ("stale", 202, None)):
            answer = self.send(check_run(conclusion))
            self.assertEqual((answer.status, answer.json["status"], answer.json.get("event_type")),
                             (status, "accepted" if shown else "ignored", shown), conclusion)
        self.refused_as(self.send(check_run("martian")), 400, "unknown_conclusion")
        self.assertEqual(len(self.feed()), 5)

    def test_what_is_no_completed_check(self):
        self.assertEqual(self.send(check_run(), event="ping").json, {"status": "pong"})
        for answer in (self.send(check_run(), event="push"), self.send(check_run(action="created"))):
            self.assertEqual((answer.status, answer.json), (202, {"status": "ignored"}))
        self.assertEqual(self.feed(), [])

    def test_the_order_of_refusals(self):
        big = b" " * (1 << 20) + b"{}"
        self.refused_as(self.send(big, gate=uuid.uuid4()), 404, "not_found")
        self.refused_as(self.send(big, gate="nonsense"), 404, "not_found")
        self.refused_as(self.send(big, secret="wrong"), 413, "payload_too_large")
        self.refused_as(self.send(b"not json", secret="wrong", X_GitHub_Event=None), 403, "invalid_signature")
        for signature in (None, "", "sha256=", "sha256=00", "sha1=" + "0" * 40, "0" * 64):
            self.refused_as(self.send(check_run(), X_Hub_Signature_256=signature), 403, "invalid_signature")
        for header in ("X_GitHub_Event", "X_GitHub_Delivery"):
            self.refused_as(self.send(b"not json", **{header: None}), 400, "validation_error")
        for body in (b"not json", b"[]", b'{"a":"\xff"}', b""):
            self.refused_as(self.send(body), 400, "invalid_json")
        self.refused_as(self.send(check_run("martian", repository="acme/other"), event="ping"), 400, "repository_mismatch")
        self.assertEqual(self.feed(), [])

    def test_a_refusal_does_not_use_up_the_delivery(self):
        delivery = str(uuid.uuid4())
        for body in (check_run(repository="x/y"), check_run("martian"), {**check_run(), "check_run": None}):
            self.assertEqual(self.send(body, delivery=delivery).status, 400)
        self.assertEqual(self.send(check_run(), delivery=delivery).status, 202)
        # What was answered before is not read again.
        self.assertEqual(self.send(check_run("martian"), delivery=delivery).json, {"status": "duplicate"})

    def test_deliveries_at_once_are_taken_once(self):
        delivery = str(uuid.uuid4())
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: self.send(check_run(), delivery=delivery).status, range(8)))
        self.assertEqual(sorted(answers), [200] * 7 + [202])
        self.assertEqual(len(self.feed()), 1)

    def test_a_suspended_team_takes_nothing_and_only_the_sender_hears_why(self):
        self.call("POST", f"/ops/tenants/{self.tenant}/suspend")
        delivery = str(uuid.uuid4())
        self.refused_as(self.send(check_run(), secret="wrong", delivery=delivery), 403, "invalid_signature")
        self.refused_as(self.send(check_run(), delivery=delivery), 403, "tenant_suspended")
        self.call("POST", f"/ops/tenants/{self.tenant}/resume")
        self.assertEqual(self.send(check_run(), delivery=delivery).status, 202)

    def test_a_gate_takes_three_hundred_a_minute(self):
        statuses = [self.send(check_run("neutral")).status for _ in range(301)]
        self.assertEqual((statuses[:300], statuses[300]), ([202] * 300, 429))
        limited = self.send(check_run())
        self.refused_as(limited, 429, "rate_limited")
        self.assertEqual(limited.headers["Retry-After"], str(limited.json["retry_after"]))
        other = self.made(CONNECTORS, {"project_id": self.project["id"], "repo_full_name": "acme/app", "webhook_secret": "hush"})
        self.assertEqual(self.send(check_run(), secret="hush", gate=other["id"]).status, 202)

    def test_the_flag_changes_not_a_byte(self):
        def answers():
            seen = []
            for arguments in ({}, {"conclusion": "failure"}, {"conclusion": "neutral"}, {"conclusion": "martian"}, {"repository": "x/y"}):
                seen.append(self.send(check_run(**arguments)))
            seen += [self.send(check_run(), event="ping"), self.send(check_run(), secret="wrong"), self.send(b"no"),
                     # Refused before its body is read: whether the connection stays then depends on the network, unless nobody wants it to.
                     self.send(b"{}", gate=uuid.uuid4(), Connection="close")]
            seen += [self.call("GET", CONNECTORS), self.call("GET", CONNECTORS + self.gate["id"]),
                     self.call("POST", CONNECTORS, {"project_id": "x"}), self.call("DELETE", CONNECTORS + str(uuid.uuid4()))]
            plain = []
            for a in seen:
                text = a.text
                for name in ("trace_id", "event_id"):
                    if a.json and name in a.json:
                        text = text.replace(a.json[name], "…")
                plain.append((a.status, text, {k.lower(): v for k, v in a.headers.items() if k.lower() not in ("x-trace-id", "date", "content-length")}))
            return plain
        by_flag = []
        for enabled in (True, False):
            self.assertEqual(self.call("PUT", FLAG, {"enabled": enabled}).status, 200)
            by_flag.append(answers())
        self.assertEqual(*by_flag)
        self.assertEqual(len(self.feed()), 4)


if __name__ == "__main__":
    harness.main()
