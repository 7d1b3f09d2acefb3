"""What the suites of the control-plane facade share: a team with a project, and the calls of its clients."""

import uuid

from harness import Suite

F = "/api/v1/tracker"
T = "/api/v1/connectors/trackers"
FLAG = "/api/v1/flags/tracker_connectors"


def issue(id, status="todo", **members):
    return {"ref": {"system": members.pop("system", "linear"), "workspace": members.pop("workspace", "acme"), "id": id,
                    "key": members.pop("key", id.upper()), "url": members.pop("url", "https://issues.example/" + id)},
            "title": "Issue " + id, "body": None, "status": status, "issue_type": "task", "priority": None, "assignees": [], "labels": [],
            "updated_at": None, **members}


def mapping(wp, id):
    return {"wp_id": wp, "system": "linear", "workspace": "acme", "external_id": id, "external_key": id.upper(), "external_url": None}


class FacadeSuite(Suite):
    def setUp(self):
        super().setUp()
        self.call("PUT", FLAG, {"enabled": True})
        self.project = self.add_project("shop")

    def add_project(self, slug, tenant=None):
        answer = self.call("POST", "/api/v1/projects/", {"name": slug.title(), "slug": slug, "project_uuid": str(uuid.uuid4())}, tenant=tenant or self.tenant)
        self.assertEqual(answer.status, 201, answer)
        return answer.json

    def bind(self, project=None, provider="linear", workspace="acme", **members):
        body = {"project_id": (project or self.project)["id"], "provider": provider, "workspace": workspace, **members}
        answer = self.call("POST", T + "/bindings/", body)
        self.assertEqual(answer.status, 201, answer)
        return answer.json

    def publish(self, issues=(), mappings=(), project="own", provider="linear", workspace="acme", resource=(None, None), status=201, key=None):
        project = self.project if project == "own" else project or {"project_uuid": None, "slug": None}
        body = {"provider": provider, "workspace": workspace, "external_resource_type": resource[0], "external_resource_id": resource[1],
                "doctrine_mode": "external_authoritative", "doctrine_field_owners": {}, "project_uuid": project["project_uuid"],
                "project_slug": project["slug"], "issues": list(issues), "mappings": list(mappings), "checkpoint": None}
        answer = self.call("POST", T + "/snapshots/", body, headers={"Idempotency-Key": key or str(uuid.uuid4())})
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def ask(self, path, body=None, status=200, **options):
        answer = self.call("POST", F + path, {"provider": "linear", **(body or {})}, **options)
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def look(self, path, status=200, **query):
        answer = self.call("GET", F + path, query={"provider": "linear", **query})
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def refused_as(self, answer, status, code, category=None):
        self.assertEqual((answer.status, answer.json["code"], answer.json["http_status"]), (status, code, status), answer)
        self.assertEqual(answer.headers["Content-Type"], "application/json")
        if category:
            self.assertEqual(answer.json["category"], category)
        return answer.json

    def identity(self, project=None, **members):
        project = project or self.project
        return {"uuid": project["project_uuid"], "slug": project["slug"], "node_id": "abcdef012345", "repo_slug": None, **members}

    def resolve(self, project=None, **members):
        return self.ask("/bind-resolve/", {"project_identity": self.identity(project, **members)})

    def confirm(self, token, project=None, status=200, key=None):
        body = {"candidate_token": token, "project_identity": self.identity(project)}
        return self.ask("/bind-confirm/", body, status, headers={"Idempotency-Key": key} if key else None)
