"""A store that crashes, hangs or goes away in the middle of a commit: nothing acknowledged is lost, nothing is there twice, and
the process says what it can and cannot do."""

import collections
import concurrent.futures
import json
import shutil
import tempfile
import threading
import time
import unittest

import harness
import signers
from faults import CuttingProxy, Load, NOTHING, OwnPostgres, held_for_writers
from harness import Service, Suite, eventually

SEED = 20261128


def send(service, tenant, number, timeout=30):
    body = signers.to_bytes(signers.example_event(number))
    return service.call("POST", f"/webhooks/example/{tenant}", body, token=None, headers=signers.example(body, delivery=f"d-{number}"),
                        timeout=timeout)


class Server(unittest.TestCase):
    """B-1, B-2 and B-4, on a server of their own."""

    def setUp(self):
        if harness.database("/nowhere").kind != "postgresql":
            self.skipTest("a file has no server")
        self.folder = tempfile.mkdtemp(prefix="connectord-faults-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.server = OwnPostgres()
        self.addCleanup(self.server.close)
        self.service = Service(LOG_LEVEL="info", DB_ACQUIRE_TIMEOUT_MS="2000")
        self.addCleanup(self.service.close)
        self.service.env["POBLYSH_DATABASE_URL"] = self.server.url

    def test_a_server_that_crashes_takes_nothing_that_was_acknowledged(self):
        self.service.start()
        load = Load(self.service, self.folder, SEED)
        slowest = 0.0

        def crashes():
            nonlocal slowest
            for _ in range(5):
                before = load.acknowledged
                eventually(lambda: load.acknowledged > before + 20, 30, "the load")
                self.server.crash()
                self.assertEqual(self.service.call("GET", "/healthz", token=None).status, 200)
                self.server.start()
                accepts, before = time.monotonic(), load.acknowledged
                eventually(lambda: load.acknowledged > before, 30, "the first delivery after the crash")
                slowest = max(slowest, time.monotonic() - accepts)

        load.during(crashes)
        read = lambda: self.service.call("GET", "/deliveries", tenant=load.tenant).status
        eventually(lambda: {read() for _ in range(20)} == {200}, what="new sessions for those that the crash took")
        self.assertEqual(load.counts(), NOTHING)
        self.assertIsNone(self.service.process.poll())
        print(f"B-1: 5 crashes, {load.acknowledged} acknowledged, first success after {slowest:.2f} s at most")

    def behind_a_proxy(self):
        proxy = CuttingProxy(self.server.port, b"COMMIT", 0, SEED)
        self.addCleanup(proxy.close)
        self.service.env["POBLYSH_DATABASE_URL"] = self.server.url.replace(f":{self.server.port}/", f":{proxy.port}/")
        self.service.start()
        return proxy

    def test_a_standby_that_takes_over_has_all_that_was_acknowledged(self):
        proxy = self.behind_a_proxy()
        standby = OwnPostgres(of=self.server)
        self.addCleanup(standby.close)
        eventually(lambda: self.server.query("SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'") == "1", 30, "the standby")
        load = Load(self.service, self.folder, SEED)
        took = 0.0

        def fails_over():
            nonlocal took
            eventually(lambda: load.acknowledged > 200, 60, "the load")
            self.server.crash()
            begun, before = time.monotonic(), load.acknowledged
            proxy.target = standby.port
            standby.promote()
            eventually(lambda: load.acknowledged > before + 200, 60, "deliveries of the standby")
            took = time.monotonic() - begun

        load.during(fails_over)
        self.assertEqual(load.counts(), NOTHING)
        self.assertEqual(standby.query("SELECT pg_is_in_recovery()"), "f")
        self.assertIsNone(self.service.process.poll())
        print(f"B-2: {load.acknowledged} acknowledged, 200 of them by the standby within {took:.2f} s of the crash")

    def test_a_connection_cut_at_its_commit_leaves_each_delivery_once(self):
        proxy = self.behind_a_proxy()
        load = Load(self.service, self.folder, SEED)
        proxy.chance = 0.2
        load.during(lambda: eventually(lambda: min(proxy.before, proxy.after) >= 40, 120, "the cuts"))
        proxy.chance = 0
        load.retry()
        waiting = lambda: self.service.call("GET", "/deliveries?status=received", tenant=load.tenant)
        eventually(lambda: (answer := waiting()).status == 200 and not answer.json["deliveries"], 60, "the end of what waited")
        self.assertEqual(load.counts(), NOTHING)
        seen = collections.Counter(line["event"] for line in self.service.events())
        self.assertGreater(seen["tenant.in_doubt"], 5)  # as many crashes would have made the tenant unavailable
        self.assertEqual(seen["tenant.crashed"], 0)
        print(f"B-4: cut {proxy.before} times before and {proxy.after} times after the COMMIT, {load.acknowledged} acknowledged")


class Lock(Suite):
    """B-3: somebody else holds what every write needs."""

    settings = {"DB_ACQUIRE_TIMEOUT_MS": "500"}

    def test_a_held_lock_costs_refusals_in_bounded_time_and_nothing_else(self):
        self.connect("example")
        self.assertEqual(send(self.service, self.tenant, 0).status, 202)
        with held_for_writers(self.service.database, "deliveries"):
            begun = time.monotonic()
            with concurrent.futures.ThreadPoolExecutor(8) as pool:
                answers = list(pool.map(lambda n: send(self.service, self.tenant, n), range(1, 9)))
            took = time.monotonic() - begun
            for answer in answers:
                self.refused(answer, 503, "DATABASE_UNAVAILABLE")
                self.assertEqual(answer.headers["Retry-After"], "1")
            self.assertLess(took, 20)
            self.assertEqual(self.service.call("GET", "/healthz", token=None).status, 200)
        for number in range(1, 9):
            eventually(lambda n=number: send(self.service, self.tenant, n).status == 202, what="a delivery after the lock")
        self.assertEqual(len(self.deliveries()), 9)
        self.assertEqual(len(self.signals()), 9)
        print(f"B-3: eight refusals within {took:.2f} s")


class Contention(Suite):
    """B-6: many writers of one connection, through two processes where the store allows it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.services = [cls.service]
        if cls.service.database.kind == "postgresql":
            other = Service()
            cls.addClassCleanup(other.close)
            other.env["POBLYSH_DATABASE_URL"] = cls.service.database.url
            cls.services.append(other.start())

    def test_sixteen_writers_of_one_connection_are_refused_nothing(self):
        row = self.connect("example")
        seen, lock = [], threading.Lock()

        def write(writer):
            service = self.services[writer % len(self.services)]
            for step in range(10):
                patched = service.call("PATCH", f"/connections/{row['id']}", {"metadata": {f"w{writer}": step}}, tenant=self.tenant, timeout=60)
                taken = send(service, self.tenant, 100 * writer + step, timeout=60)
                with lock:
                    seen.extend([("patch", patched.status), ("delivery", taken.status)])

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(write, range(16)))
        self.assertEqual({status for what, status in seen if what == "patch"}, {200})
        self.assertEqual({status for what, status in seen if what == "delivery"}, {202})
        self.assertEqual(len(self.signals(limit=100)), 160)
        metadata = json.loads(" ".join(self.service.database.query(f"SELECT metadata FROM connections WHERE id = '{row['id']}'")))
        self.assertEqual({name: metadata.get(name) for name in (f"w{n}" for n in range(16))}, {f"w{n}": 9 for n in range(16)})


if __name__ == "__main__":
    harness.main()
