"""Grounded signals: what the engine makes of signals, what people do with it, and who is told."""

import base64
import hashlib
import hmac
import http.server
import json
import threading
import time
import uuid

import harness
import signers
from harness import Suite, eventually

TOKEN = "notification-canary-5e1f7a"
ALARM = "Critical security outage of the checkout platform"


def stamp(ago=0):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - ago))


class Receiver(http.server.ThreadingHTTPServer):
    """A tenant's URL: keeps what comes, and answers with the next of the statuses given, then 204."""

    daemon_threads = True

    def __init__(self, *statuses):
        self.received, self.statuses = [], list(statuses)
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.statuses.pop(0) if receiver.statuses else 204
                receiver.received.append((time.monotonic(), dict(self.headers), body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/signals?key=url-canary-91b2"

    def close(self):
        self.shutdown()
        self.server_close()


class GroundedSuite(Suite):
    def setUp(self):
        super().setUp()
        self.connect("github")

    def configure(self, status=200, **members):
        answer = self.call("PUT", "/signal-config", members)
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def post(self, title, number=1, ago=0):
        event = signers.issue(number, "opened", stamp(ago))
        event["issue"]["title"] = title
        body = signers.to_bytes(event)
        self.deliver("github", body, signers.github(body))

    def listing(self, **query):
        return self.get("/grounded-signals", query={"tenant_id": self.tenant, **query})

    def grounded(self, count=1):
        return eventually(lambda: rows if len(rows := self.listing()["data"]) == count else None, what="the rows")


class Engine(GroundedSuite):
    def test_a_strong_signal_is_grounded_within_five_seconds(self):
        self.configure(weak_signal_threshold=0.6)
        self.post("Lunch", 1)
        begun = time.monotonic()
        self.post(ALARM, 2)
        [row] = self.grounded()
        self.assertLess(time.monotonic() - begun, 5)
        strong = next(s for s in self.signals(include_payload="true") if s["payload"]["title"] == ALARM)
        self.assertEqual((row["signal_id"], row["tenant_id"], row["status"]), (strong["id"], self.tenant, "recommended"))
        self.assertEqual(set(row["scores"]), {"relevance", "novelty", "timeliness", "impact", "alignment", "credibility", "total"})
        self.assertEqual(row["scores"]["timeliness"], 1)
        self.assertEqual(row["scores"]["credibility"], 0.8)
        self.assertIn("outage", row["recommendation"])
        evidence = row["evidence"]
        self.assertEqual(evidence["source_signal"]["id"], strong["id"])
        self.assertEqual(evidence["keywords"], ["critical", "outage", "platform", "security"])
        self.assertEqual(evidence["sources"], ["github"])
        total = sum(part["score"] * part["weight"] for part in evidence["score_breakdown"].values())
        self.assertAlmostEqual(total, row["scores"]["total"], places=5)

    def test_one_thing_is_one_row_that_grows_until_it_is_actioned(self):
        self.configure(weak_signal_threshold=0)
        self.post(ALARM, 1)
        [row] = self.grounded()
        self.post(ALARM, 2)
        grown = eventually(lambda: r if (r := self.get("/grounded-signals/" + row["id"]))["evidence"]["cluster_size"] == 2
                           else None, what="growth")
        self.assertEqual(grown["signal_id"], row["signal_id"])
        self.assertEqual(len(grown["evidence"]["related_signals"]), 1)
        self.call("PATCH", "/grounded-signals/" + row["id"], {"status": "actioned"})
        self.post(ALARM, 3)
        self.post("Holiday calendar of the whole team", 4)  # behind it in the queue: when this one shows, that one is done
        rows = self.grounded(2)
        self.assertEqual(rows[1]["evidence"]["cluster_size"], 2)

    def test_old_signals_are_history(self):
        self.configure(weak_signal_threshold=0)
        self.post("Yesterday's " + ALARM, 1, ago=86400 + 60)
        self.post("Quite another thing", 2)
        [row] = self.grounded()
        self.assertEqual(len(self.signals()), 2)
        self.assertIn("Quite", next(s for s in self.signals(include_payload="true") if s["id"] == row["signal_id"])["payload"]["title"])

    def test_what_waited_is_scored_after_a_kill(self):
        self.configure(weak_signal_threshold=0)
        service = self.service
        self.post(ALARM, 1)
        service.kill()
        service.start()
        self.post(ALARM, 2)
        [row] = self.grounded()
        eventually(lambda: self.listing()["data"][0]["evidence"]["cluster_size"] == 2, what="both signals")

    def test_engine_and_notifier_are_in_the_tree(self):
        kinds = {row["kind"]: row for row in self.service.pages("/ops/actors", "actors", limit=100)}
        self.assertEqual(kinds["engine"]["parent"], "system")
        self.assertEqual(kinds["notifier"]["parent"], "system")


class Rows(GroundedSuite):
    def test_listing_by_offset_by_cursor_and_by_filter(self):
        self.configure(weak_signal_threshold=0)
        titles = ["Coffee machine broken", "Night shift roster", "Printer driver update", "Parking spaces marked", ALARM]
        for number, title in enumerate(titles):
            self.post(title, number)
        rows = self.grounded(5)
        self.assertEqual(rows, sorted(rows, key=lambda r: (r["created_at"], r["id"]), reverse=True))
        page = self.listing(limit=2, offset=2)
        self.assertEqual(page["data"], rows[2:4])
        self.assertEqual(page["pagination"], {"total": 5, "limit": 2, "offset": 2, "has_more": True})
        self.assertEqual(self.listing(limit=2, cursor=page["next_cursor"])["data"], rows[4:])
        self.assertEqual(self.service.pages("/grounded-signals", "data", tenant=self.tenant, tenant_id=self.tenant, limit=2), rows)
        best = max(rows, key=lambda r: r["scores"]["total"])
        found = self.listing(min_score=best["scores"]["total"], status="recommended")
        self.assertEqual((found["data"], found["pagination"]["total"], found["next_cursor"]), ([best], 1, None))
        self.assertEqual(self.listing(status="draft")["data"], [])
        refused = lambda **query: self.call("GET", "/grounded-signals", query={"tenant_id": self.tenant, **query})
        self.refused(refused(cursor=page["next_cursor"], offset=1), 400, "VALIDATION_FAILED", offset=...)
        self.refused(refused(cursor=page["next_cursor"], status="draft"), 400, "VALIDATION_FAILED", cursor=...)

    def test_parameters(self):
        for name, value in (("limit", 0), ("offset", -1), ("min_score", 1.01), ("min_score", "nan"), ("status", "new")):
            answer = self.call("GET", "/grounded-signals", query={"tenant_id": self.tenant, name: value})
            self.refused(answer, 400, "VALIDATION_FAILED", **{name: ...})
        self.refused(self.call("GET", "/grounded-signals"), 400, "VALIDATION_FAILED", tenant_id=...)
        self.refused(self.call("GET", "/grounded-signals", query={"tenant_id": "x"}), 400, "VALIDATION_FAILED", tenant_id=...)
        self.refused(self.call("GET", "/grounded-signals", query={"tenant_id": uuid.uuid4()}), 403, "TENANT_SCOPE_MISMATCH")

    def test_change_and_removal(self):
        self.configure(weak_signal_threshold=0)
        self.post(ALARM)
        [row] = self.grounded()
        path = "/grounded-signals/" + row["id"]
        changed = self.call("PATCH", path, {"status": "actioned", "recommendation": "done"}).json
        self.assertEqual((changed["status"], changed["recommendation"]), ("actioned", "done"))
        self.assertGreater(changed["updated_at"], row["updated_at"])
        self.assertEqual(self.call("PATCH", path, {"status": "draft"}).json["recommendation"], "done")
        self.assertIsNone(self.call("PATCH", path, {"status": "recommended", "recommendation": None}).json["recommendation"])
        for body, name in (({}, "status"), ({"status": "done"}, "status"),
                           ({"status": "draft", "recommendation": "x" * 4001}, "recommendation")):
            self.refused(self.call("PATCH", path, body), 400, "VALIDATION_FAILED", **{name: ...})
        stranger = self.new_tenant()
        for method, body in (("GET", None), ("PATCH", {"status": "draft"}), ("DELETE", None)):
            self.refused(self.call(method, path, body, tenant=stranger), 404, "NOT_FOUND")
        reader = self.token("signals:read")["secret"]
        self.refused(self.call("DELETE", path, token=reader), 403, "FORBIDDEN")
        self.assertEqual(self.call("DELETE", path).status, 204)
        self.refused(self.call("DELETE", path), 404, "NOT_FOUND")
        self.refused(self.call("GET", path), 404, "NOT_FOUND")

    def test_a_suspended_tenant_reads_and_does_not_change(self):
        self.service.call("POST", f"/ops/tenants/{self.tenant}/suspend")
        self.refused(self.call("PUT", "/signal-config", {}), 403, "TENANT_SUSPENDED")
        self.refused(self.call("DELETE", f"/grounded-signals/{uuid.uuid4()}"), 403, "TENANT_SUSPENDED")
        self.assertEqual(self.listing()["data"], [])
        self.assertEqual(self.get("/signal-config")["weak_signal_threshold"], 0.7)

    def test_an_unknown_tenant_has_defaults_and_is_made_by_a_change(self):
        unknown = str(uuid.uuid4())
        self.assertEqual(self.get("/signal-config", tenant=unknown)["updated_at"], None)
        self.assertEqual(self.get("/grounded-signals", tenant=unknown, query={"tenant_id": unknown})["pagination"]["total"], 0)
        self.get(f"/grounded-signals/{uuid.uuid4()}", 404, tenant=unknown)
        self.get("/api/v1/tenants/" + unknown, 404)
        self.assertEqual(self.call("PUT", "/signal-config", {"weak_signal_threshold": 0.5}, tenant=unknown).status, 200)
        self.get("/api/v1/tenants/" + unknown)

    def test_a_config_is_replaced_as_a_whole(self):
        weights = dict.fromkeys(("relevance", "novelty", "timeliness", "impact", "alignment", "credibility"), 0) | {"impact": 1}
        stored = self.configure(weak_signal_threshold=0.25, scoring_weights=weights, webhook_url="https://example.com/hook")
        self.assertEqual(self.get("/signal-config"), stored)
        self.assertEqual((stored["weak_signal_threshold"], stored["scoring_weights"]), (0.25, weights))
        stored = self.configure()
        self.assertEqual((stored["weak_signal_threshold"], stored["webhook_url"]), (0.7, None))
        self.assertAlmostEqual(sum(stored["scoring_weights"].values()), 1)
        five = {name: weight for name, weight in weights.items() if name != "novelty"}
        for body, name in (({"weak_signal_threshold": 1.1}, "weak_signal_threshold"), ({"scoring_weights": five}, "scoring_weights"),
                           ({"scoring_weights": weights | {"novelty": 0.1}}, "scoring_weights"),
                           ({"scoring_weights": weights | {"novelty": -1, "relevance": 1}}, "scoring_weights"),
                           ({"webhook_url": "http://example.com/"}, "webhook_url"),
                           ({"webhook_url": "http://127.evil.example/"}, "webhook_url"),
                           ({"webhook_url": "https://u:p@example.com/"}, "webhook_url"),
                           ({"webhook_url": "https://example.com/#x"}, "webhook_url"), ({"webhook_url": "/x"}, "webhook_url"),
                           ({"webhook_url": "https://example.com/" + "x" * 2048}, "webhook_url")):
            with self.subTest(body=str(body)[:60]):
                self.refused(self.call("PUT", "/signal-config", body), 400, "VALIDATION_FAILED", **{name: ...})


class Notifications(GroundedSuite):
    settings = {"SIGNAL_WEBHOOK_TOKEN": TOKEN}

    def receiver(self, *statuses):
        made = Receiver(*statuses)
        self.addCleanup(made.close)
        self.configure(weak_signal_threshold=0, webhook_url=made.url)
        return made

    def test_the_url_is_told_with_a_bearer_and_a_signature(self):
        receiver = self.receiver()
        self.post(ALARM)
        [row] = self.grounded()
        _, headers, body = eventually(lambda: receiver.received, what="the notification")[0]
        sent = json.loads(body)
        self.assertEqual(set(sent), {"grounded_signal_id", "signal_id", "tenant_id", "total_score", "scores", "status",
                                     "recommendation", "evidence_summary", "occurred_at", "created_at"})
        for name, member in (("grounded_signal_id", "id"), ("signal_id", "signal_id"), ("tenant_id", "tenant_id"),
                             ("scores", "scores"), ("status", "status"), ("created_at", "created_at")):
            self.assertEqual(sent[name], row[member])
        self.assertEqual(headers["authorization"], "Bearer " + TOKEN)
        self.assertEqual(headers["webhook-id"], row["id"])
        self.assertLess(abs(int(headers["webhook-timestamp"]) - time.time()), 30)
        content = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        proof = base64.b64encode(hmac.new(TOKEN.encode(), content, hashlib.sha256).digest()).decode()
        self.assertEqual(headers["webhook-signature"], "v1," + proof)

    def test_a_failure_is_tried_again_and_a_success_is_the_end(self):
        receiver = self.receiver(500, 503)
        self.post(ALARM)
        eventually(lambda: len(receiver.received) == 3, what="three attempts")
        times = [at for at, _, _ in receiver.received]
        self.assertGreater(times[1] - times[0], 0.9)
        self.assertGreater(times[2] - times[1], 1.9)
        self.assertEqual(len({body for _, _, body in receiver.received}), 1)
        eventually(lambda: self.service.database.query("SELECT COUNT(*) FROM grounded_signals WHERE notify_at IS NOT NULL") == ["0"],
                   what="the end")

    def test_logs_name_the_host_and_nothing_else(self):
        receiver = self.receiver(*[500] * 3)
        self.post(ALARM)
        eventually(lambda: [e for e in self.service.events() if e["event"] == "notification.failed"], what="the log line")
        self.assertEqual(len(receiver.received), 3)
        log = self.service.log()
        self.assertNotIn("url-canary-91b2", log)
        self.assertNotIn(TOKEN, log)


class EngineOff(GroundedSuite):
    settings = {"SIGNAL_ENGINE_ENABLED": "false"}

    def test_nothing_is_grounded_and_the_api_answers(self):
        self.configure(weak_signal_threshold=0)
        self.post(ALARM)
        kinds = {row["kind"] for row in self.service.pages("/ops/actors", "actors", limit=100)}
        self.assertFalse(kinds & {"engine", "notifier"})
        self.assertEqual(self.listing()["data"], [])


if __name__ == "__main__":
    harness.main()
