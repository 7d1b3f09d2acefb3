"""The key ring: rotation beside a working service, and what a service without its keys says."""

import base64
import concurrent.futures
import itertools
import json
import threading

import harness
import signers
from harness import Service, Suite, eventually, run


def key(name, first):
    return f"{name}:" + base64.b64encode(bytes(range(first, first + 32))).decode()


OLD, NEW = key("old", 1), key("new", 101)


class Keys(Suite):
    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def setUp(self):
        self.service = Service(CRYPTO_KEY=None, CRYPTO_KEYS=OLD)
        self.addCleanup(self.service.close)
        self.service.start()
        self.tenant = self.new_tenant()

    def connectord(self, command, keys):
        return run(*command.split(), env={**self.service.env, "POBLYSH_CRYPTO_KEYS": keys})

    def rotate(self, keys=f"{NEW},{OLD}"):
        """Exit code and counts."""
        done = self.connectord("keys rotate", keys)
        [line] = [line for line in map(json.loads, done.stdout.splitlines()) if line["event"] == "keys_rotated"]
        self.assertEqual(line["primary"], "new")
        return done.returncode, {name: line[name] for name in ("rewritten", "skipped", "failed")}

    def sealed(self, number, tenant=None):
        """A connection with a secret of its own: where its deliveries go, and what signs them."""
        secret = f"a secret of connection {number}"
        row = self.connect("example", f"account-{number}", tenant, webhook_secret=secret)
        return tenant or self.tenant, row["id"], secret

    def send(self, number, to):
        tenant, row, secret = to
        body = signers.to_bytes(signers.example_event(number))
        answer = self.service.call("POST", f"/webhooks/example/{tenant}", body, token=None,
                                   headers=signers.example(body, secret, f"{row}-{number}"))
        return answer.status

    def test_rotation_beside_a_working_service_fails_no_delivery(self):
        tenants = [self.tenant, self.new_tenant(), self.new_tenant()]
        with concurrent.futures.ThreadPoolExecutor(8) as pool:  # more than one batch of 500
            owners = list(pool.map(self.sealed, range(510), itertools.cycle(tenants)))
        tenant, row, _ = owners[0]
        fresh = self.call("POST", f"/connections/{row}/webhook-secret", tenant=tenant).json["webhook_secret"]
        owners.append((tenant, row, fresh))  # the one before it is valid too, and sealed
        values = 511
        self.service.restart(CRYPTO_KEYS=f"{OLD},{NEW}")

        stop, answers = threading.Event(), []

        def keep_sending(lane):
            for number in itertools.count(lane, 4):
                if stop.is_set():
                    return
                answers.append(self.send(number, owners[number * 97 % len(owners)]))

        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            lanes = [pool.submit(keep_sending, lane) for lane in range(4)]
            try:
                eventually(lambda: len(answers) > 40, what="traffic")
                self.assertEqual(self.rotate(), (0, {"rewritten": values, "skipped": 0, "failed": 0}))
                sent = len(answers)
                eventually(lambda: len(answers) > sent + 40, what="traffic after the rotation")
            finally:
                stop.set()
            for lane in lanes:
                lane.result()
        self.assertEqual(set(answers), {202})
        self.assertEqual(self.rotate(), (0, {"rewritten": 0, "skipped": values, "failed": 0}))

        for _ in range(2):  # the second start reads what the first one left
            self.service.restart(CRYPTO_KEYS=NEW)
            self.assertEqual({self.send(number, to) for number, to in enumerate(owners)}, {202})
            self.call("PATCH", "/connections/" + row, {"display_name": "changed"}, tenant=tenant)

    def test_a_service_without_a_key_that_is_in_use_does_not_start(self):
        self.sealed(1)
        self.service.stop()
        for keys in (NEW, key("old", 201)):
            done = self.connectord("serve", keys)
            self.assertEqual(done.returncode, 78, done.stdout)
            self.assertRegex(done.stderr, r"POBLYSH_CRYPTO_KEYS.*\bold\b")
            self.assertNotIn(keys.split(":")[1], done.stdout + done.stderr)

    def test_values_that_were_tampered_with_are_counted_and_left(self):
        ids = [self.sealed(number)[1] for number in range(4)]
        secret_of = "SELECT webhook_secret FROM connections WHERE id = "
        for change in (f"({secret_of}'{ids[0]}') WHERE id = '{ids[1]}'",  # of another row
                       f"substr(webhook_secret, 1, 30) WHERE id = '{ids[2]}'"):
            self.service.database.query("UPDATE connections SET webhook_secret = " + change)
        self.assertEqual(self.rotate(), (1, {"rewritten": 2, "skipped": 0, "failed": 2}))
        self.assertEqual(self.rotate(), (1, {"rewritten": 0, "skipped": 2, "failed": 2}))
        self.service.stop()
        self.assertEqual(self.connectord("serve", NEW).returncode, 78)


if __name__ == "__main__":
    harness.main()
