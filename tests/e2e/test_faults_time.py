"""Clocks that jump and processes that stand still: nothing is exchanged, told or run twice for it."""

import glob
import os
import signal
import tempfile
import time

import harness
import signers
from harness import SECRETS, Service, eventually
from zoo import Zoo, ZooSuite

FAST = {"RATE_LIMIT_BASE_SECONDS": "1", "RATE_LIMIT_MAX_SECONDS": "1", "RATE_LIMIT_JITTER_FACTOR": "0",
        "SYNC_LEASE_SECONDS": "3", "HTTP_CLIENT_TIMEOUT_SECONDS": "5"}
DAY = 86400


class Clock(ZooSuite):
    """T-1: the wall clock of the process alone; its steady clock goes on as it did."""

    settings = {**FAST, "TOKEN_REFRESH_JITTER_FACTOR": "0"}

    @classmethod
    def setUpClass(cls):
        libraries = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        if not libraries:
            raise AssertionError("tools/setup test installs faketime, which this needs")
        cls.offsets = tempfile.NamedTemporaryFile("w", prefix="faketime-")
        cls.addClassCleanup(cls.offsets.close)
        cls.set_clock(0)
        cls.zoo = Zoo()
        cls.addClassCleanup(cls.zoo.close)
        preload = {"LD_PRELOAD": libraries[0], "FAKETIME_TIMESTAMP_FILE": cls.offsets.name, "FAKETIME_NO_CACHE": "1",
                   "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_RESET": "1"}
        cls.service = Service(preload=preload, **{**cls.zoo.settings(), **cls.settings})
        cls.addClassCleanup(cls.service.close)
        cls.service.start()

    @classmethod
    def set_clock(cls, seconds):
        with open(cls.offsets.name + ".next", "w", encoding="ascii") as file:
            file.write(f"{seconds:+d}\n")
        os.replace(file.name, cls.offsets.name)

    def slack(self, at):
        body = signers.to_bytes({"type": "event_callback", "event_id": f"Ev{at}", "team_id": "T1", "event": {"type": "message"}})
        return self.service.call("POST", f"/webhooks/slack/{self.tenant}", body, token=None, headers=signers.slack(body, at=at))

    def test_a_clock_that_jumps_costs_one_exchange_and_no_answer(self):
        self.addCleanup(self.set_clock, 0)
        self.tell("items", "gitlab", count=3)
        row = self.consent("gitlab")
        eventually(lambda: len(self.signals()) == 3, what="the signals of the first run")
        for shift in (400, -400, 7 * DAY, -7 * DAY, 0):
            with self.subTest(shift=shift):
                before = len(self.zoo.requests("gitlab", "refresh", self.person))
                self.set_clock(shift)
                now = time.time() + shift
                self.assertEqual(self.slack(now).status, 202)
                self.refused(self.slack(now + 310), 401, "INVALID_SIGNATURE", reason="timestamp_out_of_window")
                self.refused(self.slack(now - 310), 401, "INVALID_SIGNATURE", reason="timestamp_out_of_window")
                self.tell("change", "gitlab")
                known = len(self.signals())
                begun = time.monotonic()
                self.sync("gitlab")
                eventually(lambda: len(self.signals()) == known + 1, 20, "the change")
                self.assertLess(time.monotonic() - begun, 20)
                self.assertEqual(self.connection(row)["status"], "active")
                # A token that seems to have ended is exchanged once, and not once for everyone who looks at it.
                self.assertLessEqual(len(self.zoo.requests("gitlab", "refresh", self.person)) - before, 1)
        self.assertEqual(self.zoo.reuse_detected("gitlab"), 0)


class Standstill(ZooSuite):
    """T-4: a process stands still for longer than its leases."""

    settings = FAST

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.other = None
        if cls.service.database.kind == "postgresql":
            cls.other = Service(**{**cls.zoo.settings(), **cls.settings})
            cls.addClassCleanup(cls.other.close)
            cls.other.env["POBLYSH_DATABASE_URL"] = cls.service.database.url
            cls.other.start()

    def jobs(self):
        service = self.other or self.service
        return service.pages("/jobs", "jobs", tenant=self.tenant)

    def test_a_run_that_stood_still_beyond_its_lease_tells_nothing_twice(self):
        self.zoo.tell("settings", provider="gitlab", page_size=10)
        self.tell("items", "gitlab", count=200)
        self.tell("faults", "gitlab", operation="page", delay=0.15, times=0)
        self.consent("gitlab")
        eventually(lambda: len(self.zoo.requests("gitlab", "page", self.person)) > 4, what="some pages")
        self.service.process.send_signal(signal.SIGSTOP)
        try:
            if self.other:
                before = len(self.zoo.requests("gitlab", "page", self.person))
                eventually(lambda: len(self.zoo.requests("gitlab", "page", self.person)) > before + 3, 60, "the other process to take over")
            else:
                time.sleep(5)  # the lease ends meanwhile; nobody else is there to take the job
        finally:
            self.service.process.send_signal(signal.SIGCONT)
        eventually(lambda: all(job["status"] == "succeeded" for job in self.jobs()), 60, "the end of the jobs")
        told = [self.get("/signals/" + row["id"])["dedupe_key"] for row in self.signals(limit=100)]
        self.assertEqual((len(told), len(set(told))), (200, 200))
        # Who stood still is as good as before.
        self.tell("change", "gitlab")
        url = f"http://127.0.0.1:{self.service.port}/webhooks/gitlab/{self.tenant}"
        self.tell("webhooks", "gitlab", url=url, secret=SECRETS["gitlab"])
        self.sync("gitlab")
        eventually(lambda: len(self.signals()) == 201, what="the change")


if __name__ == "__main__":
    harness.main()
