"""The audit log: one row for each change that a caller makes, in the transaction of the change."""

import time
import urllib.parse
import uuid

import harness
import signers
import snapshots
from harness import OPERATOR, Suite, eventually
from zoo import ZooSuite, fetch

INTAKE = {"ingestAsOperator", "ingestWebhook", "ingestAppWebhook"}  # the row of the delivery is the history
PUBLISHED = {"postTrackerSnapshot", "ingestEvents", "takeGateDelivery"}  # receipts and the feed are their history
READING = {"facadePull", "facadeSearch", "facadeTickets", "facadeBindResolve", "facadeBindValidate"}  # by POST, as clients ask
REFUSING = {"facadePush", "facadeRun"}  # this version writes to no tracker
DOOR = {"openDashboard"}  # see below: it names no tenant of the caller's
TEAM = {"putFlag", "createProject", "patchProject", "putWorkPackage", "createBinding", "patchBinding", "deleteBinding", "createResource",
        "patchResource", "deleteResource", "createMapping", "patchMapping", "deleteMapping", "resolveTrackerQueueItem",
        "dismissTrackerQueueItem", "createGate", "deleteGate", "facadeBindConfirm", "facadeBindOrigin"}
CONSENT = {"startOAuth", "syncProvider", "refreshConnection"}  # see below, where there are providers to ask


class Trail:
    def rows(self, trace):
        """What the request of that trace left."""
        columns = "action || '|' || actor || '|' || object || '|' || outcome || '|' || coalesce(tenant_id, '-')"
        found = self.service.database.query(f"SELECT {columns} FROM audit_log WHERE trace_id = '{trace}'")
        return [tuple(row.split("|")) for row in found]

    def traced(self, method, path, body=None, status=None, headers=None, **options):
        """A request and what it left; without a status, one that succeeds."""
        trace = uuid.uuid4().hex
        answer = self.call(method, path, body, headers={"X-Request-Id": trace, **(headers or {})}, **options)
        self.assertIn(answer.status, [status] if status else range(200, 300), answer)
        return answer, self.rows(trace)


class Audit(Trail, Suite):
    def changes(self, action, method, path, body=None, object=None, actor="operator", tenant=..., **options):
        """One row, and it says who did what to which; the object is the answer's row where none is given."""
        answer, rows = self.traced(method, path, body, **options)
        object = object or answer.json.get("data", answer.json)["id"]
        self.assertEqual(rows, [(action, actor, object, "ok", self.tenant if tenant is ... else tenant)])
        return object

    def test_every_change_leaves_one_row(self):
        tenant = str(uuid.uuid4())
        path, ops = "/api/v1/tenants/" + self.tenant, "/ops/tenants/" + self.tenant
        account = uuid.uuid4().int % 10**12
        body = signers.to_bytes(signers.issue(installation={"id": account}, owner=1))
        seen = set()

        def changes(operation, *arguments, **options):
            seen.add(operation)
            return self.changes(*arguments, **options)

        changes("createTenant", "tenant.create", "POST", "/api/v1/tenants", {"name": "n", "id": tenant}, tenant=tenant)
        changes("deleteTenant", "tenant.delete", "DELETE", "/api/v1/tenants/" + tenant, object=tenant, tenant="-")
        changes("patchTenant", "tenant.patch", "PATCH", path, {"name": "other"})
        token = changes("createToken", "token.create", "POST", path + "/tokens", {"name": "t", "scopes": ["signals:read"]})
        changes("revokeToken", "token.revoke", "DELETE", f"{path}/tokens/{token}", object=token)
        row = changes("createConnection", "connection.create", "POST", "/connections", {"provider": "github", "external_id": "1"})
        changes("patchConnection", "connection.patch", "PATCH", "/connections/" + row, {"display_name": "d"})
        changes("rotateWebhookSecret", "connection.rotate_secret", "POST", f"/connections/{row}/webhook-secret", object=row)
        changes("deleteConnection", "connection.delete", "DELETE", "/connections/" + row, object=row)
        unmatched = self.deliver("github", body, signers.github(body)).json["delivery_id"]
        changes("replayDelivery", "delivery.replay", "POST", f"/deliveries/{unmatched}/replay", object=unmatched)
        self.service.call("POST", "/hooks/github", body, token=None, headers=signers.github(body))
        self.connect("github", str(account))
        [unrouted] = [u["id"] for u in self.service.pages("/ops/unrouted", "unrouted") if str(account) in str(u["identities"])]
        changes("routeUnrouted", "unrouted.route", "POST", f"/ops/unrouted/{unrouted}/route", object=unrouted, tenant="-")
        changes("putSignalConfig", "signal_config.put", "PUT", "/signal-config", {"weak_signal_threshold": 0}, object=self.tenant)
        news = signers.to_bytes(signers.issue(2, updated=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())))
        self.deliver("github", news, signers.github(news))
        question = {"tenant_id": self.tenant}
        [grounded] = eventually(lambda: self.get("/grounded-signals", query=question)["data"], what="a grounded signal")
        one = "/grounded-signals/" + grounded["id"]
        changes("patchGroundedSignal", "grounded_signal.patch", "PATCH", one, {"status": "draft"})
        changes("deleteGroundedSignal", "grounded_signal.delete", "DELETE", one, object=grounded["id"])
        changes("suspendTenant", "tenant.suspend", "POST", ops + "/suspend", object=self.tenant)
        changes("resumeTenant", "tenant.resume", "POST", ops + "/resume", object=self.tenant)
        changes("restartTenant", "tenant.restart", "POST", ops + "/restart", object=self.tenant)

        paths = self.service.call("GET", "/openapi.json").json["paths"]
        # The buttons of pages send the same commands: test_dashboard_connectors.py has the rows that they leave.
        calls = [methods for path, methods in paths.items() if not path.startswith("/dashboard/")]
        mutating = {o["operationId"] for methods in calls for m, o in methods.items() if m in ("post", "put", "patch", "delete")}
        self.assertEqual(seen, mutating - INTAKE - CONSENT - PUBLISHED - READING - REFUSING - DOOR - TEAM)

    def test_a_token_is_named_by_its_id(self):
        token = self.token("connections:write")
        row = self.changes("connection.create", "POST", "/connections", {"provider": "example", "external_id": "1"},
                           actor="token:" + token["id"], token=token["secret"])
        self.changes("connection.delete", "DELETE", "/connections/" + row, object=row, actor="token:" + token["id"], token=token["secret"])

    def test_an_ingest_leaves_none_but_what_it_ends(self):
        row = self.connect("slack", "T1")["id"]
        bodies = [signers.to_bytes({"type": "event_callback", "event_id": name, "team_id": "T1", "event": {"type": name}})
                  for name in ("app_mention", "app_uninstalled")]
        for body, expected in zip(bodies, ([], [("connection.revoke", "webhook", row, "ok", self.tenant)])):
            _, rows = self.traced("POST", f"/webhooks/slack/{self.tenant}", body, token=None, headers=signers.slack(body))
            self.assertEqual(rows, expected)
        example = signers.to_bytes(signers.example_event())
        for path in ("/webhooks/example", "/webhooks/example/" + self.tenant):
            self.assertEqual(self.traced("POST", path, example)[1], [])
        self.assertEqual(self.traced("POST", "/hooks/example", example, token=None, headers=signers.example(example))[1], [])

    def test_what_is_refused_or_was_so_already_leaves_none(self):
        row, read_only = self.connect("example", "1")["id"], self.token("connections:read")["secret"]
        unknown, tenants = str(uuid.uuid4()), "/api/v1/tenants"
        connections, tokens, ops = "/connections", f"{tenants}/{self.tenant}/tokens", "/ops/tenants/" + self.tenant
        slug = "s" + uuid.uuid4().hex[:10]
        self.new_tenant(slug=slug)
        for status, method, path, body, options in (
                (400, "POST", connections, {"provider": "nobody", "external_id": "1"}, {}),
                (400, "PATCH", f"{connections}/{row}", {}, {}),
                (401, "POST", connections, {"provider": "example", "external_id": "2"}, {"token": OPERATOR + "x"}),
                (403, "POST", connections, {"provider": "example", "external_id": "2"}, {"token": read_only}),
                (403, "POST", ops + "/suspend", None, {"token": read_only}),
                (404, "PATCH", f"{connections}/{unknown}", {"display_name": "x"}, {}),
                (404, "DELETE", f"{connections}/{unknown}", None, {}),
                (404, "POST", f"{connections}/{unknown}/webhook-secret", None, {}),
                (404, "POST", f"/deliveries/{unknown}/replay", None, {}),
                (404, "POST", f"/ops/unrouted/{unknown}/route", None, {}),
                (404, "POST", f"/ops/tenants/{unknown}/restart", None, {}),
                (404, "DELETE", f"{tenants}/{unknown}", None, {}),
                (404, "DELETE", f"{tokens}/{unknown}", None, {}),
                (409, "POST", tenants, {"name": "again", "slug": slug}, {}),
                (409, "PATCH", f"{tenants}/{self.tenant}", {"slug": slug}, {}),
                (200, "POST", ops + "/resume", None, {}),
                (204, "DELETE", f"{connections}/{row}", None, {"before": True}),
                (409, "POST", f"{connections}/{row}/webhook-secret", None, {}),
                (403, "POST", connections, {"provider": "example", "external_id": "2"}, {"suspended": True})):
            with self.subTest(f"{status} {method} {path}"):
                if options.pop("before", False):
                    self.call(method, path)
                if options.pop("suspended", False):
                    self.call("POST", ops + "/suspend")
                self.assertEqual(self.traced(method, path, body, status, **options)[1], [])

    def test_an_answer_given_again_leaves_none(self):
        for path, body in (("/connections", {"provider": "example", "external_id": "1"}), ("/api/v1/tenants", {"name": "keyed"})):
            key = {"Idempotency-Key": uuid.uuid4().hex}
            first, rows = self.traced("POST", path, body, headers=key)
            self.assertEqual(len(rows), 1)
            again, rows = self.traced("POST", path, body, headers=key)
            self.assertEqual((again.headers["Idempotency-Replayed"], again.body, rows), ("true", first.body, []))

    def test_rows_hold_no_secrets(self):
        token = self.token()
        row = self.connect("example", webhook_secret="connection-secret-canary", token=token["secret"])["id"]
        rotated = self.call("POST", f"/connections/{row}/webhook-secret").json["webhook_secret"]
        log = " ".join(self.service.database.query("SELECT * FROM audit_log"))
        self.assertIn(row, log)
        for mark in (OPERATOR, token["secret"], token["prefix"], "connection-secret-canary", rotated):
            self.assertNotIn(mark, log)


class Team(Trail, snapshots.TrackerSuite):
    def changes(self, action, method, path, body=None):
        answer, rows = self.traced(method, path, body)
        self.assertEqual([row[:2] + row[3:] for row in rows], [(action, "operator", "ok", self.tenant)], path)
        return answer.json if answer.body else None

    def queued(self):
        """A snapshot of a project that nobody knows."""
        body = snapshots.snapshot({"project_uuid": str(uuid.uuid4()), "slug": "unknown"}, workspace=uuid.uuid4().hex)
        answer = self.call("POST", snapshots.T + "/snapshots/", body, headers={"Idempotency-Key": uuid.uuid4().hex})
        self.assertEqual(answer.status, 202, answer)
        return self.get(snapshots.T + "/queue/?state=pending")["items"][0]["id"]

    def test_every_change_of_a_team_leaves_one_row(self):
        t, projects = snapshots.T, "/api/v1/projects/"
        self.changes("flag.put", "PUT", "/api/v1/flags/tracker_connectors", {"enabled": True})
        project = self.changes("project.create", "POST", projects, {"name": "Apollo", "slug": "apollo"})
        self.changes("project.patch", "PATCH", projects + project["id"] + "/", {"name": "Apollo 2"})
        self.changes("work_package.put", "PUT", f"{projects}{project['id']}/work-packages/WP01/", {"lane": "done"})
        wanted = {"project_id": project["id"], "provider": "linear", "workspace": "acme"}
        binding = t + "/bindings/" + self.changes("tracker_binding.create", "POST", t + "/bindings/", wanted)["id"] + "/"
        self.changes("tracker_binding.patch", "PATCH", binding, {"display_label": "Acme"})
        resource = self.changes("tracker_resource.create", "POST", binding + "resources/", {"resource_type": "linear_team", "resource_id": "1"})
        resource = f"{binding}resources/{resource['id']}/"
        self.changes("tracker_resource.patch", "PATCH", resource, {"state": "disabled"})
        self.changes("tracker_resource.delete", "DELETE", resource)
        link = {"binding_id": binding.split("/")[-2], "wp_id": "WP01", "external_id": "a-1"}
        link = t + "/mappings/" + self.changes("tracker_mapping.create", "POST", t + "/mappings/", link)["id"] + "/"
        self.changes("tracker_mapping.patch", "PATCH", link, {"external_key": "A-1"})
        self.changes("tracker_mapping.delete", "DELETE", link)
        self.changes("tracker_queue.resolve", "POST", f"{t}/queue/{self.queued()}/resolve/", {"project_id": project["id"]})
        self.changes("tracker_queue.dismiss", "POST", f"{t}/queue/{self.queued()}/dismiss/", {})
        self.changes("tracker_binding.delete", "DELETE", binding)

    def test_gates_and_what_clients_confirm_leave_one_row(self):
        project = self.project(slug="apollo-" + uuid.uuid4().hex[:6])
        wanted = {"project_id": project["id"], "repo_full_name": "octocat/hello"}
        gate = self.changes("gate.create", "POST", "/api/v1/connectors/github/", wanted)["id"]
        self.changes("gate.delete", "DELETE", f"/api/v1/connectors/github/{gate}/")
        self.queued()
        offered = self.get("/api/v1/tracker/resources/?provider=linear")["resources"][0]["candidate_token"]
        identity = {"uuid": project["project_uuid"], "slug": project["slug"]}
        confirmed = {"provider": "linear", "candidate_token": offered, "project_identity": identity}
        bound = self.changes("tracker_binding.confirm", "POST", "/api/v1/tracker/bind-confirm/", confirmed)
        origin = {"provider": "linear", "binding_ref": bound["binding_ref"], "mission_id": "m1", "external_issue_id": "a-1",
                  "external_issue_key": "A-1", "external_issue_url": "https://linear.app/acme/a-1", "external_title": "A", "external_status": ""}
        self.changes("mission_origin.bind", "POST", "/api/v1/tracker/mission-origin/bind/", origin)


class Door(Trail, Suite):
    def test_the_way_into_the_dashboard_leaves_its_rows(self):
        wanted = {"tenant_id": self.tenant, "name": "Ana", "roles": ["viewer"]}
        opened, rows = self.traced("POST", "/api/v1/dashboard-sessions", wanted)
        self.assertEqual(rows, [("dashboard.open_door", "operator", "Ana", "ok", self.tenant)])
        path = "/" + opened.json["url"].split("/", 3)[3]
        self.assertEqual(self.traced("GET", path, token=None, tenant=None)[1], [("dashboard.enter", "webhook", "Ana", "ok", self.tenant)])
        self.assertEqual(self.traced("GET", path, token=None, tenant=None, status=404)[1], [])


class Consent(Trail, ZooSuite):
    def test_consent_refresh_and_sync_leave_one_row_each(self):
        started, rows = self.traced("POST", "/connect/gitlab")
        self.assertEqual([row[:2] + row[3:] for row in rows], [("oauth.start", "operator", "ok", self.tenant)])
        self.assertNotIn(started.json["authorize_url"].partition("state=")[2][:43], str(rows))
        location = urllib.parse.urlsplit(fetch("GET", started.json["authorize_url"] + "&account=" + self.person).headers["Location"])
        made, rows = self.traced("GET", location.path + "?" + location.query, token=None, tenant=None)
        row = made.json["connection"]["id"]
        self.assertEqual(rows, [("connection.connect", "oauth", row, "ok", self.tenant)])
        _, rows = self.traced("POST", f"/connections/{row}/refresh")
        self.assertEqual(rows, [("connection.refresh", "operator", row, "ok", self.tenant)])
        _, rows = self.traced("POST", "/sync/gitlab", {"connection_id": row})
        self.assertEqual(rows, [("sync.request", "operator", row, "ok", self.tenant)])

    def test_what_is_refused_leaves_none(self):
        gone = str(uuid.uuid4())
        for status, method, path in ((404, "POST", "/connect/nobody"), (400, "GET", "/connect/gitlab/callback?state=x"),
                                     (404, "POST", f"/connections/{gone}/refresh"), (404, "POST", "/sync/gitlab")):
            with self.subTest(path):
                self.assertEqual(self.traced(method, path, status=status)[1], [])


if __name__ == "__main__":
    harness.main()
