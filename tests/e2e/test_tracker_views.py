"""Snapshots, polls and webhooks of one issue: drift between snapshots, and views that disagree."""

import hashlib
import json
import uuid

import harness
from harness import SECRETS, eventually
from zoo import ZooSuite
import signers

T = "/api/v1/connectors/trackers"
FIRST = {"github": "todo", "gitlab": "todo", "jira": "in_progress", "linear": "todo"}  # as the recorded items stand
LANES = {"todo": "planned", "in_progress": "in_progress"}


class Views(ZooSuite):
    settings = {"TRACKER_FLAG_DEFAULT": "true"}

    def expect(self, status, method, path, body=None, **options):
        answer = self.call(method, path, body, tenant=self.tenant, **options)
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def bound(self, provider):
        """A project, a work package in step with the first issue of this person, and a binding to where that issue is."""
        self.tell("items", provider, count=2)
        account = self.zoo.ask("account", provider=provider, account=self.person)
        number = account["number"]
        self.where, places, self.issue = {
            "github": (f"{self.person}/widgets", [("github_repo", f"{self.person}/widgets")], "1"),
            "gitlab": (str(number), [("gitlab_project", str(number))], "1"),
            "jira": (self.person, [("jira_project", "EX"), ("jira_project", "JRA")], str(number * 1000 + 1)),
            "linear": (self.person, [("linear_team", "ENG")], account["items"][0]["id"]),
        }[provider]
        self.provider = provider
        self.project = {"id": str(uuid.uuid4()), "uuid": str(uuid.uuid4()), "slug": "p-" + uuid.uuid4().hex[:12]}
        home, query = self.project, self.service.database.query
        query("INSERT INTO projects (tenant_id, id, project_uuid, slug, name, created_at, updated_at) VALUES "
              f"('{self.tenant}', '{home['id']}', '{home['uuid']}', '{home['slug']}', 'Apollo', 1, 1)")
        query("INSERT INTO work_packages (tenant_id, project_id, wp_id, mission, lane, created_at, updated_at) VALUES "
              f"('{self.tenant}', '{home['id']}', 'WP01', '', '{LANES[FIRST[provider]]}', 1, 1)")
        self.binding = self.expect(201, "POST", T + "/bindings/", {
            "project_id": self.project["id"], "provider": provider, "workspace": self.where,
            "resources": [{"resource_type": kind, "resource_id": name} for kind, name in places]})

    def snapshot(self, status, updated_at=None):
        body = {"provider": self.provider, "workspace": self.where, "external_resource_type": None,
                "external_resource_id": None, "doctrine_mode": "external_authoritative", "doctrine_field_owners": {},
                "project_uuid": self.project["uuid"], "project_slug": self.project["slug"],
                "issues": [{"ref": {"system": self.provider, "workspace": self.where, "id": self.issue, "key": None, "url": None},
                            "title": "Item 1", "body": "as the client knows it", "status": status, "issue_type": "task",
                            "priority": None, "assignees": [], "labels": [], "updated_at": updated_at}],
                "mappings": [{"wp_id": "WP01", "system": self.provider, "workspace": self.where, "external_id": self.issue,
                              "external_key": None, "external_url": None}],
                "checkpoint": {"cursor": uuid.uuid4().hex, "updated_since": None}}
        key = hashlib.sha256(json.dumps(body).encode()).hexdigest()
        return self.expect(201, "POST", T + "/snapshots/", body, headers={"Idempotency-Key": key})

    def shown(self):
        rows = self.service.pages(T + "/issues/", "items", tenant=self.tenant, binding_id=self.binding["id"])
        mine = [row for row in rows if row["external_id"] == self.issue]
        self.assertEqual(len(mine), 1, rows)
        return self.expect(200, "GET", f"{T}/issues/{mine[0]['id']}/")

    def statuses(self):
        views = self.shown()["views"]
        return {name: view and view["status"] for name, view in views.items() if name != "agree"}

    def drift(self):
        return [(row["kind"], row["external_value"]) for row in self.service.pages(
            T + "/drift/", "items", tenant=self.tenant, binding_id=self.binding["id"])]

    def health(self):
        return self.expect(200, "GET", f"{T}/bindings/{self.binding['id']}/health/")

    def webhooks(self):
        url = f"http://127.0.0.1:{self.service.port}/webhooks/{self.provider}/{self.tenant}"
        sent = self.tell("webhooks", self.provider, url=url, secret=SECRETS[self.provider])
        self.assertEqual(set(sent["sent"]), {202}, sent)

    def poll(self):
        self.sync(self.provider)
        eventually(lambda: all(row["status"] in ("succeeded", "failed") for row in
                               self.service.pages("/jobs", "jobs", tenant=self.tenant, provider=self.provider)),
                   20, "the end of all jobs")

    def test_a_webhook_moves_drift_between_snapshots_and_the_views_disagree_until_all_have_seen_it(self):
        for provider, first in FIRST.items():
            with self.subTest(provider=provider):
                self.bound(provider)
                self.snapshot(first)
                self.assertEqual(self.statuses(), {"snapshot": first, "poll": None, "webhook": None})
                self.consent(provider)
                self.poll()
                self.assertEqual(self.statuses(), {"snapshot": first, "poll": first, "webhook": None})
                self.assertTrue(self.shown()["views"]["agree"])
                self.assertEqual(self.drift(), [])

                self.tell("change", provider, action="closed", number=1)
                self.webhooks()
                self.assertEqual(self.statuses(), {"snapshot": first, "poll": first, "webhook": "done"})
                self.assertFalse(self.shown()["views"]["agree"])
                self.assertEqual(self.shown()["status"], "done")
                self.assertEqual(self.health()["views"], {"disagreeing": 1})
                self.assertEqual(self.drift(), [("status_mismatch", "done")])
                self.poll()
                self.assertEqual(self.statuses(), {"snapshot": first, "poll": "done", "webhook": "done"})
                self.snapshot("done", self.shown()["views"]["webhook"]["updated_at"])
                self.assertEqual(set(self.statuses().values()), {"done"})
                self.assertTrue(self.shown()["views"]["agree"])
                self.assertEqual(self.health()["views"], {"disagreeing": 0})

    def test_a_poll_moves_drift_between_snapshots(self):
        for provider, first in FIRST.items():
            with self.subTest(provider=provider):
                self.bound(provider)
                self.snapshot(first)
                self.consent(provider)
                self.poll()
                self.tell("change", provider, action="closed", number=1)
                self.poll()
                self.assertEqual(self.statuses(), {"snapshot": first, "poll": "done", "webhook": None})
                self.assertEqual(self.drift(), [("status_mismatch", "done")])

    def test_a_snapshot_that_is_older_than_a_webhook_changes_nothing_but_its_own_view(self):
        self.bound("github")
        self.snapshot("todo", "2026-01-01T00:00:00Z")
        self.consent("github")
        self.poll()
        self.tell("change", "github", action="closed", number=1)
        self.webhooks()
        self.assertEqual(self.snapshot("blocked", "2026-01-02T00:00:00Z")["counts"]["issues_skipped_older"], 1)
        self.assertEqual(self.shown()["status"], "done")
        self.assertEqual(self.statuses(), {"snapshot": "blocked", "poll": "todo", "webhook": "done"})

    def event(self, action, **members):
        issue = {"number": 1, "id": 7, "title": "Item 1", "state": "open", "updated_at": "2026-02-03T04:05:06Z",
                 "html_url": f"https://github.com/{self.where}/issues/1", **members}
        body = json.dumps({"action": action, "issue": issue, "repository": {
            "id": 9, "full_name": self.where, "owner": {"id": 4001, "login": self.person}}}).encode()
        self.deliver("github", body, signers.github(body))

    def test_an_issue_that_the_provider_deletes_is_absent_and_one_that_nobody_mapped_is_left_alone(self):
        self.bound("github")
        self.snapshot("todo")
        self.connect("github", "4001")
        self.event("deleted")
        self.assertEqual(self.shown()["presence"], "absent")
        self.assertEqual(self.expect(200, "GET", f"{T}/bindings/{self.binding['id']}/")["counts"]["issues_absent"], 1)
        self.where = "somebody/else"
        self.event("opened", number=8)
        self.assertEqual(len(self.service.pages(T + "/issues/", "items", tenant=self.tenant)), 1)

    def test_a_mapping_that_is_not_active_routes_nothing_and_a_delivery_makes_no_binding(self):
        self.bound("github")
        self.snapshot("todo")
        self.connect("github", "4001")
        resource = self.service.pages(f"{T}/bindings/{self.binding['id']}/resources/", "items", tenant=self.tenant)[0]
        path = f"{T}/bindings/{self.binding['id']}/resources/{resource['id']}/"
        self.expect(200, "PATCH", path, {"state": "disabled"})
        self.event("closed", state="closed")
        self.assertEqual(self.statuses(), {"snapshot": "todo", "poll": None, "webhook": None})
        self.expect(200, "PATCH", path, {"state": "active"})
        self.event("closed", state="closed", updated_at="2026-02-03T04:05:07Z")
        self.assertEqual(self.shown()["status"], "done")
        self.assertEqual(len(self.service.pages(T + "/bindings/", "items", tenant=self.tenant)), 1)

    def test_words_that_have_no_case_are_shown(self):
        self.bound("github")
        self.snapshot("todo")
        self.connect("github", "4001")
        self.event("edited", state="pondering")
        self.assertEqual(self.shown()["views"]["webhook"]["unmapped"], ["status: pondering"])


if __name__ == "__main__":
    harness.main()
