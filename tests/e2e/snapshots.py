"""Bodies that published clients send, and a suite that speaks to the tracker."""

import hashlib
import json
import uuid

from harness import Suite

T = "/api/v1/connectors/trackers"


def issue(number, status="todo", title=None, **members):
    ref = {"system": members.pop("system", "linear"), "workspace": "acme", "id": number, "key": number.upper(), "url": None}
    return {"ref": ref, "title": title or f"Issue {number}", "body": None, "status": status, "issue_type": "task", "priority": None,
            "assignees": [], "labels": [], "updated_at": None, **members}


def mapping(wp, number, **members):
    return {"wp_id": wp, "system": "linear", "workspace": "acme", "external_id": number, "external_key": number.upper(),
            "external_url": None, **members}


def snapshot(project=None, issues=(), mappings=(), cursor=None, resource=None, **members):
    kind, number = resource or (None, None)
    return {"provider": "linear", "workspace": "acme", "external_resource_type": kind, "external_resource_id": number,
            "doctrine_mode": "external_authoritative", "doctrine_field_owners": {},
            "project_uuid": project and project["project_uuid"], "project_slug": project and project["slug"],
            "issues": list(issues), "mappings": list(mappings), "checkpoint": {"cursor": cursor, "updated_since": None}, **members}


def computed_key(body):
    """As clients make it: of what is counted, not of what is said, so that one key comes with several bodies."""
    said = [body["provider"], body["workspace"], body["project_uuid"], len(body["issues"]), len(body["mappings"]), body["checkpoint"]]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


class TrackerSuite(Suite):
    settings = {"TRACKER_FLAG_DEFAULT": "true"}

    def project(self, tenant=None, **members):
        body = {"name": "Apollo", "slug": "p-" + uuid.uuid4().hex[:12], "project_uuid": str(uuid.uuid4()), **members}
        return self.expect(201, "POST", "/api/v1/projects/", body, tenant=tenant)

    def work_package(self, project, wp="WP01", **members):
        answer = self.ask("PUT", f"/api/v1/projects/{project['id']}/work-packages/{wp}/", members)
        self.assertIn(answer.status, (200, 201), answer)
        return answer.json

    def ask(self, method, path, body=None, tenant=None, **options):
        return self.call(method, path, body, tenant=tenant or self.tenant, **options)

    def expect(self, status, method, path, body=None, **options):
        answer = self.ask(method, path, body, **options)
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def problem(self, status, code, answer):
        self.assertEqual((answer.status, answer.json.get("code")), (status, code), answer)
        self.assertEqual(answer.json["effect_certainty"], "no_effect")
        return answer.json

    def send(self, body, key=None, tenant=None, **options):
        headers = {"Idempotency-Key": key or computed_key(body)}
        return self.ask("POST", T + "/snapshots/", body, tenant=tenant, headers=headers, **options)

    def taken(self, body, key=None, status=201, **options):
        answer = self.send(body, key, **options)
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def items(self, path, tenant=None, **query):
        return self.service.pages(path if path.startswith("/") else f"{T}/{path}/", "items", tenant=tenant or self.tenant, **query)

    def binding(self, project, resources=(), **members):
        listed = [{"resource_type": kind, "resource_id": number} for kind, number in resources]
        body = {"project_id": project["id"], "provider": "linear", "workspace": "acme", "resources": listed, **members}
        return self.expect(201, "POST", T + "/bindings/", body)

    def feed(self, *types):
        rows = [r for r in reversed(self.items("/api/v1/activity/")) if not types or r["type"] in types]
        return [r["type"].removeprefix("tracker_") for r in rows]

    def kinds(self, **query):
        return sorted((d["kind"], d["wp_id"]) for d in self.items("drift", **query))
