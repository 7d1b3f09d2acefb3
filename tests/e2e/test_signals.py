"""Signals as they are listed: order, filters, and cursors that belong to their question."""

import base64

import harness
import signers
from harness import KEY, Suite

TIMES = [f"2025-03-0{day}T00:00:00Z" for day in (1, 2, 3, 3, 3, 4, 5)]


class Signals(Suite):
    def setUp(self):
        super().setUp()
        self.row = self.connect("example")
        for number, at in enumerate(TIMES):
            self.add(number, at)

    def add(self, number, at, action="created"):
        body = signers.to_bytes(signers.example_event(number, action, at))
        self.deliver("example", body, signers.example(body))

    def test_newest_first_and_ties_by_id(self):
        rows = self.signals()
        self.assertEqual(rows, sorted(rows, key=lambda r: (r["occurred_at"], r["id"]), reverse=True))
        self.assertEqual(len(rows), len(TIMES))
        self.assertEqual(set(rows[0]), {"id", "provider_slug", "connection_id", "kind", "occurred_at", "received_at"})

    def test_every_page_size_gives_the_same_rows(self):
        whole = self.signals(limit=100)
        for limit in (1, 2, 3, 7):
            self.assertEqual(self.signals(limit=limit), whole)
        self.assertIsNone(self.get("/signals", query={"limit": 7})["next_cursor"])

    def test_rows_that_arrive_during_a_walk_neither_repeat_nor_hide_others(self):
        before = {row["id"] for row in self.signals()}
        page = self.get("/signals", query={"limit": 3})
        seen = [row["id"] for row in page["signals"]]
        self.add(100, "2025-03-06T00:00:00Z")
        self.add(101, "2025-03-03T00:00:00Z")
        while page["next_cursor"]:
            page = self.get("/signals", query={"limit": 3, "cursor": page["next_cursor"]})
            seen += [row["id"] for row in page["signals"]]
        self.assertEqual(len(seen), len(set(seen)))
        self.assertLessEqual(before, set(seen))

    def test_time_bounds_include_their_ends_and_take_any_offset(self):
        self.assertEqual(len(self.signals(occurred_after=TIMES[2], occurred_before=TIMES[2])), 3)
        self.assertEqual(len(self.signals(occurred_after="2025-03-03T02:00:00+02:00")), 5)
        answer = self.get("/signals?occurred_after=2025-03-03T02:00:00+02:00")  # the plus sign arrives as a space
        self.assertEqual(len(answer["signals"]), 5)

    def test_filters_combine(self):
        self.add(50, "2025-03-02T00:00:00Z", "updated")
        self.assertEqual(len(self.signals(kind="issue_updated", provider="example", connection_id=self.row["id"])), 1)
        self.assertEqual(self.signals(kind="issue_updated", occurred_after=TIMES[-1]), [])
        self.assertEqual(self.signals(provider="github"), [])

    def test_the_payload_comes_on_request(self):
        rows = self.signals(include_payload="true")
        self.assertTrue(all(row["payload"]["raw"] for row in rows))
        self.assertTrue(all(row["payload"] == self.get("/signals/" + row["id"])["payload"] for row in rows[:2]))

    def test_a_cursor_survives_a_restart(self):
        page = self.get("/signals", query={"limit": 3})
        self.service.restart()
        rest = self.get("/signals", query={"limit": 100, "cursor": page["next_cursor"]})["signals"]
        self.assertEqual(page["signals"] + rest, self.signals())

    def test_a_cursor_answers_only_its_own_question(self):
        cursor = self.get("/signals", query={"limit": 2, "kind": "issue_created"})["next_cursor"]
        refused = lambda path="/signals", tenant=None, **query: self.refused(
            self.call("GET", path, tenant=tenant or self.tenant, query=query), 400, "VALIDATION_FAILED", cursor=...)
        self.get("/signals", query={"kind": "issue_created", "cursor": cursor, "include_payload": "true", "limit": 5})
        refused(cursor=cursor)
        refused(cursor=cursor, kind="issue_updated")
        refused(cursor=cursor, kind="issue_created", provider="example")
        refused("/deliveries", cursor=cursor)
        refused(cursor=cursor, kind="issue_created", tenant=self.new_tenant())

    def test_a_cursor_that_was_not_given_out_is_refused(self):
        cursor = self.get("/signals", query={"limit": 2})["next_cursor"]
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        encode = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode()
        self.assertEqual((raw[0], encode(raw)), (1, cursor))
        flipped = [raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1:] for at in (0, 1, len(raw) // 2, len(raw) - 17, len(raw) - 1)]
        for bad in ["", "x", cursor[:-1], cursor[:-4], cursor + "A", cursor + "=", "A" * 1001, "å", "a b", cursor[:-2] + "+/",
                    *map(encode, flipped), encode(b"\x01" + b"\x00" * 16), encode(raw[:-16])]:
            with self.subTest(bad[:40]):
                self.refused(self.call("GET", "/signals", query={"cursor": bad}), 400, "VALIDATION_FAILED", cursor=...)


class Keys(Suite):
    def test_a_cursor_lives_as_long_as_its_key_is_in_the_ring(self):
        self.connect("example")
        for number in range(3):
            body = signers.to_bytes(signers.example_event(number))
            self.deliver("example", body, signers.example(body))
        cursor = self.get("/signals", query={"limit": 1})["next_cursor"]
        new = base64.b64encode(bytes(range(90, 122))).decode()
        self.service.restart(CRYPTO_KEY=None, CRYPTO_KEYS=f"k2:{new},k1:{KEY}")
        self.get("/signals", query={"cursor": cursor})


if __name__ == "__main__":
    harness.main()
