"""What the suites of the tracker share: teams with their tokens, the superset error body, and the feed's stream."""

import datetime
import gzip
import http.client
import json
import uuid

from harness import OPERATOR, Suite, contract

PROJECTS, ACTIVITY, FLAGS, EVENTS, ME = ("/api/v1/" + part for part in ("projects/", "activity/", "flags/", "events/batch/", "me"))
TRACKER_SCOPES = {level: "tracker:" + level for level in ("read", "write", "admin")}
ERROR_MEMBERS = {"type", "title", "status", "code", "error_code", "category", "message", "detail", "retryable", "retry_after_seconds",
                 "retry_after", "user_action_required", "source", "provider", "http_status", "operation_id", "idempotency_key",
                 "effect_certainty", "details", "trace_id"}


class TeamSuite(Suite):
    """A team for each test, with a token of each scope."""

    def setUp(self):
        self.slug = "team-" + uuid.uuid4().hex[:10]
        self.tenant = self.new_tenant(slug=self.slug)
        self.tokens = self.tokens_of(self.tenant)

    def tokens_of(self, tenant):
        return {level: self.token(scope, tenant=tenant)["secret"] for level, scope in TRACKER_SCOPES.items()}

    def by(self, level, method, path, body=None, **options):
        """With a token, which is all that published clients send."""
        return self.service.call(method, path, body, **{"token": self.tokens[level], **options})

    def answered(self, level, method, path, body=None, status=200, **options):
        answer = self.by(level, method, path, body, **options)
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def error(self, answer, status, code, category=None):
        """The superset body, whole; its details are returned."""
        self.assertEqual(answer.status, status, answer)
        body = answer.json
        self.assertEqual(ERROR_MEMBERS - set(body), set())
        self.assertEqual((body["code"], body["error_code"], body["http_status"]), (code, code, status), answer)
        self.assertEqual(body["trace_id"], answer.headers["x-trace-id"])
        self.assertEqual(body["detail"], body["message"])
        if code != "project_not_admitted":
            self.assertNotIn("error_category", body)
            self.assertEqual(body["status"], status)
        if category:
            self.assertEqual(body["category"], category)
        return body["details"]

    def project(self, slug=None, **members):
        slug = slug or "p-" + uuid.uuid4().hex[:8]
        body = {"name": slug, "slug": slug, "project_uuid": str(uuid.uuid4()), **members}
        return self.answered("admin", "POST", PROJECTS, body, 201)

    def put(self, project, wp, status=201, **members):
        return self.answered("admin", "PUT", f"{PROJECTS}{project['id']}/work-packages/{wp}/", members, status)

    def work_package(self, project, wp, **query):
        return self.answered("read", "GET", f"{PROJECTS}{project['id']}/work-packages/{wp}/", query=query)

    def rows(self, path, level="read", **query):
        return self.service.pages(path, "items", token=self.tokens[level], **query)

    def flag(self, enabled):
        return self.answered("admin", "PUT", FLAGS + "tracker_connectors", {"enabled": enabled})

    def report(self, *events, packed=True, **options):
        raw, headers = json.dumps({"events": events}).encode(), {"Content-Type": "application/json"}
        if packed:
            raw, headers["Content-Encoding"] = gzip.compress(raw), "gzip"
        return self.by("write", "POST", EVENTS, raw, headers=headers, **options)

    def results(self, *events, **options):
        answer = self.report(*events, **options)
        self.assertEqual(answer.status, 200, answer)
        return [(r["status"], r["error"]) for r in answer.json["results"]]


_clock = iter(range(1, 1 << 40))


def event(project, kind, wp=None, *, clock=None, node="node-a", event_id=None, **payload):
    if wp:
        payload["wp_id"] = wp
    return {"event_id": event_id or str(uuid.uuid4()), "event_type": kind, "aggregate_id": wp or "m", "aggregate_type": "WorkPackage",
            "payload": payload, "node_id": node, "lamport_clock": next(_clock) if clock is None else clock,
            "timestamp": datetime.datetime.now(datetime.timezone.utc).isoformat(), "project_uuid": project["project_uuid"],
            "project_slug": project["slug"], "git_branch": None}


class Stream:
    """An open stream of the feed; `rows` takes what comes until there are enough, or it ends."""

    def __init__(self, service, token, after=None, timeout=15, **query):
        self.link = http.client.HTTPConnection("127.0.0.1", service.port, timeout=timeout)
        headers = {"Authorization": "Bearer " + token}
        if after is not None:
            headers["Last-Event-ID"] = str(after)
        filters = "&".join(f"{name}={value}" for name, value in query.items())
        self.link.request("GET", "/api/v1/activity/stream?" + filters, headers=headers)
        self.answer = self.link.getresponse()

    def frames(self):
        """(comment or None, row or None), until the end."""
        fields = {}
        while line := self.answer.readline().decode():
            line = line.rstrip("\n")
            if line.startswith(":"):
                yield line, None
            elif line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif fields:
                row = json.loads(fields["data"])
                assert (fields["id"], fields["event"]) == (str(row["seq"]), row["type"]), fields
                assert not (misfits := contract().misfits({"$ref": "#/components/schemas/ActivityEvent"}, row)), misfits
                fields = {}
                yield None, row

    def rows(self, count=None):
        found = []
        for _, row in self.frames():
            if row:
                found.append(row)
            if count is not None and len(found) >= count:
                break
        return found

    def close(self):
        self.link.close()
        self.answer.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


__all__ = [name for name in dir() if name[0] != "_"]
