"""Who may what on the tracker's paths: teams, scopes, the flag's gate, and how a refusal reads."""

import uuid

import harness
from teams import ACTIVITY, EVENTS, FLAGS, ME, OPERATOR, PROJECTS, TeamSuite

GET_PATHS = (PROJECTS, ACTIVITY, FLAGS, ME)


class Credentials(TeamSuite):
    def test_without_a_good_bearer_nothing_is_told(self):
        leaked = "ghp_" + uuid.uuid4().hex
        for path in GET_PATHS:
            for headers in ({}, {"Authorization": "Basic x"}, {"Authorization": "Bearer " + leaked}):
                answer = self.service.call("GET", path, token=None, headers=headers)
                self.error(answer, 401, "unauthorized", "auth")
                self.assertEqual(answer.headers["WWW-Authenticate"], "Bearer")
                self.assertNotIn(leaked, answer.text)
        self.assertNotIn(leaked, self.service.log())

    def test_a_revoked_token_ends_at_once(self):
        token = self.token("tracker:read")
        self.assertEqual(self.service.call("GET", PROJECTS, token=token["secret"]).status, 200)
        self.call("DELETE", f"/api/v1/tenants/{self.tenant}/tokens/{token['id']}")
        self.error(self.service.call("GET", PROJECTS, token=token["secret"]), 401, "unauthorized")

    def test_scopes_include_the_ones_before(self):
        project = {"name": "n", "slug": "s"}
        for level, statuses in {"read": (200, 403, 403), "write": (200, 200, 403), "admin": (200, 200, 201)}.items():
            answers = (self.by(level, "GET", PROJECTS), self.by(level, "POST", EVENTS, {"events": []}), self.by(level, "POST", PROJECTS, project))
            self.assertEqual(tuple(a.status for a in answers), statuses, level)
        details = self.error(self.by("read", "POST", EVENTS, {"events": []}), 403, "insufficient_scope", "permission")
        self.assertEqual(details["required"], "tracker:write")
        everything = self.token("*")["secret"]
        self.assertEqual(self.service.call("GET", "/connections", token=everything).status, 200)
        self.assertEqual(self.service.call("PUT", FLAGS + "tracker_connectors", {"enabled": True}, token=everything).status, 200)
        other = self.token("signals:read")["secret"]
        self.error(self.service.call("GET", PROJECTS, token=other), 403, "insufficient_scope")
        self.assertEqual(self.service.call("GET", ME, token=other).status, 200, "any credential will do")

    def test_a_token_names_its_own_team_or_none(self):
        private = [t["id"] for t in self.answered("read", "GET", ME)["teams"] if t["is_private_teamspace"]][0]
        for header in ("X-Team-Slug", "X-Tenant-Id"):
            for name in (self.slug, self.tenant, self.tenant.upper(), private):
                self.assertEqual(self.by("read", "GET", PROJECTS, headers={header: name}).status, 200, name)
        slug = "other-" + uuid.uuid4().hex[:8]
        other, foreign = self.new_tenant(slug=slug), "private-" + str(uuid.uuid4())
        refusals = set()
        for header in ("X-Team-Slug", "X-Tenant-Id"):
            for name in (slug, other, "no-such-team", str(uuid.uuid4()), foreign, ""):
                answer = self.by("read", "GET", PROJECTS, headers={header: name})
                self.error(answer, 403, "team_forbidden", "permission")
                refusals.add(str({k: v for k, v in answer.json.items() if k != "trace_id"}))
        self.assertEqual(len(refusals), 1, "a team that is not and a team that is another's look alike")
        mixed = self.by("read", "GET", PROJECTS, headers={"X-Team-Slug": self.slug, "X-Tenant-Id": other})
        self.error(mixed, 403, "team_forbidden")

    def test_an_operator_says_which_team(self):
        def asked(**headers):
            return self.service.call("GET", PROJECTS, headers={k.replace("_", "-"): v for k, v in headers.items()})

        self.error(asked(), 400, "tenant_required", "validation")
        for headers in ({"X_Tenant_Id": self.tenant}, {"X_Team_Slug": self.slug}, {"X_Team_Slug": self.tenant},
                        {"X_Tenant_Id": self.tenant, "X_Team_Slug": self.slug}):
            self.assertEqual(asked(**headers).status, 200, headers)
        details = self.error(asked(X_Tenant_Id="x"), 400, "validation_error")
        self.assertEqual([e["path"] for e in details["errors"]], ["X-Tenant-Id"])
        for headers in ({"X_Tenant_Id": str(uuid.uuid4())}, {"X_Team_Slug": "nobody"}):
            self.error(asked(**headers), 404, "tenant_not_found", "not_found")
        other = "other-" + uuid.uuid4().hex[:8]
        self.new_tenant(slug=other)
        self.error(asked(X_Tenant_Id=self.tenant, X_Team_Slug=other), 400, "validation_error")
        missing = str(uuid.uuid4())
        self.error(self.service.call("POST", PROJECTS, {"name": "n", "slug": "s"}, tenant=missing), 404, "tenant_not_found")
        self.assertEqual(self.service.call("GET", "/api/v1/tenants/" + missing).status, 404, "never made on the way")

    def test_a_suspended_team_can_be_read(self):
        self.project("kept")
        self.call("POST", f"/ops/tenants/{self.tenant}/suspend")
        self.assertEqual([p["slug"] for p in self.rows(PROJECTS)], ["kept"])
        self.assertEqual(self.by("read", "GET", ME).status, 200)
        for level, method, path, body in (("admin", "POST", PROJECTS, {}), ("write", "POST", EVENTS, {}), ("read", "POST", EVENTS, {})):
            self.error(self.by(level, method, path, body), 403, "tenant_suspended", "permission")

    def test_me_names_the_team_twice(self):
        me = self.answered("admin", "GET", ME)
        self.assertEqual(me["email"], me["user_id"] + "@tokens.invalid")
        shared, private = sorted(me["teams"], key=lambda t: t["is_private_teamspace"])
        self.assertEqual((shared["id"], shared["slug"], shared["role"]), (self.tenant, self.slug, "admin"))
        self.assertEqual((private["id"], private["is_private_teamspace"]), ("private-" + me["user_id"], True))
        self.assertEqual(self.answered("read", "GET", ME)["teams"][0]["role"], "member")
        operator = self.service.call("GET", ME, token=OPERATOR).json
        self.assertEqual((operator["user_id"], operator["teams"]), ("operator", []))
        named = self.service.call("GET", ME, token=OPERATOR, headers={"X-Team-Slug": self.slug}).json
        self.assertEqual([t["id"] for t in named["teams"]], [self.tenant])


class Wire(TeamSuite):
    def test_both_slash_forms_are_one_path(self):
        row = self.project()
        wp = self.put(row, "WP01")
        for path in (*GET_PATHS, f"{PROJECTS}{row['id']}/", f"{PROJECTS}{row['project_uuid']}/", f"{PROJECTS}{row['id']}/work-packages/",
                     f"{PROJECTS}{row['id']}/work-packages/{wp['wp_id']}/"):
            bare = path.rstrip("/")
            one, two = self.by("read", "GET", bare), self.by("read", "GET", bare + "/")
            self.assertEqual((one.status, two.status, one.body), (200, 200, two.body), path)
            self.error(self.by("read", "GET", bare + "//"), 404, "not_found")
        self.assertEqual(self.call("GET", "/connections/").status, 404, "other paths are as they were")

    def test_what_is_not_there(self):
        for path in ("/api/v1/tracker/nothing", "/api/v1/connectors/trackers/nothing/", "/api/v1/projects/x/y/z/", "/api/v1/flags/a/b"):
            self.error(self.by("read", "GET", path), 404, "not_found", "not_found")
        answer = self.by("read", "DELETE", PROJECTS)
        self.error(answer, 405, "method_not_allowed", "validation")
        self.assertLessEqual({"GET", "POST"}, set(answer.headers["Allow"].split(", ")))

    def test_the_type_of_an_error_follows_its_path(self):
        for path, kind in ((PROJECTS, "application/problem+json"), (ME, "application/json"), ("/api/v1/tracker/nothing", "application/json")):
            self.assertEqual(self.service.call("GET", path, token=None).headers.get_content_type(), kind)

    def test_a_well_formed_key_comes_back_in_an_error(self):
        for sent, told in (("key-1", "key-1"), ("a b", None), ("x" * 256, None)):
            answer = self.by("read", "POST", PROJECTS, {}, headers={"Idempotency-Key": sent})
            self.assertEqual(answer.json["idempotency_key"], told)

    def test_order_of_the_checks(self):
        text = {"Content-Type": "text/plain"}
        self.error(self.by("read", "POST", PROJECTS, "{", headers=text), 403, "insufficient_scope")
        self.error(self.by("admin", "POST", PROJECTS, "{", headers=text), 415, "unsupported_media_type")
        for body in ("{", "[]", '"x"', b'{"a":"\xff"}', '{"a":' + "[" * 65 + "]" * 65 + "}"):
            self.error(self.by("admin", "POST", PROJECTS, body, headers={"Content-Type": "application/json"}), 400, "invalid_json")
        for headers in ({"Content-Type": "application/vnd.x+json"}, {"Content-Type": "application/json", "Content-Encoding": "br"}):
            self.error(self.by("admin", "POST", PROJECTS, "{}", headers=headers), 415, "unsupported_media_type")
        details = self.error(self.by("admin", "POST", PROJECTS, {}), 400, "validation_error")
        self.assertEqual([(e["path"], e["code"]) for e in details["errors"]], [("name", "required"), ("slug", "required")])
        self.error(self.by("admin", "PATCH", f"{PROJECTS}{uuid.uuid4()}/", {"name": 1}), 400, "validation_error")
        self.error(self.by("admin", "PATCH", f"{PROJECTS}{uuid.uuid4()}/", {"name": "n"}), 404, "project_not_found", "not_found")

    def test_lists_are_paged_by_key(self):
        for i in range(7):
            self.project(f"proj-{i}")
        first = self.answered("read", "GET", PROJECTS, query={"limit": "3"})
        self.assertEqual([p["slug"] for p in first["items"]], ["proj-0", "proj-1", "proj-2"])
        self.project("proj-00")  # before the place that was reached
        self.project("proj-3a")  # behind it
        rest = self.answered("read", "GET", PROJECTS, query={"cursor": first["next_cursor"]})
        self.assertEqual([p["slug"] for p in rest["items"]], ["proj-3", "proj-3a", "proj-4", "proj-5", "proj-6"])
        self.assertIsNone(rest["next_cursor"])
        for bad in ("0", "101", "-1", "x", "1.5", ""):
            self.error(self.by("read", "GET", PROJECTS, query={"limit": bad}), 400, "validation_error")
        for bad in ("@@", "e30", "x" * 1001, first["next_cursor"][:-2]):
            self.error(self.by("read", "GET", PROJECTS, query={"cursor": bad}), 400, "invalid_cursor", "validation")
        self.error(self.by("read", "GET", ACTIVITY, query={"cursor": first["next_cursor"]}), 400, "invalid_cursor")
        other = self.token("tracker:read", tenant=self.new_tenant())["secret"]
        self.error(self.service.call("GET", PROJECTS, token=other, query={"cursor": first["next_cursor"]}), 400, "invalid_cursor")

    def test_a_cursor_belongs_to_its_filters(self):
        row = self.project()
        for i in range(4):
            self.put(row, f"WP0{i}", lane="done")
        path = f"{PROJECTS}{row['id']}/work-packages/"
        page = self.answered("read", "GET", path, query={"lane": "done,planned", "limit": "2"})
        again = {"lane": "done,planned", "cursor": page["next_cursor"]}
        self.assertEqual([w["wp_id"] for w in self.answered("read", "GET", path, query=again)["items"]], ["WP02", "WP03"])
        self.error(self.by("read", "GET", path, query={**again, "lane": "done"}), 400, "invalid_cursor")
        self.error(self.by("read", "GET", path, query={"lane": "done,odd"}), 400, "validation_error")
        self.error(self.by("read", "GET", path + "?lane=done&lane=planned"), 400, "validation_error")


class Flags(TeamSuite):
    def test_a_flag_is_off_until_it_is_set(self):
        [flag] = self.rows(FLAGS)
        self.assertEqual((flag["key"], flag["enabled"], flag["updated_at"]), ("tracker_connectors", False, None))
        self.assertTrue(self.flag(True)["enabled"])
        self.flag(True)
        self.assertEqual([r["payload"] for r in self.rows(ACTIVITY, type="feature_flag_changed")],
                         [{"key": "tracker_connectors", "enabled": True}], "a row for a change, none for the same again")
        self.error(self.by("admin", "PUT", FLAGS + "other", {"enabled": True}), 404, "flag_not_found", "not_found")
        for bad in ({}, {"enabled": None}, {"enabled": "yes"}, {"enabled": 1}):
            details = self.error(self.by("admin", "PUT", FLAGS + "tracker_connectors", bad), 400, "validation_error")
            self.assertEqual([e["path"] for e in details["errors"]], ["enabled"])

    def test_projects_show_no_tracker_while_it_is_off(self):
        row = self.project()
        self.put(row, "WP01")
        self.assertIsNone(self.answered("read", "GET", f"{PROJECTS}{row['id']}/")["tracker"])
        self.assertIsNone(self.work_package(row, "WP01")["tracker"])
        self.flag(True)
        self.assertEqual(self.answered("read", "GET", f"{PROJECTS}{row['id']}/")["tracker"]["health"], "not_bound")
        self.assertEqual(self.work_package(row, "WP01")["tracker"]["state"], "not_mapped")


class Defaults(TeamSuite):
    settings = {"TRACKER_FLAG_DEFAULT": "true"}

    def test_the_default_is_the_deployments(self):
        self.assertTrue(self.rows(FLAGS)[0]["enabled"])
        self.assertFalse(self.flag(False)["enabled"])
        self.assertFalse(self.rows(FLAGS)[0]["enabled"])


if __name__ == "__main__":
    harness.main()
