"""Requests of published clients, byte for byte as they send them, against this service."""

import hashlib
import http.client
import json
import pathlib
import socket

import harness
from harness import Answer, Suite, promised

GOLDEN = pathlib.Path(__file__).resolve().parents[1] / "golden" / "clients"
PROJECT = "3b0c6f3e-52f4-4f0a-9a61-8f1d2c7b5e10"


def request(client, name, **values):
    """The bytes of a recorded request. Its head is kept with line feeds, and ends at the first empty line."""
    head, _, body = (GOLDEN / client / f"{name}.http").read_text().partition("\n\n")
    for key, value in values.items():
        head, body = head.replace("{%s}" % key, value), body.replace("{%s}" % key, value)
    return head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body.removesuffix("\n").encode()


class Clients(Suite):
    def setUp(self):
        super().setUp()
        self.slug = "team-" + self.tenant[-12:]
        self.service.call("PATCH", f"/api/v1/tenants/{self.tenant}", {"slug": self.slug})
        self.put_flag(True)
        self.write = self.token("tracker:write")
        self.call("POST", "/api/v1/projects/", {"name": "Shop", "slug": "shop", "project_uuid": PROJECT})

    def put_flag(self, enabled):
        self.assertEqual(self.call("PUT", "/api/v1/flags/tracker_connectors", {"enabled": enabled}).status, 200)

    def send(self, client, name, status=200, **values):
        """The JSON of the answer. A client reads nothing that is not application/json."""
        raw = request(client, name, **{"host": f"127.0.0.1:{self.service.port}", "token": self.write["secret"], "team": self.slug, **values})
        with socket.create_connection(("127.0.0.1", self.service.port), timeout=20) as link:
            link.sendall(raw)
            answer = http.client.HTTPResponse(link)
            answer.begin()
            text = answer.read()
        method, target, _ = raw.split(b" ", 2)
        promised(method.decode(), target.decode(), Answer(answer.status, answer.headers, text))
        self.assertEqual(answer.status, status, text)
        self.assertIn("application/json", answer.headers["Content-Type"])
        self.replayed = answer.headers["Idempotency-Replayed"]
        return json.loads(text)

    def published(self):
        return self.send("3.0.0", "publish", 201)

    # ---- those that publish snapshots

    def test_2_0_2_publishes_and_publishes_again(self):
        raw = request("2.0.2", "publish")
        body = json.loads(raw.partition(b"\r\n\r\n")[2])
        counted = f"{body['provider']}|{body['workspace']}|{len(body['issues'])}|{len(body['mappings'])}|{body['checkpoint']['cursor']}"
        self.assertIn(hashlib.sha256(counted.encode()).hexdigest().encode(), raw)
        first = self.send("2.0.2", "publish", 201)
        self.assertEqual((first["status"], first["routing"]["matched_by"], first["counts"]["issues"], first["project"]["slug"]),
                         ("accepted", "project", 2, "shop"))
        again = self.send("2.0.2", "publish", 200)
        self.assertEqual((again["status"], again["receipt_id"], self.replayed), ("replayed", first["receipt_id"], "true"))
        titles = [i["title"] for i in self.get("/api/v1/connectors/trackers/issues/")["items"]]
        self.assertEqual(titles, ["Checkout déborde", "Login"])

    def test_3_0_0_publishes_with_routing(self):
        reply = self.published()
        self.assertEqual((reply["binding_created"], reply["routing"]), (True, {"matched_by": "project", "fallback_used": True}))
        [binding] = self.get("/api/v1/connectors/trackers/bindings/")["items"]
        self.assertEqual([(r["resource_type"], r["resource_id"], r["state"]) for r in binding["resources"]], [("linear_team", "team-7", "discovered")])
        self.assertEqual(binding["doctrine"]["field_owners"], {"status": "external", "title": "local"})

    def test_a_publisher_reads_why_it_was_refused(self):
        self.put_flag(False)
        for client in ("2.0.2", "3.0.0"):
            refused = self.send(client, "publish", 403)
            self.assertEqual((refused["error_code"], refused["category"], refused["retryable"]), ("feature_disabled", "feature", False))

    # ---- those of the control plane

    def test_a_project_is_bound_and_worked_with(self):
        self.call("PATCH", f"/api/v1/projects/{PROJECT}", {"slug": "elsewhere"})
        self.published()
        # The project has its one binding: nothing has to be chosen.
        resolved = self.send("3.0.1", "bind_resolve")
        self.assertEqual((resolved["match_type"], resolved["candidate_token"], resolved["candidates"]), ("exact", None, []))
        binding = {"binding_ref": resolved["binding_ref"]}
        [row] = self.send("3.0.1", "resources")["resources"]
        self.assertEqual((row["binding_ref"], row["bound_project_slug"], row["provider_context"]),
                         (resolved["binding_ref"], "elsewhere", {"workspace_name": "acme-eng", "team_id": "team-7"}))
        confirmed = self.send("3.0.1", "bind_confirm", candidate_token=row["candidate_token"])
        self.assertEqual((confirmed["binding_ref"], confirmed["provider"]), (resolved["binding_ref"], "linear"))
        self.assertEqual(self.send("3.0.1", "bind_confirm", candidate_token=row["candidate_token"]), confirmed)
        self.assertEqual(self.replayed, "true")
        self.assertIs(self.send("3.0.1", "bind_validate", **binding)["valid"], True)
        status = self.send("3.0.1", "status", **binding)
        self.assertEqual((status["configured"], status["connected"], status["issue_count"], status["mapping_count"]), (True, True, 1, 1))
        self.assertEqual(self.send("3.0.1", "status_installation")["resource_count"], 1)
        self.assertEqual([m["external_key"] for m in self.send("3.0.1", "mappings", **binding)["mappings"]], ["ENG-1"])
        pulled = self.send("3.0.1", "pull", **binding)
        self.assertEqual(([i["title"] for i in pulled["items"]], pulled["has_more"], pulled["next_cursor"]), (["Fix login"], False, None))
        self.assertEqual([t["identifier"] for t in self.send("3.0.1", "list_tickets", **binding)["tickets"]], ["ENG-1"])
        origin = self.send("3.0.1", "mission_origin", **binding)
        self.assertEqual((origin["mission_slug"], origin["already_bound"]), ("012-login", False))

    def test_a_project_is_named_by_its_slug(self):
        reply = self.published()
        for name in ("status_by_slug", "pull_filtered", "issue_search"):
            answer = self.send("3.0.1", name)
            self.assertEqual((answer["binding_ref"], answer["display_label"]), (reply["binding_ref"], "linear:acme-eng"), name)
        self.assertEqual([c["match_type"] for c in self.send("3.0.1", "issue_search")["candidates"]], ["exact"])

    def test_a_team_is_named_by_slug_id_and_private_id(self):
        for team in (self.slug, self.tenant, "private-" + self.write["id"]):
            self.assertEqual(self.send("3.0.1", "status_installation", team=team)["connected"], False)
        self.assertEqual(self.send("3.0.1", "status_installation", 403, team="another")["error_code"], "team_forbidden")

    def test_what_this_version_does_not_do(self):
        reply = self.published()
        for name in ("push", "run"):
            refused = self.send("3.0.1", name, 403, binding_ref=reply["binding_ref"])
            self.assertEqual((refused["error_code"], refused["user_action_required"], refused["idempotency_key"]),
                             ("outbound_writes_deferred", False, "0d1f8f9c-6a43-4a0e-9d51-3c5b3a6a7b21"))
        self.assertEqual(self.send("3.0.1", "operation", 404)["error_code"], "operation_not_found")


if __name__ == "__main__":
    harness.main()
