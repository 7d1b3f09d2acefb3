"""What lies beside the code fits the code: links lead somewhere, alerts have runbooks, and every metric that an
alert or a dashboard asks for is one that the service shows."""

import glob
import json
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path[:0] = [os.path.join(ROOT, "tests", "e2e")]

import harness  # noqa: E402
from harness import Suite  # noqa: E402

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)#\s]+)(#[^)\s]*)?\)")
OWN_PATH = re.compile(r"(?:^|[`\s])((?:tools|tests|deploy|docs|config|base|domain|storage|actors|http)/[^`\s:,;)]*[^`\s:,;).])", re.M)
CODE = re.compile(r"^```sh.*?^```|`[^`\n]+`", re.S | re.M)
FENCED = re.compile(r"^```.*?^```", re.S | re.M)
NOT_METRICS = {"by", "le", "sum", "rate", "increase", "histogram_quantile", "min_over_time", "max_over_time", "predict_linear", "job",
               "provider", "reason", "kind", "status", "state", "outcome", "class", "route", "resource", "unavailable", "max", "min", "and", "offset", "delta", "avg_over_time", "time", "type", "version",
               "commit", "backend", "kid", "result", "stat", "mode"}
PROMTOOL = os.path.join(ROOT, "deploy", "prometheus")


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def markdown():
    return subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()


def alert_rules():
    return re.findall(r"- alert: (\w+)", read("deploy/prometheus/alerts.yml"))


def expressions():
    rules = read("deploy/prometheus/alerts.yml")
    yield from re.findall(r"expr: (?:>-\n)?((?:.+\n)+?)(?=\s+(?:for|labels):)", rules)
    for path in glob.glob("deploy/grafana/*.json", root_dir=ROOT):
        for panel in json.loads(read(path))["panels"]:
            yield from (target["expr"] for target in panel["targets"])


def metrics_in(expression):
    bare = re.sub(r"\{[^}]*\}|\"[^\"]*\"|\[[^\]]*\]|by \([^)]*\)", " ", expression)
    names = set(re.findall(r"\b[a-z][a-z0-9_]+\b", bare)) - NOT_METRICS
    return {re.sub(r"_(bucket|sum)$", "", name) for name in names}


class Shelf(Suite):
    def test_links_lead_somewhere(self):
        self.assertIn("README.md", markdown())
        for page in markdown():
            for target, _ in LINK.findall(FENCED.sub("", read(page))):
                if "://" in target or target.startswith(("mailto:", "/")):
                    continue
                with self.subTest(page=page, link=target):
                    self.assertTrue(os.path.exists(os.path.normpath(os.path.join(ROOT, os.path.dirname(page), target))))

    def test_files_and_programs_that_pages_name_are_there(self):
        named = 0
        for page in markdown():
            for path in OWN_PATH.findall("\n".join(CODE.findall(read(page)))):
                named += 1
                with self.subTest(page=page, path=path):
                    self.assertTrue(glob.glob(re.sub(r"<\w+>|NNNN|…", "*", path) + "*", root_dir=ROOT))
        self.assertGreater(named, 50)

    def test_each_alert_has_its_runbook_and_each_runbook_its_alert(self):
        runbooks = {os.path.basename(p)[:-3] for p in glob.glob("docs/runbooks/*.md", root_dir=ROOT)}
        self.assertEqual(runbooks, set(alert_rules()))
        for name in alert_rules():
            self.assertIn(f"runbook_url: docs/runbooks/{name}.md", read("deploy/prometheus/alerts.yml"))

    def test_every_metric_is_one_that_the_service_shows(self):
        shown = set(re.findall(r"^# TYPE (\S+)", self.service.call("GET", "/metrics").text, re.M))
        shown |= {"up"}  # Prometheus itself
        shown |= {name for f in [read("base/metrics.cpp")] for name in re.findall(r"(?:counter|gauge|histogram)\(\s*\"(\w+)\"", f)}
        for expression in expressions():
            with self.subTest(expression):
                self.assertTrue(metrics_in(expression))
                self.assertEqual(metrics_in(expression) - shown, set())

    def test_every_metric_of_the_catalogue_is_counted_somewhere(self):
        code = "".join(read(path) for path in glob.glob("*.cpp", root_dir=ROOT) + [p for d in ("actors", "http") for p in glob.glob(d + "/**/*.cpp", root_dir=ROOT, recursive=True)])
        members = re.findall(r"^  (?:counters|gauges|histograms) (\w+);", read("base/metrics.hpp"), re.M)
        self.assertGreater(len(members), 60)
        self.assertEqual([name for name in members if not re.search(rf"[.]{name}\b", code)], [])

    def test_promtool_finds_nothing_in_the_rules_and_their_tests_hold(self):
        tool = shutil.which("promtool") or os.path.join(ROOT, "build", "tools", "promtool")  # as tools/setup puts it
        for command in (["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]):
            ran = subprocess.run([tool, *command], cwd=PROMTOOL, capture_output=True, text=True)
            self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
        scrape = self.service.call("GET", "/metrics").text
        ran = subprocess.run([tool, "check", "metrics"], input=scrape, capture_output=True, text=True)
        self.assertNotIn("error", ran.stderr, ran.stderr)


if __name__ == "__main__":
    harness.main()
