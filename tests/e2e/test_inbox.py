"""The inbox: what was acknowledged is there, once, whatever happened since."""

import base64
import concurrent.futures
import hashlib
import uuid

import harness
import signers
from harness import Suite

RECEIPT = {"receipt_id", "input_digest", "connection_id", "signal_ids", "accepted_at", "processed_at", "registry_version"}
DROPPED = ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-auth-token", "x-csrf-token", "x-xsrf-token",
           "x-hub-signature", "x-hub-signature-256", "x-slack-signature", "x-slack-request-timestamp", "x-webhook-secret",
           "x-gitlab-token", "webhook-signature", "linear-signature", "x-goog-channel-token", "x-example-signature"]


class Inbox(Suite):
    def send(self, body, delivery=None, tenant=None):
        body = body if isinstance(body, bytes) else signers.to_bytes(body)
        return self.deliver("example", body, signers.example(body, delivery=delivery), tenant=tenant)

    def detail(self, answer, tenant=None):
        return self.get("/deliveries/" + answer.json["delivery_id"], tenant=tenant or self.tenant)

    def test_a_delivery_and_its_signal_are_there_with_the_202(self):
        row = self.connect("example")
        body = signers.to_bytes(signers.example_event(7))
        accepted = self.send(body, "d-7")
        self.assertEqual((accepted.json["status"], accepted.json["deduplicated"]), ("accepted", False))
        found = self.detail(accepted)
        self.assertEqual((found["status"], found["connection_id"], found["provider_delivery_id"]), ("processed", row["id"], "d-7"))
        self.assertEqual((found["body_sha256"], found["body_bytes"]), (hashlib.sha256(body).hexdigest(), len(body)))
        self.assertEqual(set(found["receipt"]), RECEIPT)
        self.assertEqual(found["receipt"]["input_digest"], found["body_sha256"])
        self.assertEqual([s["id"] for s in self.signals()], found["receipt"]["signal_ids"])
        signal = self.get("/signals/" + found["receipt"]["signal_ids"][0])
        self.assertEqual((signal["delivery_id"], signal["connection_id"]), (found["id"], row["id"]))

    def test_twenty_copies_at_once_are_one(self):
        self.connect("example")
        body = signers.to_bytes(signers.example_event())
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda _: self.send(body, "same"), range(20)))
        self.assertEqual(len({(a.json["delivery_id"], a.json["receipt_id"]) for a in answers}), 1)
        self.assertEqual(sum(not a.json["deduplicated"] for a in answers), 1)
        self.assertEqual((len(self.deliveries()), len(self.signals())), (1, 1))
        self.assertEqual(self.detail(answers[0])["duplicates"], 19)

    def test_a_duplicate_is_told_the_first_receipt(self):
        self.connect("example")
        first = self.send(signers.example_event(), "same")
        self.service.restart()
        again = self.send(signers.example_event(), "same")
        self.assertEqual((again.json["deduplicated"], again.json["receipt_id"]), (True, first.json["receipt_id"]))
        self.assertEqual(again.headers["Idempotency-Replayed"], "true")
        self.assertIsNone(first.headers["Idempotency-Replayed"])

    def test_without_a_delivery_id_the_body_decides(self):
        self.connect("example")
        body = signers.to_bytes(signers.example_event())
        proof = {"X-Example-Signature": signers.example(body)["X-Example-Signature"]}
        answers = [self.deliver("example", body, proof) for _ in range(2)]
        self.assertEqual([a.json["deduplicated"] for a in answers], [False, True])

    def test_the_same_id_with_another_body_is_another_delivery(self):
        self.connect("example")
        one, two = self.send(signers.example_event(1), "same"), self.send(signers.example_event(2), "same")
        self.assertNotEqual(one.json["delivery_id"], two.json["delivery_id"])
        self.assertFalse(two.json["deduplicated"])
        self.assertTrue(self.send(signers.example_event(2), "same").json["deduplicated"])
        self.assertEqual((len(self.deliveries()), len(self.signals())), (2, 2))

    def test_two_deliveries_of_one_change_share_its_signal(self):
        self.connect("example")
        answers = [self.send(signers.example_event(1, note=n)) for n in range(2)]
        ids = [self.detail(a)["receipt"]["signal_ids"] for a in answers]
        self.assertEqual((len(ids[0]), ids[0]), (1, ids[1]))
        self.assertEqual(len(self.signals()), 1)

    def test_deduplication_does_not_cross_tenants(self):
        other = self.new_tenant()
        for tenant in (self.tenant, other):
            self.connect("example", tenant=tenant)
            self.assertFalse(self.send(signers.example_event(), "same", tenant).json["deduplicated"])
        self.assertEqual([len(self.signals(t)) for t in (self.tenant, other)], [1, 1])

    def test_what_matches_no_connection_is_kept_and_can_be_replayed(self):
        accepted = self.send(signers.example_event(account_id="acc"))
        self.assertEqual(self.detail(accepted)["status"], "unmatched")
        path = f"/deliveries/{accepted.json['delivery_id']}/replay"
        answer = self.call("POST", path)
        self.assertEqual((answer.status, answer.json["status"]), (202, "unmatched"))
        row = self.connect("example", "acc")
        answer = self.call("POST", path)
        self.assertEqual((answer.status, answer.json["receipt_id"]), (202, accepted.json["receipt_id"]))
        found = self.settled(accepted.json["delivery_id"])
        self.assertEqual((found["status"], found["connection_id"], found["receipt_id"]), ("processed", row["id"], accepted.json["receipt_id"]))
        self.assertEqual([s["id"] for s in self.signals()], found["receipt"]["signal_ids"])

    def test_a_replay_stores_no_signal_twice(self):
        self.connect("example")
        accepted = self.send(signers.example_event())
        before = self.signals()
        self.assertEqual(self.call("POST", f"/deliveries/{accepted.json['delivery_id']}/replay").status, 202)
        found = self.settled(accepted.json["delivery_id"])
        self.assertEqual(self.signals(), before)
        self.assertEqual(found["receipt"]["signal_ids"], [before[0]["id"]])

    def test_a_replay_can_name_the_connection(self):
        rows = [self.connect("example") for _ in range(2)]
        accepted = self.send(signers.example_event())
        self.assertEqual(self.detail(accepted)["status"], "unmatched")
        path = f"/deliveries/{accepted.json['delivery_id']}/replay"
        self.refused(self.call("POST", path, {"connection_id": str(uuid.uuid4())}), 404, "NOT_FOUND")
        self.assertEqual(self.call("POST", path, {"connection_id": rows[1]["id"]}).status, 202)
        self.assertEqual(self.settled(accepted.json["delivery_id"])["connection_id"], rows[1]["id"])

    def test_a_payload_identity_of_another_tenant_is_no_match(self):
        other = self.new_tenant()
        self.connect("example", "theirs", tenant=other)
        self.connect("example", "ours")
        self.assertEqual(self.detail(self.send(signers.example_event(account_id="theirs")))["status"], "unmatched")

    def test_the_connection_header_names_a_connection_of_this_tenant(self):
        rows = [self.connect("example") for _ in range(2)]
        body = signers.to_bytes(signers.example_event())
        send = lambda value, status=202: self.deliver("example", body, {**signers.example(body), "X-Connection-Id": value}, status=status)
        self.assertEqual(self.detail(send(rows[1]["id"]))["connection_id"], rows[1]["id"])
        self.refused(send("x", 400), 400, "VALIDATION_FAILED", **{"X-Connection-Id": ...})
        foreign = self.connect("example", tenant=self.new_tenant())
        self.refused(send(foreign["id"], 404), 404, "NOT_FOUND")
        self.refused(send(self.connect("github")["id"], 404), 404, "NOT_FOUND")

    def test_any_bytes_are_kept_as_they_came(self):
        self.connect("example")
        for body in (b"\x00\xff\xfe not json", b"", b"[1,2]", b'"text"', b'{"a":'):
            with self.subTest(body):
                found = self.detail(self.send(body))
                self.assertEqual(found["status"], "failed")
                self.assertTrue(found["error"])
                if found["payload"] is None:
                    self.assertEqual(base64.b64decode(found["body_base64"]), body)
        self.assertEqual(self.signals(), [])

    def test_an_event_without_a_mapping_is_ignored_and_counted(self):
        self.connect("example")
        self.assertEqual(self.detail(self.send(signers.example_event(action="sneezed")))["status"], "ignored")
        metrics = self.call("GET", "/metrics").text
        self.assertRegex(metrics, r'webhook_events_unmapped_total\{provider="example"\} [1-9]')

    def test_credentials_in_headers_are_not_stored(self):
        self.connect("example")
        body = signers.to_bytes(signers.example_event())
        headers = {name: "credential-canary" for name in DROPPED if name not in ("x-example-signature", "authorization")}
        found = self.detail(self.deliver("example", body, {**headers, **signers.example(body), "X-Kept": "yes"}))
        self.assertEqual(found["headers"]["x-kept"], "yes")
        self.assertFalse(set(found["headers"]) & set(DROPPED))
        self.assertNotIn(b"credential-canary", self.service.database.content())

    def test_the_list_filters_and_pages_newest_first(self):
        self.connect("example")
        ids = [self.send(signers.example_event(n)).json["delivery_id"] for n in range(5)]
        ignored = self.send(signers.example_event(action="sneezed")).json["delivery_id"]
        rows = self.deliveries(limit=2)
        self.assertEqual({row["id"] for row in rows}, {*ids, ignored})
        self.assertEqual(rows, sorted(rows, key=lambda row: (row["received_at"], row["id"]), reverse=True))
        self.assertEqual([row["id"] for row in self.deliveries(status="ignored")], [ignored])
        self.assertEqual(len(self.deliveries(provider="example")), 6)
        self.assertEqual(self.deliveries(provider="github"), [])
        edge = rows[2]["received_at"]
        self.assertIn(rows[2], self.deliveries(received_after=edge))
        self.assertIn(rows[2], self.deliveries(received_before=edge))


if __name__ == "__main__":
    harness.main()
