"""Providers whose answers are too large or of another form than they promised: the job says so, the connection and the process
live on, and nothing is stored by halves."""

import harness
from harness import eventually
from test_sync import FAST
from zoo import ZooSuite


class Answers(ZooSuite):
    settings = {**FAST, "SYNC_MAX_ATTEMPTS": "2"}

    def resident(self):
        with open(f"/proc/{self.service.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) // 1024

    def outcome(self, **fault):
        self.tell("items", "example", count=3)
        self.tell("faults", "example", operation="page", times=0, status=200, **fault)
        row = self.consent("example")
        ended = lambda: [job for job in self.get("/jobs")["jobs"] if job["status"] == "failed"]
        job = self.job(eventually(ended, 30, "the end of the job")[0]["id"])
        return row, job

    def heals(self, row):
        self.zoo.tell("heal", provider="example")
        self.assertEqual(self.connection(row)["status"], "active")
        self.assertEqual(self.signals(), [])
        self.sync("example")
        eventually(lambda: len(self.signals()) == 3, 20, "the signals")

    def test_an_answer_that_is_too_large_is_given_up_and_not_kept(self):
        """P-4."""
        before = self.resident()
        row, job = self.outcome(body={"items": [], "pad": "x" * 40_000_000})
        self.assertEqual(job["signals_emitted"], 0)
        grown = self.resident() - before
        self.assertLess(grown, 64)
        self.heals(row)
        print(f"P-4: answers of 40 MB, resident memory grew by {grown} MB")

    def test_answers_of_another_form_store_nothing(self):
        """P-5."""
        forms = {"no list": {"items": "none"}, "a list of texts": {"items": ["a", "b"]}, "null": {"items": None}, "text": "<html>not here</html>",
                 "numbers beyond all": '{"items": [{"id": 1e309, "action": "created", "updated_at": 1e309}]}',
                 "zero bytes": '{"items": [{"id": "\u0000", "action": "created\u0000"', "deep": '{"items":' + "[" * 5000}
        for name, body in forms.items():
            with self.subTest(form=name):
                self.setUp()
                row, job = self.outcome(body=body)
                self.assertEqual(job["signals_emitted"], 0)
                self.assertNotIn("not here", str(job["error"]))
                self.heals(row)


if __name__ == "__main__":
    harness.main()
