#!/usr/bin/env python3
"""Kills the service at random moments under load and counts what became of everything that it acknowledged.

Usage: kill_campaign.py [--kills N] [--seed N] [--ledger FILE]
Each kill has a tenant of its own. Clients write to an fsynced ledger outside the service's folder what they are
about to send and what was acknowledged. On SQLite every kill is a power loss as well (tests/support/unsynced.c),
and at the end a control run with a disk that lies must be seen to lose.
"""

import argparse
import hashlib
import http.client
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import harness
import signers
from harness import Answer, Service, promised

CLIENTS = 6
SUPPORT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support")


class PowerLoss:
    """Keeps what a power loss would leave of the embedded store, and puts it in place."""

    def __init__(self, folder):
        self.library, self.copies = os.path.join(folder, "unsynced.so"), os.path.join(folder, "copies")
        os.mkdir(self.copies)
        source = os.path.join(SUPPORT, "unsynced.c")
        subprocess.run([os.environ.get("CC", "clang-16"), "-shared", "-fPIC", "-O1", "-Wall", "-o", self.library, source, "-ldl"], check=True)

    def attach(self, service):
        self.files = os.path.dirname(service.database.path)
        self.name = os.path.basename(service.database.path)
        service.env.update(LD_PRELOAD=self.library, UNSYNCED_FILES=self.files, UNSYNCED_COPIES=self.copies)

    def lie(self):
        open(os.path.join(self.copies, "lie"), "w").close()

    def strike(self):
        if not os.path.exists(os.path.join(self.copies, self.name)):
            raise AssertionError("no sync of the store was seen: the library was not loaded")
        for name in os.listdir(self.files):
            if name.startswith(self.name):
                os.unlink(os.path.join(self.files, name))
        for name in os.listdir(self.copies):
            if name.startswith(self.name) and not name.endswith(".part"):
                shutil.copyfile(os.path.join(self.copies, name), os.path.join(self.files, name))


class Ledger:
    def __init__(self, path):
        self.file, self.lock = open(path, "a", encoding="utf-8"), threading.Lock()
        self.sent, self.acknowledged = {}, {}

    def write(self, **line):
        with self.lock:
            self.file.write(json.dumps(line) + "\n")

    def intend(self, tenant, number, body):
        self.sent.setdefault(tenant, {})[number] = hashlib.sha256(body).hexdigest()
        self.write(sent=number, tenant=tenant)

    def acknowledge(self, tenant, number, answer):
        """The first acknowledgement stands; a later one that differs is a duplicate."""
        self.write(acknowledged=number, tenant=tenant, delivery=answer["delivery_id"], receipt=answer["receipt_id"])
        with self.lock:
            self.file.flush()
            os.fsync(self.file.fileno())
        told = self.acknowledged.setdefault(tenant, {})
        first = told.setdefault(number, (answer["delivery_id"], answer["receipt_id"]))
        return first == (answer["delivery_id"], answer["receipt_id"])


class Round:
    """One tenant's load until the kill, and what is found of it afterwards."""

    def __init__(self, service, ledger, rng):
        self.service, self.ledger, self.rng = service, ledger, rng
        self.tenant = service.call("POST", "/api/v1/tenants", {"name": "kill"}).json["data"]["id"]
        made = service.call("POST", "/connections", {"provider": "example", "external_id": "kill"}, tenant=self.tenant)
        assert made.status == 201, made
        self.next, self.lock, self.ending, self.changed = 0, threading.Lock(), threading.Event(), 0

    @staticmethod
    def body(number):
        return signers.to_bytes(signers.example_event(number, note="x" * (number * 37 % 4000)))

    def post(self, link, number):
        body = self.body(number)
        target = f"/webhooks/example/{self.tenant}"
        link.request("POST", target, body, signers.example(body, delivery=f"d-{number}"))
        answer = link.getresponse()
        text = answer.read()
        promised("POST", target, Answer(answer.status, answer.headers, text))
        if answer.status == 202 and not self.ledger.acknowledge(self.tenant, number, json.loads(text)):
            self.changed += 1
        return answer.status

    def client(self, seed):
        rng, link = random.Random(seed), http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=10)
        while not self.ending.is_set():
            if self.next and rng.random() < 0.1:  # an impatient provider sends one again
                number = rng.randrange(self.next)
            else:
                with self.lock:
                    number = self.next
                    self.ledger.intend(self.tenant, number, self.body(number))
                    self.next += 1
            try:
                self.post(link, number)
            except (OSError, http.client.HTTPException):
                return
        link.close()

    def load(self, seconds):
        threads = [threading.Thread(target=self.client, args=(self.rng.random(),)) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        time.sleep(seconds)  # the moment of the kill is what is being drawn
        self.service.kill()
        self.ending.set()
        for thread in threads:
            thread.join()

    def retry(self):
        """What was not acknowledged is sent again, as a provider would."""
        link = http.client.HTTPConnection("127.0.0.1", self.service.port, timeout=10)
        for number in self.ledger.sent.get(self.tenant, {}):
            if number not in self.ledger.acknowledged.get(self.tenant, {}):
                assert self.post(link, number) == 202
        link.close()

    def verify(self):
        sent, told = self.ledger.sent.get(self.tenant, {}), self.ledger.acknowledged.get(self.tenant, {})
        found = {"lost": 0, "duplicated": self.changed, "phantom": 0, "torn": 0}
        deliveries = {}
        for row in self.service.pages("/deliveries", "deliveries", tenant=self.tenant, limit=100):
            deliveries.setdefault(row["provider_delivery_id"], []).append(row)
        signals = {}
        for row in self.service.pages("/signals", "signals", tenant=self.tenant, limit=100, include_payload="true"):
            signals.setdefault(row["payload"]["raw"]["id"], []).append(row["id"])
        for number, digest in sent.items():
            rows, made = deliveries.pop(f"d-{number}", []), signals.pop(f"item-{number}", [])
            found["duplicated"] += max(0, len(rows) - 1) + max(0, len(made) - 1)
            if number in told and (not rows or rows[0]["id"] != told[number][0] or rows[0]["receipt_id"] != told[number][1]):
                found["lost"] += 1
            elif rows and (rows[0]["body_sha256"] != digest or rows[0]["status"] != "processed" or not made):
                found["torn"] += 1
            elif made and not rows:
                found["torn"] += 1
        found["phantom"] = len(deliveries) + len(signals)
        return found

    def sample_receipts(self):
        """Receipts of some acknowledged deliveries name exactly the signal that is stored."""
        told = list(self.ledger.acknowledged.get(self.tenant, {}).values())
        torn = 0
        for delivery, receipt in self.rng.sample(told, min(10, len(told))):
            row = self.service.call("GET", "/deliveries/" + delivery, tenant=self.tenant).json
            if "receipt" not in row:
                continue  # counted as lost
            made = row["receipt"]["signal_ids"]
            signal = self.service.call("GET", "/signals/" + made[0], tenant=self.tenant) if len(made) == 1 else None
            torn += not (signal and signal.status == 200 and signal.json["delivery_id"] == delivery and row["receipt_id"] == receipt)
        return torn


def add(total, found):
    for name, count in found.items():
        total[name] = total.get(name, 0) + count


def control(service, ledger, rng, power):
    """The same verification, on a disk that says that it has synced and has not."""
    round_ = Round(service, ledger, rng)
    power.lie()
    round_.load(0.7)
    power.strike()
    service.start()
    found = round_.verify()
    told = len(ledger.acknowledged.get(round_.tenant, {}))
    print(f"control run on a lying disk: acknowledged {told}, lost {found['lost']}")
    return told > 0 and found["lost"] > 0


def main():
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--kills", type=int, default=20)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**31))
    options.add_argument("--ledger")
    options = options.parse_args()
    if os.environ.get("CONNECTORD_E2E_DATABASE") == "postgresql" and "CONNECTORD_TEST_POSTGRESQL" not in os.environ:
        print("skipped: no PostgreSQL; tests/support/with_postgres starts one")
        sys.exit(harness.SKIPPED)

    rng, folder = random.Random(options.seed), tempfile.mkdtemp(prefix="ledger-")
    ledger = Ledger(options.ledger or os.path.join(folder, "ledger"))
    service = Service(LOG_LEVEL="info")
    power = PowerLoss(folder) if service.database.kind == "sqlite" else None
    total, rounds, slowest, good = {}, [], 0.0, False
    try:
        if power:
            power.attach(service)
        service.start()
        for _ in range(options.kills):
            round_ = Round(service, ledger, rng)
            rounds.append(round_)
            round_.load(rng.uniform(0.05, 1.5))
            if power:
                power.strike()
            started = time.monotonic()
            service.start()
            slowest = max(slowest, time.monotonic() - started)
            add(total, round_.verify())
            round_.retry()
            add(total, {"torn": round_.sample_receipts()})
        again = {}
        for round_ in rounds:  # what one kill spared, no later one may take
            add(again, round_.verify())
        sent, told = (sum(map(len, book.values())) for book in (ledger.sent, ledger.acknowledged))
        print(f"seed {options.seed}, {service.database.kind}: {options.kills} kills, {sent} sent, {told} acknowledged, "
              f"slowest start {slowest:.2f} s")
        print("after each kill:", ", ".join(f"{k} {v}" for k, v in total.items()))
        print("at the end:     ", ", ".join(f"{k} {v}" for k, v in again.items()))
        good = told > 0 and not any(total.values()) and not any(again.values())
        if power:
            good = control(service, ledger, rng, power) and good
    finally:
        service.close()
        shutil.rmtree(folder, ignore_errors=True)
    print("passed" if good else "FAILED")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
