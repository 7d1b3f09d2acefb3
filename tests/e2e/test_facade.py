"""The facade of the control-plane clients: routing and reads; nothing is written outside."""

import json

import harness
from facade import F, FLAG, FacadeSuite, T, issue, mapping

READS = (("GET", "/status/"), ("GET", "/mappings/"), ("POST", "/pull/"), ("POST", "/issue-search/"), ("POST", "/list-tickets/"))


class Routing(FacadeSuite):
    def routed(self, method, path, **members):
        members = {"provider": "linear", **members}
        if method == "GET":
            return self.call(method, F + path, query=members)
        return self.call(method, F + path, members)

    def test_each_way_to_name_a_binding(self):
        binding = self.bind()
        self.publish([issue("a-1")])
        for method, path in READS:
            with self.subTest(path):
                by_ref = self.routed(method, path, binding_ref=binding["binding_ref"])
                by_slug = self.routed(method, path, project_slug="shop")
                both = self.routed(method, path, binding_ref=binding["binding_ref"], project_slug="shop")
                self.assertEqual((by_ref.status, by_slug.status), (200, 200), (by_ref, by_slug))
                self.assertEqual(both.json, by_ref.json)
                named = {"binding_ref": binding["binding_ref"], "display_label": "linear:acme", "provider_context": {"workspace_name": "acme"}}
                self.assertEqual(by_slug.json, {**by_ref.json, **named})

    def test_what_leads_nowhere(self):
        other = self.add_project("other")
        binding, jira = self.bind(), self.bind(provider="jira")
        ref = binding["binding_ref"]
        for method, path in READS:
            with self.subTest(path):
                self.refused_as(self.routed(method, path, binding_ref="srm_nope"), 400, "binding_not_found", "binding")
                self.refused_as(self.routed(method, path, binding_ref=jira["binding_ref"]), 400, "project_mismatch", "binding")
                self.refused_as(self.routed(method, path, binding_ref=ref, project_slug=other["slug"]), 400, "project_mismatch")
                self.refused_as(self.routed(method, path, binding_ref=ref, project_slug="nope"), 400, "project_mismatch")
                self.refused_as(self.routed(method, path, project_slug="nope"), 404, "project_not_found", "not_found")
        self.call("PATCH", f"{T}/bindings/{binding['id']}/", {"state": "disabled"})
        for method, path in READS:
            self.refused_as(self.routed(method, path, binding_ref=ref), 400, "mapping_disabled", "binding")
            self.refused_as(self.routed(method, path, project_slug="shop"), 400, "mapping_disabled", "binding")
        self.call("DELETE", f"{T}/bindings/{binding['id']}/")
        for method, path in READS:
            self.refused_as(self.routed(method, path, binding_ref=ref), 400, "binding_not_found", "binding")

    def test_a_provider_is_required_and_known(self):
        for method, path in READS:
            for provider in (None, "", "sap", 7 if method == "POST" else "7"):
                with self.subTest(f"{path} {provider}"):
                    wrong = self.refused_as(self.routed(method, path, provider=provider), 422, "validation_error", "validation")
                    self.assertEqual([e["path"] for e in wrong["details"]["errors"]], ["provider"])
        self.bind(provider="azure_devops")
        self.assertEqual(self.look("/status/", provider=" Azure-DevOps ")["resource_count"], 1)

    def test_malformed_json_is_400_and_another_type_415(self):
        for path in ("/pull/", "/issue-search/", "/bind-confirm/", "/mission-origin/bind/"):
            json_type = {"Content-Type": "application/json"}
            self.refused_as(self.call("POST", F + path, "{", headers=json_type), 400, "invalid_json")
            self.refused_as(self.call("POST", F + path, "[]", headers=json_type), 400, "invalid_json")
            self.refused_as(self.call("POST", F + path, "{}", headers={"Content-Type": "text/plain"}), 415, "unsupported_media_type")

    def test_the_slash_at_the_end_and_what_is_not_there(self):
        for path in ("/status", "/status/"):
            self.assertEqual(self.look(path)["provider"], "linear")
        self.refused_as(self.call("GET", F + "/nothing/"), 404, "not_found")
        wrong = self.call("GET", F + "/pull/")
        self.refused_as(wrong, 405, "method_not_allowed")
        self.assertIn("POST", wrong.headers["Allow"].split(", "))

    def test_the_flag_and_scopes(self):
        read = self.token("tracker:read")["secret"]
        for path in ("/bind-confirm/", "/mission-origin/bind/", "/push/", "/run/"):
            answer = self.call("POST", F + path, {}, token=read, tenant=None)
            self.assertEqual(self.refused_as(answer, 403, "insufficient_scope")["details"], {"required": "tracker:write"})
        self.call("PUT", FLAG, {"enabled": False})
        for method, path in READS + (("GET", "/health"), ("GET", "/resources/"), ("POST", "/bind-resolve/"), ("POST", "/push/"), ("GET", "/operations/x/")):
            self.refused_as(self.call(method, F + path, {} if method == "POST" else None), 403, "feature_disabled", "feature")

    def test_a_suspended_team_reads_and_nothing_else(self):
        self.publish([issue("a-1")])
        self.call("POST", f"/ops/tenants/{self.tenant}/suspend")
        for method, path in READS[:2]:
            self.assertEqual(self.routed(method, path).status, 200)
        self.assertEqual(len(self.look("/resources/")["resources"]), 1)
        self.assertEqual(self.resolve()["match_type"], "exact")
        for path in ("/bind-confirm/", "/mission-origin/bind/", "/push/"):
            self.refused_as(self.call("POST", F + path, {"provider": "linear"}), 403, "tenant_suspended")

    def test_nothing_of_another_team(self):
        binding = self.bind()
        self.publish([issue("a-1")])
        [mine] = self.look("/resources/")["resources"]
        other = self.new_tenant()
        self.call("PUT", FLAG, {"enabled": True}, tenant=other)
        theirs = self.add_project("shop", tenant=other)
        for method, path in READS:
            options = {"tenant": other}
            query = {"provider": "linear", "binding_ref": binding["binding_ref"]}
            answer = self.call(method, F + path, query=query, **options) if method == "GET" else self.call(method, F + path, query, **options)
            unknown = {**query, "binding_ref": "srm_" + "0" * 26}
            nothing = self.call(method, F + path, query=unknown, **options) if method == "GET" else self.call(method, F + path, unknown, **options)
            self.refused_as(answer, 400, "binding_not_found")
            self.assertEqual({**answer.json, "trace_id": 0}, {**nothing.json, "trace_id": 0})
        self.assertEqual(self.call("GET", F + "/status/", query={"provider": "linear"}, tenant=other).json["bindings"], [])
        body = {"provider": "linear", "candidate_token": mine["candidate_token"], "project_identity": self.identity(theirs)}
        self.refused_as(self.call("POST", F + "/bind-confirm/", body, tenant=other), 400, "invalid_candidate_token")
        body = {"provider": "linear", "binding_ref": binding["binding_ref"], "project_identity": self.identity()}
        self.assertEqual(self.call("POST", F + "/bind-validate/", body, tenant=other).json["reason"], "mapping_deleted")
        # The token is still good where it was made.
        self.assertEqual(self.confirm(mine["candidate_token"])["binding_ref"], binding["binding_ref"])


class Reads(FacadeSuite):
    def test_status_of_a_project(self):
        nothing = self.look("/status/", project_slug="shop")
        self.assertEqual(nothing, {"configured": False, "provider": "linear", "connected": False, "project_slug": "shop", "identity_path": None,
                                   "sync_state": "idle", "last_sync": None, "health": "not_bound", "drift_open": 0, "issue_count": 0, "mapping_count": 0})
        binding = self.bind()
        bound = self.look("/status/", project_slug="shop")
        self.assertEqual((bound["configured"], bound["connected"], bound["health"]), (True, False, "disconnected"))
        self.publish([issue("a-1", "done")], [mapping("WP01", "a-1"), mapping("WP02", "a-1")])
        now = self.look("/status/", project_slug="shop")
        self.assertEqual((now["connected"], now["health"], now["issue_count"], now["mapping_count"], now["drift_open"]), (True, "drifting", 1, 2, 2))
        self.assertEqual(now["last_sync"], self.get(f"{T}/bindings/{binding['id']}/")["last_snapshot_at"])
        path = now["identity_path"]
        self.assertEqual({**path, "installation_id": ""}, {"type": "installation", "installation_id": "", "user_link_id": None, "provider": "linear",
                                                          "provider_account_id": "acme"})
        self.assertRegex(path["installation_id"], "^inst_[0-9A-HJKMNP-TV-Z]{26}$")
        self.assertRegex(binding["binding_ref"], "^srm_[0-9A-HJKMNP-TV-Z]{26}$")

    def test_what_waits_shows_as_queued(self):
        binding = self.bind()
        self.call("PATCH", f"{T}/bindings/{binding['id']}/", {"state": "disabled"})
        self.publish([issue("a-1")], status=202)
        other = self.bind(workspace="second")
        self.assertEqual(self.look("/status/", binding_ref=other["binding_ref"])["sync_state"], "queued")
        self.call("PATCH", f"{T}/bindings/{binding['id']}/", {"state": "active"})
        self.assertEqual(self.look("/status/", binding_ref=other["binding_ref"])["sync_state"], "idle")

    def test_status_of_a_provider(self):
        self.assertEqual(self.look("/status/"), {"provider": "linear", "connected": False, "status": "disconnected", "resource_count": 0, "bindings": []})
        zoo, attic = self.add_project("zoo"), self.add_project("attic")
        for p in (zoo, attic):
            self.bind(p)
        self.publish([issue("a-1")], project=attic)
        status = self.look("/status/")
        self.assertEqual((status["connected"], status["status"], status["resource_count"]), (True, "connected", 2))
        self.assertEqual([(b["project_slug"], b["project_name"], b["status"], b["provider"], b["display_label"]) for b in status["bindings"]],
                         [("attic", "Attic", "active", "linear", "linear:acme"), ("zoo", "Zoo", "active", "linear", "linear:acme")])
        self.assertTrue(all(b["bound_at"] and b["binding_ref"] for b in status["bindings"]))

    def test_mappings(self):
        self.bind()
        self.publish([issue("a-1", "done")], [mapping("WP02", "a-9"), mapping("WP01", "a-1")])
        rows = self.look("/mappings/")["mappings"]
        self.assertEqual([(r["wp_id"], r["external_id"], r["state"], r["external_status"], r["mission_slug"]) for r in rows],
                         [("WP01", "a-1", "orphan", "done", None), ("WP02", "a-9", "orphan", None, None)])
        links = {m["id"]: m for m in self.get(T + "/mappings/")["items"]}
        for r in rows:
            for name in ("wp_id", "system", "workspace", "external_id", "external_key", "external_url", "created_at", "updated_at"):
                self.assertEqual(r[name], links[r["mapping_id"]][name])
        self.assertEqual(self.look("/mappings/", project_slug=self.add_project("bare")["slug"]), {"mappings": []})

    def test_health_and_operations(self):
        self.assertEqual(self.call("GET", F + "/health").json, {"status": "ok"})
        self.refused_as(self.call("GET", F + "/operations/anything/"), 404, "operation_not_found", "not_found")


class Issues(FacadeSuite):
    def setUp(self):
        super().setUp()
        self.binding = self.bind(resources=[{"resource_type": "linear_team", "resource_id": "t-1"}])
        self.ref = {"binding_ref": self.binding["binding_ref"]}

    def pulled(self, **members):
        return [i["ref"]["workspace"] + ":" + i["ref"]["id"] for i in self.ask("/pull/", {**self.ref, **members})["items"]]

    def found(self, **members):
        return [(c["external_issue_id"], c["match_type"]) for c in self.ask("/issue-search/", {**self.ref, **members})["candidates"]]

    def test_an_item(self):
        self.publish([issue("a-1", "in_review", title="T", body="B", issue_type="bug", priority=3, assignees=["ann", "bob"], labels=["x"],
                            updated_at="2026-03-01T01:00:00.123456+01:00")])
        answer = self.ask("/pull/", self.ref)
        self.assertEqual(answer["items"], [{
            "ref": {"system": "linear", "workspace": "acme", "id": "a-1", "key": "A-1", "url": "https://issues.example/a-1"}, "title": "T", "body": "B",
            "status": "in_review", "issue_type": "bug", "priority": 3, "assignees": ["ann", "bob"], "labels": ["x"], "parent_ref": None, "links": [],
            "custom_fields": {}, "created_at": None, "updated_at": "2026-03-01T00:00:00.123456Z", "provider_metadata": {}}])
        self.assertEqual((answer["status"], answer["summary"], answer["item_errors"], answer["has_more"], answer["next_cursor"], answer["doctrine"]),
                         ("ok", {"total": 1, "succeeded": 1, "failed": 0, "skipped": 0}, None, False, None,
                          {"mode": "external_authoritative", "field_owners": {}}))

    def test_priorities_that_are_none_are_0(self):
        self.publish([issue(f"p{n}", priority=p) for n, p in enumerate((None, 0, 4, 5, -1))])
        self.assertEqual([i["priority"] for i in self.ask("/pull/", self.ref)["items"]], [0, 0, 4, 0, 0])

    def test_items_are_in_the_order_of_their_identities_whatever_the_pages(self):
        refs = [("a", "z"), ("a-b", "a"), ("a", "B"), ("ä", "1"), ("a", "a:b"), ("a", "10"), ("a", "9")]
        self.publish([issue(id, workspace=w) for w, id in refs])
        expected = sorted((f"{w}:{id}" for w, id in refs), key=str.encode)
        for limit in (1, 2, 3, 10):
            seen, cursor = [], None
            while True:
                page = self.ask("/pull/", {**self.ref, "limit": limit, **({"cursor": cursor} if cursor else {})})
                seen += [i["ref"]["workspace"] + ":" + i["ref"]["id"] for i in page["items"]]
                cursor = page["next_cursor"]
                self.assertEqual(page["has_more"], cursor is not None)
                if cursor is None:
                    break
                self.assertRegex(cursor, r"^[A-Za-z0-9_-]{1,1000}$")
            self.assertEqual(seen, expected)

    def test_a_cursor_is_good_for_its_own_list_only(self):
        self.publish([issue("a"), issue("b"), issue("c", "done")])
        cursor = self.ask("/pull/", {**self.ref, "limit": 1})["next_cursor"]
        other = self.bind(self.add_project("other"))
        for members in ({**self.ref, "filters": {"status": "todo"}}, {"binding_ref": other["binding_ref"]}, {"project_slug": "shop"}):
            self.refused_as(self.call("POST", F + "/pull/", {"provider": "linear", "cursor": cursor, **members}), 400, "invalid_cursor")
        self.refused_as(self.call("POST", F + "/pull/", {"provider": "linear", **self.ref, "cursor": cursor[:-1]}), 400, "invalid_cursor")
        # Pages of another size go on where this one ended, and rows that come meanwhile hide none.
        self.publish([issue("a"), issue("aa"), issue("b"), issue("c", "done")])
        self.assertEqual(self.pulled(limit=10, cursor=cursor), ["acme:aa", "acme:b", "acme:c"])

    def test_filters(self):
        self.publish([issue("a", "todo", assignees=["ann", 'q"x'], labels=["ui"], updated_at="2026-03-01T00:00:00Z"),
                      issue("b", "done", issue_type="bug", assignees=["anna"], labels=["ui,x"], updated_at="2026-03-02T00:00:00Z"),
                      issue("c", "blocked")])
        for filters, ids in (({"status": "done"}, "b"), ({"status": ["done", "blocked"]}, "bc"), ({"status": []}, "abc"), ({"issue_type": "bug"}, "b"),
                             ({"assignee": "ann"}, "a"), ({"assignee": 'q"x'}, "a"), ({"label": "ui"}, "a"), ({"label": "ui,x"}, "b"),
                             ({"updated_since": "2026-03-02T01:00:00+01:00"}, "b"), ({"updated_since": "2026-03-01T00:00:00Z", "status": "todo"}, "a"),
                             ({}, "abc"), (None, "abc"), ({"assignee": None, "unknown": 1}, "abc")):
            with self.subTest(filters):
                self.assertEqual(self.pulled(filters=filters), ["acme:" + i for i in ids])
        for filters, path in (({"status": "flying"}, "filters.status"), ({"status": ["done", 1]}, "filters.status"), ({"issue_type": "x"}, "filters.issue_type"),
                              ({"assignee": ["ann"]}, "filters.assignee"), ({"updated_since": "2026-03-01"}, "filters.updated_since"), ("done", "filters")):
            with self.subTest(filters):
                wrong = self.refused_as(self.call("POST", F + "/pull/", {"provider": "linear", **self.ref, "filters": filters}), 422, "validation_error")
                self.assertEqual([e["path"] for e in wrong["details"]["errors"]], [path])

    def test_limits(self):
        for path, bad in (("/pull/", (0, 10001, "5", 1.5, True)), ("/issue-search/", (0, 101)), ("/list-tickets/", (0, 101))):
            for limit in bad:
                self.refused_as(self.call("POST", F + path, {"provider": "linear", **self.ref, "limit": limit}), 422, "validation_error")

    def test_only_what_is_present(self):
        self.publish([issue("a-1"), issue("a-2")])
        self.publish([issue("a-2")])
        self.assertEqual(self.pulled(), ["acme:a-2"])
        self.assertEqual(self.found(), [("a-2", "text")])

    def test_nothing_bound(self):
        bare = self.add_project("bare")
        for path in ("/pull/", "/issue-search/"):
            self.refused_as(self.call("POST", F + path, {"provider": "linear", "project_slug": bare["slug"]}), 404, "no_mapping", "not_found")
        self.refused_as(self.call("POST", F + "/issue-search/", {"provider": "jira"}), 404, "no_mapping")
        self.assertEqual(self.ask("/list-tickets/", {"provider": "jira"}), {"tickets": []})
        self.refused_as(self.call("POST", F + "/pull/", {"provider": "linear"}), 422, "validation_error")

    def test_a_candidate(self):
        self.publish([issue("a-1", "blocked", title="T", body="B", assignees=["ann"], updated_at="2026-03-01T00:00:00Z"), issue("x", key=None, url=None)])
        found = self.ask("/issue-search/", self.ref)
        self.assertEqual((found["resource_type"], found["resource_id"]), ("linear_team", "t-1"))
        self.assertEqual(found["candidates"][0], {
            "external_issue_id": "a-1", "external_issue_key": "A-1", "identifier": "A-1", "title": "T", "status": "blocked", "state": {"name": "blocked"},
            "url": "https://issues.example/a-1", "match_type": "text", "body": "B", "team": None, "assignee": {"id": "ann", "name": "ann"},
            "created_at": None, "updated_at": "2026-03-01T00:00:00Z"})
        bare = found["candidates"][1]
        self.assertEqual((bare["external_issue_key"], bare["identifier"], bare["url"], bare["assignee"]), ("x", "x", "", None))
        self.assertEqual(self.ask("/list-tickets/", self.ref), {"tickets": found["candidates"]})

    def test_a_workspace_stands_for_the_resource_that_is_not_there(self):
        self.bind(provider="github", workspace="acme/app")
        found = self.ask("/issue-search/", {"provider": "github"})
        self.assertEqual((found["candidates"], found["resource_type"], found["resource_id"]), ([], "github_repo", "acme/app"))

    def test_searching(self):
        at = "2026-03-0{}T00:00:00Z".format
        self.publish([issue("id1", key="ENG-1", title="Fix login", updated_at=at(1)), issue("eng-1", key="ENG-9", title="100% _sure_", updated_at=at(2)),
                      issue("id3", key="ENG-11", title="other", body="login by key", updated_at=at(2)), issue("id4", key=None, title="zzz")])
        for query, expected in (({"query_key": "eng-1"}, [("eng-1", "exact"), ("id1", "exact")]),
                                ({"query_key": "Id4", "query_text": "login"}, [("id4", "exact")]),
                                ({"query_key": "nope", "query_text": "LOGIN"}, [("id3", "text"), ("id1", "text")]),
                                ({"query_key": "nope"}, []),
                                ({"query_text": "eng-1"}, [("id3", "text"), ("id1", "text")]),
                                ({"query_text": "100% _s"}, [("eng-1", "text")]), ({"query_text": "1%1"}, []), ({"query_text": "_"}, [("eng-1", "text")]),
                                ({"query_text": "\\"}, []),
                                ({}, [("eng-1", "text"), ("id3", "text"), ("id1", "text"), ("id4", "text")]),
                                ({"limit": 1}, [("eng-1", "text")])):
            with self.subTest(query):
                self.assertEqual(self.found(**query), expected)


class Writes(FacadeSuite):
    def test_nothing_is_written_outside_whatever_the_body(self):
        for path in ("/push/", "/run/"):
            for body, headers in (({}, {}), (b"not json", {"Content-Type": "text/plain"}), (None, {}), (json.dumps({"provider": "sap"}), {"Content-Type": "application/json"})):
                answer = self.call("POST", F + path, body, headers={**headers, "Idempotency-Key": "logical-operation:write:1"})
                refused = self.refused_as(answer, 403, "outbound_writes_deferred", "policy")
                self.assertEqual((refused["retryable"], refused["user_action_required"], refused["effect_certainty"], refused["idempotency_key"]),
                                 (False, False, "no_effect", "logical-operation:write:1"))
            self.assertIsNone(self.call("POST", F + path, {}).json["idempotency_key"])


if __name__ == "__main__":
    harness.main()
