"""Webhooks as bad networks and impatient providers send them: all at once, in any order, while their secret changes."""

import collections
import concurrent.futures
import random
import threading

import harness
import signers
from harness import Suite, eventually

SEED = 20261128


class Copies(Suite):
    def post(self, body, headers):
        return self.service.call("POST", f"/webhooks/example/{self.tenant}", body, token=None, headers=headers, timeout=60)

    def test_hundreds_of_copies_at_once_are_one_delivery(self):
        """I-8."""
        self.connect("example")
        body = signers.to_bytes(signers.example_event())
        headers, start = signers.example(body, delivery="the-same"), threading.Barrier(32)

        def copies(_):
            start.wait(30)
            return [self.post(body, headers) for _ in range(10)]

        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            answers = [answer for some in pool.map(copies, range(32)) for answer in some]
        self.assertEqual({answer.status for answer in answers}, {202})
        self.assertEqual(len({answer.json["receipt_id"] for answer in answers}), 1)
        self.assertEqual([answer.json["deduplicated"] for answer in answers].count(False), 1)
        self.assertEqual((len(self.deliveries()), len(self.signals())), (1, 1))

    def test_changes_in_any_order_are_the_same_signals(self):
        """I-10."""
        self.connect("example")
        dice, told = random.Random(SEED), []
        changes = [(f"2025-03-04T05:0{minute}:00Z", action) for minute, action in
                   enumerate(("created", "updated", "closed", "reopened", "updated", "closed"))]
        for number in range(1, 21):
            for updated, action in dice.sample(changes, len(changes)):
                body = signers.to_bytes(signers.example_event(number, action, updated))
                self.assertEqual(self.post(body, signers.example(body)).status, 202)
        for row in self.signals(limit=100):
            detail = self.get("/signals/" + row["id"])
            told.append((detail["dedupe_key"], detail["kind"], detail["occurred_at"]))
        self.assertEqual(len(set(told)), len(told))
        histories = collections.defaultdict(set)
        for key, kind, at in told:
            histories[key.split(":")[2]].add((kind, at))
        self.assertEqual(len(histories), 20)
        self.assertEqual({len(one) for one in histories.values()}, {6})
        self.assertEqual(len({frozenset(one) for one in histories.values()}), 1)

    def test_a_secret_that_is_rotated_under_traffic_refuses_nobody(self):
        """I-13: each sender signs with the newest secret that it has heard of, or with the one before."""
        row = self.connect("example")
        rotate = lambda: self.call("POST", f"/connections/{row['id']}/webhook-secret").json["webhook_secret"]
        secrets, lock, ending = [rotate(), rotate()], threading.Lock(), threading.Event()
        rounds, answers = collections.Counter(), collections.Counter()

        def sender(number):
            dice = random.Random(SEED + number)
            while not ending.is_set():
                with lock:
                    secret = dice.choice(secrets[-2:])
                body = signers.to_bytes(signers.example_event(number * 100_000 + rounds[number]))
                answers[self.post(body, signers.example(body, secret)).status] += 1
                rounds[number] += 1

        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            senders = [pool.submit(sender, number) for number in range(6)]
            try:
                for _ in range(10):
                    with lock:  # what is signed from now on knows the new one
                        secrets.append(secrets[-1])
                    seen = dict(rounds)
                    eventually(lambda: all(rounds[n] >= seen.get(n, 0) + 2 for n in range(6)), 60, "a round of every sender")
                    fresh = rotate()
                    with lock:
                        secrets.append(fresh)
            finally:
                ending.set()
            for one in senders:
                one.result()
        self.assertEqual(set(answers), {202})
        self.assertEqual(len(self.signals(limit=100)), answers[202])
        print(f"I-13: {answers[202]} deliveries over ten rotations, none refused")


class Burst(Suite):
    settings = {"WEBHOOK_RATE_LIMIT_PER_MINUTE": "200", "WEBHOOK_RATE_LIMIT_BURST_SIZE": "200"}

    def test_what_a_burst_was_promised_is_stored_and_the_rest_is_told_when(self):
        """I-14."""
        self.connect("example")

        def send(number):
            body = signers.to_bytes(signers.example_event(number))
            return self.service.call("POST", f"/webhooks/example/{self.tenant}", body, token=None, timeout=60,
                                     headers=signers.example(body, delivery=f"d-{number}"))

        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            answers = list(pool.map(send, range(600)))
        by_status = collections.Counter(answer.status for answer in answers)
        self.assertEqual(set(by_status), {202, 429})
        self.assertGreaterEqual(by_status[202], 200)
        for answer in answers:
            if answer.status == 429:
                self.assertGreaterEqual(int(answer.headers["Retry-After"]), 1)
        promised = {answer.json["delivery_id"] for answer in answers if answer.status == 202}
        self.assertEqual({row["id"] for row in self.deliveries(limit=100)}, promised)
        self.assertEqual(len(self.signals(limit=100)), len(promised))
        print(f"I-14: 600 sent, {by_status[202]} accepted and stored, {by_status[429]} told to come later")


if __name__ == "__main__":
    harness.main()
