"""Every code of the OpenAPI document is provoked once, from outside, and is what docs/errors.md says of it. A code without a
`provoke_…` of its name fails, and so does one that the page leaves out."""

import concurrent.futures
import hashlib
import hmac
import json
import os
import re
import uuid

import harness
import signers
from faults import free_port, held_for_writers
from harness import OPERATOR, Service, Suite, eventually, first_answer
from snapshots import T, TrackerSuite, issue, snapshot

PAGE = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "errors.md")
F = "/api/v1/tracker"


def documented(schema):
    return harness.contract().components["schemas"][schema]["properties"]["code"]["enum"]


def told():
    """(code, statuses), as the page has them."""
    with open(PAGE, encoding="utf-8") as f:
        rows = re.findall(r"^\| `(\w+)` \| ([\d, ]+) \|", f.read(), re.M)
    return [(code, [int(status) for status in statuses.split(", ")]) for code, statuses in rows]


class Page(Suite):
    def test_the_page_has_each_code_once_and_no_other(self):
        self.assertEqual(sorted(code for code, _ in told()), sorted(documented("ApiError") + documented("TrackerError")))


class Provoked:
    schema = None

    def test_every_code_can_be_provoked(self):
        statuses = dict(told())
        for code in documented(self.schema):
            with self.subTest(code):
                self.setUp()
                answer = getattr(self, "provoke_" + code.lower())()
                self.assertEqual(answer.json["code"], code, answer)
                self.assertIn(answer.status, statuses[code])

    def another(self, **settings):
        """A service of other settings, for this test."""
        service = Service(**settings)
        self.addCleanup(service.close)
        return service

    def unmigrated(self):
        settings = {"PROFILE": "staging", "PUBLIC_BASE_URL": "https://connectors.example.org", "PROVIDERS": "zoho-cliq"}
        return self.another(**settings).start(ready=False)

    def pair(self, *requests):
        """The answers of requests that are under way at the same time."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            return [f.result() for f in [pool.submit(request) for request in requests]]


class Connectors(Provoked, Suite):
    schema = "ApiError"
    settings = {"EXAMPLE_CLIENT_ID": "id", "EXAMPLE_CLIENT_SECRET": "secret", "EXAMPLE_OAUTH_BASE": f"http://127.0.0.1:{free_port()}",
                "DB_ACQUIRE_TIMEOUT_MS": "2000"}

    def deliver_example(self, number, delivery=None, service=None, tenant=None):
        body = signers.to_bytes(signers.example_event(number))
        return (service or self.service).call("POST", f"/webhooks/example/{tenant or self.tenant}", body, token=None,
                                              headers=signers.example(body, delivery=delivery or f"d-{number}"))

    def crash(self):
        """Two answers of one message that makes its tenant throw."""
        self.connect("example")
        self.assertEqual(self.deliver_example(1).status, 202)
        self.service.database.query(f"UPDATE signals SET id = 'damaged' WHERE tenant_id = '{self.tenant}'")
        return [self.deliver_example(1, delivery="again") for _ in range(2)]

    def raw(self, head):
        return first_answer(self.service.raw(head)[0])

    def provoke_validation_failed(self):
        return self.call("GET", "/signals?kind=nonsense")

    def provoke_invalid_body(self):
        return self.call("POST", "/connections", "[]", headers={"Content-Type": "application/json"})

    def provoke_bad_request(self):
        return self.raw(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")

    def provoke_unauthorized(self):
        return self.call("GET", "/signals", token="nobody's")

    def provoke_invalid_signature(self):
        return self.service.call("POST", f"/webhooks/example/{self.tenant}", b"{}", token=None)

    def provoke_forbidden(self):
        return self.call("GET", "/signals", token=self.token("jobs:read")["secret"])

    def provoke_tenant_scope_mismatch(self):
        return self.call("GET", "/signals", token=self.token()["secret"], tenant=self.new_tenant())

    def provoke_tenant_suspended(self):
        self.call("POST", f"/ops/tenants/{self.tenant}/suspend")
        return self.call("POST", "/connections", {"provider": "example", "external_id": "x"})

    def provoke_not_found(self):
        return self.call("GET", "/nowhere")

    def provoke_tenant_not_found(self):
        return self.call("GET", f"/api/v1/tenants/{uuid.uuid4()}")

    def provoke_message_quarantined(self):
        self.crash()
        return self.deliver_example(1, delivery="again")

    def provoke_tenant_unavailable(self):
        self.connect("example")
        for number in range(6):
            eventually(lambda n=number: self.deliver_example(n).status == 202, 15, "the next incarnation")
            self.service.database.query(f"UPDATE signals SET id = 'damaged ' || dedupe_key WHERE tenant_id = '{self.tenant}'")
            self.deliver_example(number, delivery=f"again-{number}")
        return self.call("GET", "/signals")

    def provoke_method_not_allowed(self):
        return self.call("DELETE", "/signals")

    def provoke_request_timeout(self):
        service = self.another(HTTP_HEADER_TIMEOUT_SECONDS="1").start()
        return first_answer(service.raw(b"GET /healthz HTTP/1.1\r\nHost")[0])

    def provoke_conflict(self):
        self.new_tenant(slug=(slug := "s-" + uuid.uuid4().hex[:8]))
        return self.service.call("PATCH", f"/api/v1/tenants/{self.tenant}", {"slug": slug})

    def provoke_idempotency_in_flight(self):
        key = {"Idempotency-Key": uuid.uuid4().hex}
        post = lambda: self.call("POST", "/connections", {"provider": "example", "external_id": "x"}, headers=key)
        with held_for_writers(self.service.database, "connections"):
            return min(self.pair(post, post), key=lambda answer: answer.status)  # the other one waits for the store

    def provoke_payload_too_large(self):
        return self.call("POST", "/connections", b" " * (2 << 20), headers={"Content-Type": "application/json"})

    def provoke_uri_too_long(self):
        return self.call("GET", "/" + "x" * 8200)

    def provoke_unsupported_media_type(self):
        return self.call("POST", "/connections", "{}", headers={"Content-Type": "text/plain"})

    def provoke_idempotency_key_reused(self):
        key = {"Idempotency-Key": "k"}
        self.call("POST", "/connections", {"provider": "example", "external_id": "x"}, headers=key)
        return self.call("POST", "/connections", {"provider": "example", "external_id": "y"}, headers=key)

    def provoke_rate_limited(self):
        service = self.another(WEBHOOK_RATE_LIMIT_PER_MINUTE="1", WEBHOOK_RATE_LIMIT_BURST_SIZE="1").start()
        tenant = service.call("POST", "/api/v1/tenants", {"name": "x"}).json["data"]["id"]
        return [self.deliver_example(n, service=service, tenant=tenant) for n in range(2)][-1]

    def provoke_headers_too_large(self):
        return self.call("GET", "/signals", headers={"X-Long": "x" * 17000})

    def provoke_internal_server_error(self):
        """A row that nobody could have written."""
        self.connect("example")
        self.assertEqual(self.deliver_example(1).status, 202)
        self.service.database.query(f"UPDATE signals SET id = 'damaged' WHERE tenant_id = '{self.tenant}'")
        return self.call("GET", "/signals")

    def provoke_webhooks_not_supported(self):
        return self.call("POST", "/hooks/zoho-mail", "{}")

    def provoke_provider_error(self):
        """Its address is one where nobody listens."""
        state = re.search(r"state=([^&]+)", self.call("POST", "/connect/example").json["authorize_url"])[1]
        return self.service.call("GET", f"/connect/example/callback?code=c&state={state}", token=None, timeout=60)

    def provoke_service_unavailable(self):
        return self.unmigrated().call("GET", "/readyz", token=None)

    def provoke_database_unavailable(self):
        return self.crash()[0]


class Tracker(Provoked, TrackerSuite):
    schema = "TrackerError"
    settings = {**TrackerSuite.settings, "TRACKER_QUEUE_MAX": "1", "EVENTS_AUTOCREATE_PROJECTS": "false"}

    def facade(self, path, **body):
        return self.ask("POST", F + path, {"provider": "linear", **body})

    def gate(self):
        body = {"project_id": self.project()["id"], "repo_full_name": "acme/app"}
        return self.expect(201, "POST", "/api/v1/connectors/github/", body)

    def check(self, gate, repository="acme/app", conclusion="success", secret=None):
        raw = json.dumps({"action": "completed", "repository": {"full_name": repository}, "check_run": {
            "id": 1, "name": "build", "conclusion": conclusion, "html_url": "https://github.com/acme/app/runs/1",
            "completed_at": "2026-03-01T00:00:00Z", "pull_requests": []}}).encode()
        signature = hmac.new((secret or gate["webhook_secret"]).encode(), raw, hashlib.sha256).hexdigest()
        headers = {"X-GitHub-Event": "check_run", "X-GitHub-Delivery": str(uuid.uuid4()), "X-Hub-Signature-256": "sha256=" + signature}
        return self.service.call("POST", f"/api/v1/webhooks/github/{gate['id']}/", raw, token=None, headers=headers)

    def waiting(self):
        """A snapshot in the queue, and a project for it."""
        self.taken(snapshot(None, [issue("a")]), status=202)
        item, = self.items("queue")
        return f"{T}/queue/{item['id']}/resolve/", {"project_id": self.project()["id"]}

    def offer(self):
        return self.expect(200, "GET", F + "/resources/?provider=linear")["resources"][0]["candidate_token"]

    def confirm(self, token, project):
        identity = {"uuid": project["project_uuid"], "slug": project["slug"]}
        return self.facade("/bind-confirm/", candidate_token=token, project_identity=identity)

    def provoke_validation_error(self):
        return self.ask("GET", T + "/drift/?state=nonsense")

    def provoke_invalid_json(self):
        return self.ask("POST", "/api/v1/projects/", "[]", headers={"Content-Type": "application/json"})

    def provoke_unauthorized(self):
        return self.ask("GET", "/api/v1/me", token="nobody's")

    def provoke_invalid_signature(self):
        return self.check(self.gate(), secret="wrong")

    def provoke_insufficient_scope(self):
        return self.ask("GET", T + "/drift/", token=self.token("jobs:read")["secret"])

    def provoke_team_forbidden(self):
        return self.ask("GET", T + "/drift/", token=self.token("tracker:read")["secret"], tenant=self.new_tenant())

    def provoke_tenant_suspended(self):
        self.service.call("POST", f"/ops/tenants/{self.tenant}/suspend")
        return self.ask("POST", "/api/v1/projects/", {"name": "x", "slug": "x"})

    def provoke_not_found(self):
        return self.ask("GET", f"{T}/drift/{uuid.uuid4()}/")

    def provoke_tenant_not_found(self):
        return self.ask("GET", T + "/drift/", tenant=str(uuid.uuid4()))

    def provoke_internal_error(self):
        """The body of a waiting snapshot is no snapshot any more."""
        path, body = self.waiting()
        self.service.database.query(f"DELETE FROM tracker_bodies WHERE tenant_id = '{self.tenant}'")
        return self.ask("POST", path, body)

    def provoke_busy(self):
        return self.unmigrated().call("GET", "/api/v1/flags/", tenant=self.tenant)

    def provoke_method_not_allowed(self):
        return self.ask("DELETE", T + "/drift/")

    def provoke_payload_too_large(self):
        return self.ask("POST", "/api/v1/projects/", b" " * (2 << 20), headers={"Content-Type": "application/json"})

    def provoke_unsupported_media_type(self):
        return self.ask("POST", "/api/v1/projects/", "{}", headers={"Content-Type": "text/plain"})

    def provoke_idempotency_key_conflict(self):
        home = self.project()
        self.taken(snapshot(home, [issue("a")]), "k")
        return self.send(snapshot(home, [issue("b")]), "k")

    def provoke_rate_limited(self):
        gate = self.gate()
        answers = (self.check(gate) for _ in range(400))
        return next(answer for answer in answers if answer.status != 202)

    def provoke_invalid_cursor(self):
        return self.ask("GET", T + "/drift/?cursor=x")

    def provoke_idempotency_key_required(self):
        return self.ask("POST", T + "/snapshots/", snapshot())

    def provoke_idempotency_key_invalid(self):
        return self.send(snapshot(), "k" * 256)

    def provoke_tenant_required(self):
        return self.service.call("GET", T + "/drift/", token=OPERATOR)

    def provoke_repository_mismatch(self):
        return self.check(self.gate(), repository="acme/other")

    def provoke_unknown_conclusion(self):
        return self.check(self.gate(), conclusion="martian")

    def provoke_binding_not_found(self):
        return self.ask("GET", f"{T}/bindings/{uuid.uuid4()}/")

    def provoke_mapping_disabled(self):
        row = self.binding(self.project())
        self.expect(200, "PATCH", f"{T}/bindings/{row['id']}/", {"state": "disabled"})
        return self.facade("/pull/", binding_ref=row["binding_ref"])

    def provoke_project_mismatch(self):
        row = self.binding(self.project())
        return self.facade("/pull/", binding_ref=row["binding_ref"], project_slug=self.project()["slug"])

    def provoke_invalid_candidate_token(self):
        self.binding(self.project())
        return self.confirm("cand_" + "0" * 26, self.project())

    def provoke_project_not_admitted(self):
        told = {"event_id": str(uuid.uuid4()), "event_type": "WPCreated", "aggregate_id": "WP01", "aggregate_type": "WorkPackage",
                "payload": {"wp_id": "WP01"}, "node_id": "n", "lamport_clock": 1, "timestamp": "2026-03-01T00:00:00Z",
                "project_uuid": str(uuid.uuid4()), "project_slug": "stranger"}
        return self.ask("POST", "/api/v1/events/batch/", {"events": [told]})

    def provoke_no_installation(self):
        return self.ask("GET", F + "/resources/?provider=linear")

    def provoke_feature_disabled(self):
        self.expect(200, "PUT", "/api/v1/flags/tracker_connectors", {"enabled": False})
        return self.ask("GET", T + "/drift/")

    def provoke_outbound_writes_deferred(self):
        return self.facade("/push/")

    def provoke_project_not_found(self):
        return self.ask("GET", f"/api/v1/projects/{uuid.uuid4()}/")

    def provoke_work_package_not_found(self):
        return self.ask("GET", f"/api/v1/projects/{self.project()['id']}/work-packages/WP99/")

    def provoke_receipt_not_found(self):
        return self.ask("GET", f"{T}/snapshots/{uuid.uuid4()}/")

    def provoke_flag_not_found(self):
        return self.ask("PUT", "/api/v1/flags/other", {"enabled": True})

    def provoke_operation_not_found(self):
        return self.ask("GET", F + "/operations/x/?provider=linear")

    def provoke_no_mapping(self):
        return self.facade("/pull/", project_slug=self.project()["slug"])

    def provoke_binding_exists(self):
        home = self.project()
        self.binding(home)
        return self.ask("POST", T + "/bindings/", {"project_id": home["id"], "provider": "linear", "workspace": "acme"})

    def provoke_already_bound(self):
        self.binding(self.project())
        return self.confirm(self.offer(), self.project())

    def provoke_mapping_exists(self):
        row = self.binding(self.project())
        link = {"binding_id": row["id"], "wp_id": "WP01", "external_id": "a"}
        self.expect(201, "POST", T + "/mappings/", link)
        return self.ask("POST", T + "/mappings/", link)

    def provoke_project_exists(self):
        return self.ask("POST", "/api/v1/projects/", {"name": "x", "slug": self.project()["slug"]})

    def provoke_origin_conflict(self):
        origin = {"binding_ref": self.binding(self.project())["binding_ref"], "mission_id": "m", "external_issue_id": "a", "external_issue_key": "A",
                  "external_issue_url": "", "external_title": "T", "external_status": ""}
        self.facade("/mission-origin/bind/", **origin)
        return self.facade("/mission-origin/bind/", **{**origin, "external_issue_id": "b"})

    def provoke_queue_item_closed(self):
        path, body = self.waiting()
        self.expect(200, "POST", path, body)
        return self.ask("POST", path, body)

    def provoke_invalid_transition(self):
        return self.ask("PATCH", f"/api/v1/projects/{self.project()['id']}/", {"project_uuid": str(uuid.uuid4())})

    def provoke_ambiguous_work_package(self):
        home = self.project()
        for mission in ("one", "two"):
            self.work_package(home, mission_slug=mission)
        return self.ask("GET", f"/api/v1/projects/{home['id']}/work-packages/WP01/")

    def provoke_queue_full(self):
        self.taken(snapshot(None, [issue("a")]), status=202)
        return self.send(snapshot(None, [issue("a")], workspace="other"))


if __name__ == "__main__":
    harness.main()
