"""The process: commands, exit codes, configuration, start, drain."""

import concurrent.futures
import json
import os
import signal
import socket
import tempfile
import time

import harness
import signers
from harness import Service, Suite, run


class Commands(Suite):
    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def setUp(self):
        pass

    def test_version_and_document_need_no_configuration(self):
        bare = {"PATH": os.environ["PATH"]}
        done = run("version", env=bare)
        self.assertRegex(done.stdout, r"^connectord \d+\.\d+\.\d+\n$")
        self.assertTrue(json.loads(run("openapi", env=bare).stdout)["paths"])

    def test_an_unknown_command_or_flag_is_a_usage_error(self):
        for arguments in (["frobnicate"], ["serve", "--frobnicate"], ["migrate"], ["migrate", "sideways"], ["serve", "extra"]):
            with self.subTest(arguments):
                done = run(*arguments)
                self.assertEqual((done.returncode, done.stdout), (64, ""))
                self.assertTrue(done.stderr)

    def test_a_sound_configuration_is_said_to_be_so(self):
        done = run("check-config")
        self.assertEqual((done.returncode, done.stdout.strip()), (0, "configuration ok"))

    def test_every_problem_is_listed_at_once_and_no_secret_repeated(self):
        bad = {"API_BIND_ADDR": "nowhere", "CRYPTO_KEY": "c2hvcnQtY2FuYXJ5", "DB_MAX_CONNECTIONS": "0", "LOG_LEVEL": "loud",
               "WEBHOOK_DEDUPE_DAYS": "6", "TENANT_AUTO_PROVISION": "maybe", "DATABASE_URL": "mysql://x", "MAX_BODY_BYTES": "1e6",
               "WEBHOOK_GITHUB_SECRET": "  ", "TRUSTED_PROXIES": "10.0.0.0/33", "OPERATOR_TOKENS": ""}
        for command in ("check-config", "serve"):
            with self.subTest(command):
                done = run(command, **bad)
                self.assertEqual((done.returncode, done.stdout), (78, ""))
                for key in bad:
                    self.assertIn("POBLYSH_" + key, done.stderr)
                self.assertNotIn("c2hvcnQtY2FuYXJ5", done.stderr)
                self.assertIn("nowhere", done.stderr)

    def test_a_start_that_fails_says_why_and_ends(self):
        """With one file more each time another part of the start fails, until all of them succeed."""
        for most in range(6, 64):
            with self.subTest(files=most):
                service = Service(kind="sqlite", files=most)
                self.addCleanup(service.close)
                try:
                    return service.start(ready=False)
                except AssertionError:
                    self.assertEqual(service.process.wait(20), 1)
                    self.assertEqual(service.events()[-1]["level"], "error")
        self.fail("no start succeeded")

    def test_a_provider_that_is_not_there_is_named(self):
        done = run("check-config", PROVIDERS="github,nobody")
        self.assertEqual(done.returncode, 78)
        self.assertIn("POBLYSH_PROVIDERS", done.stderr)

    def test_each_bound_of_a_setting_is_a_bound(self):
        for key, bad, good in (("WEBHOOK_SECRET_OVERLAP_HOURS", "721", "720"), ("DB_ACQUIRE_TIMEOUT_MS", "99", "100"),
                               ("WEBHOOK_DEDUPE_DAYS", "366", "365"), ("SHUTDOWN_TIMEOUT_SECONDS", "0", "1"),
                               ("IDEMPOTENCY_TTL_HOURS", "169", "168"), ("WEBHOOK_MAX_BODY_BYTES", "1023", "1024"),
                               ("RATE_LIMIT_JITTER_FACTOR", "1.1", "1"), ("WEBHOOK_SLACK_TOLERANCE_SECONDS", "0", "86400")):
            with self.subTest(key):
                self.assertEqual(run("check-config", **{key: bad}).returncode, 78)
                self.assertEqual(run("check-config", **{key: f" {good} "}).returncode, 0)

    def test_outside_local_and_test_more_is_asked(self):
        done = run("check-config", PROFILE="production", OPERATOR_TOKENS="short", PUBLIC_BASE_URL=None)
        self.assertEqual(done.returncode, 78)
        for key in ("OPERATOR_TOKENS", "PUBLIC_BASE_URL", "GITHUB_CLIENT_ID", "JIRA_CLIENT_ID"):
            self.assertIn("POBLYSH_" + key, done.stderr)

    def test_flags_override_the_environment_and_files_yield_to_it(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, ".env"), "w", encoding="utf-8") as file:
                file.write("POBLYSH_WEBHOOK_DEDUPE_DAYS=6\nPOBLYSH_LOG_LEVEL=loud\nOTHER=1\n")
            self.assertEqual(run("check-config", cwd=folder, LOG_LEVEL="info").returncode, 78)
            self.assertEqual(run("check-config", cwd=folder, LOG_LEVEL="info", WEBHOOK_DEDUPE_DAYS="8").returncode, 0)
            self.assertEqual(run("check-config", "--webhook-dedupe-days", "7", "--log-level=info", cwd=folder, LOG_LEVEL=None).returncode, 0)

    def test_migrations_are_applied_once_and_told(self):
        with tempfile.TemporaryDirectory() as folder:
            settings = {"DATABASE_URL": f"sqlite://{folder}/x.db", "LOG_LEVEL": "info"}
            self.assertEqual(run("migrate", "status", **settings).returncode, 3)
            first, second = (json.loads(run("migrate", "up", **settings).stdout) for _ in range(2))
            self.assertTrue(first["applied"])
            self.assertEqual((second["event"], second["applied"], second["current"]), ("migrated", [], first["current"]))
            status = run("migrate", "status", **settings)
            self.assertEqual((status.returncode, json.loads(status.stdout)["pending"]), (0, []))


class Process(Suite):
    def setUp(self):
        if self.service.process.poll() is not None:  # a test before this one left it ended
            self.service.start()
        super().setUp()

    def test_the_listening_line_is_json_in_every_format(self):
        self.service.restart(LOG_FORMAT="pretty")
        [line] = [e for e in self.service.events(self.service.runs) if e.get("event") == "listening"]
        self.assertEqual((line["port"], type(line["address"])), (self.service.port, str))
        self.service.restart(LOG_FORMAT=None)

    def test_a_service_manager_hears_when_it_is_ready_and_when_it_ends(self):
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(folder + "/notify")
            manager.settimeout(20)
            self.service.env["NOTIFY_SOCKET"] = folder + "/notify"
            self.addCleanup(self.service.env.pop, "NOTIFY_SOCKET", None)
            self.service.restart()
            self.assertEqual(manager.recv(100), b"READY=1")
            self.assertEqual(self.call("GET", "/healthz").status, 200)
            self.service.process.terminate()
            self.assertEqual(manager.recv(100), b"STOPPING=1")
            self.assertEqual(self.service.process.wait(20), 0)

    def test_a_file_has_one_service(self):
        if self.service.database.kind != "sqlite":
            self.skipTest("a file")
        done = run("serve", env=self.service.env)
        self.assertEqual(done.returncode, 1)
        self.get("/signals")

    def test_a_taken_port_is_a_failure(self):
        done = run("serve", API_BIND_ADDR=f"127.0.0.1:{self.service.port}")
        self.assertEqual(done.returncode, 1)

    def test_sigterm_and_sigint_drain(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            self.assertEqual(self.service.stop(number), 0)
            self.service.start()

    def test_a_request_in_flight_is_answered_before_the_end(self):
        self.connect("example")
        body = signers.to_bytes(signers.example_event())
        head = "".join(f"{k}: {v}\r\n" for k, v in signers.example(body).items())
        request = f"POST /webhooks/example/{self.tenant} HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
        with socket.create_connection(("127.0.0.1", self.service.port), timeout=10) as link:
            link.sendall(request[:-5])
            harness.eventually(lambda: self.service.call("GET", "/healthz", token=None).status == 200)
            self.service.process.send_signal(signal.SIGTERM)
            harness.eventually(self.refuses_connections, what="the listener's end")
            link.sendall(request[-5:])
            self.assertTrue(link.recv(65536).startswith(b"HTTP/1.1 202"))
        self.assertEqual(self.service.process.wait(20), 0)
        self.service.start()
        self.assertEqual(len(self.signals()), 1)

    def refuses_connections(self):
        try:
            socket.create_connection(("127.0.0.1", self.service.port), timeout=1).close()
            return False
        except OSError:
            return True

    def test_idle_connections_do_not_hold_up_the_end(self):
        links = [socket.create_connection(("127.0.0.1", self.service.port)) for _ in range(20)]
        links[0].sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n")
        started = time.monotonic()
        self.assertEqual(self.service.stop(), 0)
        self.assertLess(time.monotonic() - started, 12)
        for link in links:
            link.close()
        self.service.start()

    def test_a_drain_under_load_loses_nothing_that_was_acknowledged(self):
        self.connect("example")

        def send(number):
            body = signers.to_bytes(signers.example_event(number))
            try:
                answer = self.service.call("POST", f"/webhooks/example/{self.tenant}", body, token=None, headers=signers.example(body, delivery=f"n-{number}"))
                return answer.json["delivery_id"] if answer.status == 202 else None
            except OSError:
                return None

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            sent = [pool.submit(send, n) for n in range(400)]
            while not any(f.done() for f in sent):
                time.sleep(0.001)
            self.assertEqual(self.service.stop(), 0)
        acknowledged = {f.result() for f in sent} - {None}
        self.service.start()
        self.assertLessEqual(acknowledged, {row["id"] for row in self.deliveries(limit=100)})
        self.assertTrue(acknowledged)


class Unmigrated(Suite):
    @classmethod
    def setUpClass(cls):
        cls.service = Service(PROFILE="staging", PUBLIC_BASE_URL="https://connectors.example.org", PROVIDERS="zoho-cliq")
        cls.service.start(ready=False)

    def setUp(self):
        pass

    def test_elsewhere_readiness_waits_for_the_migration(self):
        answer = self.service.call("GET", "/readyz", token=None)
        problem = self.refused(answer, 503, "SERVICE_UNAVAILABLE", checks=...)
        self.assertEqual(problem["details"]["checks"]["migrations"], "error")
        self.assertEqual(self.service.call("GET", "/healthz", token=None).status, 200)
        self.service.stop()
        self.assertEqual(run("migrate", "up", env=self.service.env).returncode, 0)
        self.service.start()


if __name__ == "__main__":
    harness.main()
