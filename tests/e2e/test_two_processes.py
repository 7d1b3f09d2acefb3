"""Two processes over one PostgreSQL: what one of them wrote is what the other one says, from then on."""

import statistics
import time
import unittest

import harness
import signers
from harness import Service, Suite


class TwoProcesses(Suite):
    @classmethod
    def setUpClass(cls):
        if harness.database("/nowhere").kind != "postgresql":
            raise unittest.SkipTest("one process for a file")
        super().setUpClass()
        cls.other = Service()
        cls.addClassCleanup(cls.other.close)
        cls.other.env["POBLYSH_DATABASE_URL"] = cls.service.database.url
        cls.other.start()

    def at(self, service, method, path, body=None, status=200):
        answer = service.call(method, path, body, tenant=self.tenant)
        self.assertEqual(answer.status, status, answer)
        return answer.json if answer.body else None

    def epoch(self):
        return int(self.service.database.query(f"SELECT epoch FROM tenants WHERE id = '{self.tenant}'")[0])

    def deliver_at(self, service, number, secret):
        body = signers.to_bytes(signers.example_event(number))
        return service.call("POST", f"/webhooks/example/{self.tenant}", body, token=None,
                            headers=signers.example(body, secret, delivery=f"d-{number}")).status

    def test_what_either_wrote_shows_at_both(self):
        path = "/connections/" + self.connect("example")["id"]
        pair = [self.service, self.other]
        for step in range(20):
            writer, reader = pair[step % 2], pair[1 - step % 2]
            self.at(writer, "PATCH", path, {"metadata": {"step": step}})
            for service in (reader, writer):
                self.assertEqual(self.at(service, "GET", path)["metadata"], {"step": step})
                self.assertEqual([c["metadata"] for c in self.at(service, "GET", "/connections")["connections"]], [{"step": step}])

    def test_reads_leave_the_tenant_where_it_is(self):
        path = "/connections/" + self.connect("example")["id"]
        self.at(self.other, "PATCH", path, {"display_name": "theirs"})
        owned, took = self.epoch(), {"the owner": [], "the other": []}
        for _ in range(100):
            for name, service in (("the owner", self.other), ("the other", self.service)):
                begun = time.monotonic()
                self.assertEqual(self.at(service, "GET", path)["display_name"], "theirs")
                took[name].append(time.monotonic() - begun)
        self.assertEqual(self.epoch(), owned)
        print("a read, median:", ", ".join(f"{name} {1000 * statistics.median(times):.2f} ms" for name, times in took.items()))

    def test_nobody_is_refused_by_what_was_so(self):
        self.at(self.other, "PATCH", "/connections/" + self.connect("example")["id"], {"display_name": "theirs"})
        fresh = self.connect("example")["id"]
        self.at(self.other, "PATCH", f"/connections/{fresh}", {"display_name": "fresh"})
        for n, (writer, reader) in enumerate([(self.service, self.other), (self.other, self.service)] * 3):
            secret = self.at(writer, "POST", f"/connections/{fresh}/webhook-secret")["webhook_secret"]
            self.assertEqual(self.deliver_at(reader, n, secret), 202)
            self.assertEqual(self.deliver_at(reader, 100 + n, "a guess"), 401)
        self.at(self.service, "DELETE", f"/connections/{fresh}", status=204)
        self.assertEqual(self.at(self.other, "GET", f"/connections/{fresh}")["status"], "revoked")
        self.at(self.other, "POST", f"/connections/{fresh}/webhook-secret", status=409)

    def test_a_suspension_holds_at_both(self):
        path = "/connections/" + self.connect("example")["id"]
        self.at(self.other, "PATCH", path, {"display_name": "theirs"})
        self.at(self.service, "POST", f"/ops/tenants/{self.tenant}/suspend")
        self.at(self.other, "PATCH", path, {"display_name": "late"}, status=403)
        self.at(self.service, "POST", f"/ops/tenants/{self.tenant}/resume")
        self.at(self.other, "PATCH", path, {"display_name": "again"})


if __name__ == "__main__":
    harness.main()
