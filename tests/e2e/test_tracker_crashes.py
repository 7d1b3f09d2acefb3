"""A process that dies around a snapshot's commit leaves all of the snapshot, or none of it."""

import http.client
import random
import threading
import time

import harness
from snapshots import T, TrackerSuite, issue, mapping, snapshot

LOST = (OSError, http.client.HTTPException)


class Crashes(TrackerSuite):
    def lost(self, body, **options):
        try:
            return self.send(body, **options)
        except LOST:
            return None

    def ends(self):
        self.assertEqual(self.service.process.wait(10), -9)

    def whole(self, receipts):
        """Whatever is there of a snapshot is there with all that it brings."""
        binding, = self.items("bindings")
        self.assertEqual(binding["sequence"], receipts)
        self.assertEqual(len(self.items("snapshots")), receipts)
        self.assertEqual(len(self.items(f"{T}/bindings/{binding['id']}/sync-runs/")), receipts)
        self.assertEqual(len(self.feed("tracker_snapshot_ingested")), receipts)

    def test_before_and_after_the_commit(self):
        p = self.project()
        self.taken(snapshot(p, [issue("a")]))
        body = snapshot(p, [issue("a", "done"), issue("b")], [mapping("WP01", "b")])
        self.service.restart(TEST_ABORT_AT="tracker.snapshot.before_commit")
        self.assertIsNone(self.lost(body))
        self.ends()
        self.service.restart(TEST_ABORT_AT=None)
        self.whole(1)
        self.assertEqual([i["status"] for i in self.items("issues")], ["todo"])
        self.service.restart(TEST_ABORT_AT="tracker.snapshot.after_commit")
        self.assertIsNone(self.lost(body))
        self.ends()
        self.service.restart(TEST_ABORT_AT=None)
        self.whole(2)
        again = self.send(body)
        self.assertEqual((again.status, again.headers["Idempotency-Replayed"]), (200, "true"), again)
        self.whole(2)

    def test_at_any_moment(self):
        p = self.project()
        self.taken(snapshot(p, [issue("a")]))
        chance = random.Random(20)
        known = 1
        for round_ in range(6):
            body = snapshot(p, [issue(f"a-{n}", title=f"{round_}") for n in range(400)], [mapping(f"WP{n}", f"a-{n}") for n in range(400)], cursor=str(round_))
            sender = threading.Thread(target=self.lost, args=(body,))
            sender.start()
            time.sleep(chance.uniform(0, 0.12))
            self.service.kill()
            sender.join()
            self.service.start()
            stored = len(self.items("snapshots"))
            self.assertIn(stored, (known, known + 1))
            self.whole(stored)
            self.assertIn(self.send(body).status, (200,) if stored > known else (201,))
            known += 1
            self.whole(known)
            self.assertEqual({i["title"] for i in self.items("issues") if i["presence"] == "present"}, {str(round_)})


if __name__ == "__main__":
    harness.main()
