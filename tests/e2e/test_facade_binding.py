"""The facade of the control-plane clients: offers, binding, and the origins of missions."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import harness
from facade import F, FacadeSuite, T, issue


class Binding(FacadeSuite):
    def wait_for(self, slug, resource="t-1", project_uuid=None, workspace="acme"):
        """A snapshot of a project that is not known here."""
        project = {"project_uuid": project_uuid or str(uuid.uuid4()), "slug": slug}
        self.publish([issue("a-1")], project=project, workspace=workspace, resource=("linear_team", resource) if resource else (None, None), status=202)
        return project

    def test_nothing_of_a_provider_is_no_installation(self):
        refused = self.refused_as(self.call("GET", F + "/resources/", query={"provider": "linear"}), 403, "no_installation", "permission")
        self.assertIs(refused["user_action_required"], True)
        self.assertEqual(self.resolve(), {"match_type": "none", "candidate_token": None, "binding_ref": None, "display_label": None, "project_slug": "shop",
                                          "candidates": []})
        self.wait_for("fresh")
        self.assertEqual(len(self.look("/resources/")["resources"]), 1)
        self.refused_as(self.call("GET", F + "/resources/", query={"provider": "jira"}), 403, "no_installation")

    def test_resources(self):
        mine = self.bind(display_label="M", resources=[{"resource_type": "linear_team", "resource_id": "t-1"}])
        self.bind(self.add_project("other"), workspace="b", display_label="B")
        for slug in ("x", "y"):
            self.wait_for(slug, "t-2")
        answer = self.look("/resources/")
        self.assertEqual([(r["display_label"], r["provider_context"], r["bound_project_slug"]) for r in answer["resources"]], [
            ("B", {"workspace_name": "b"}, "other"), ("M", {"workspace_name": "acme", "team_id": "t-1"}, "shop"),
            ("linear:acme/t-2", {"workspace_name": "acme", "team_id": "t-2"}, None)])
        self.assertEqual([r["bound_at"] for r in answer["resources"]][1:], [mine["created_at"], None])
        tokens = {r["candidate_token"] for a in (answer, self.look("/resources/")) for r in a["resources"]}
        self.assertEqual(len(tokens), 6, "every reply has tokens of its own")
        for token in tokens:
            self.assertRegex(token, "^cand_[0-9A-HJKMNP-TV-Z]{26}$")
        self.assertEqual(answer["installation_id"], self.look("/status/", project_slug="shop")["identity_path"]["installation_id"])

    def test_exact_by_project_and_by_repository(self):
        fresh = self.wait_for("fresh", "t-1")
        self.wait_for("other", "acme/shop")
        by_uuid = self.resolve(fresh)
        self.assertEqual((by_uuid["match_type"], by_uuid["display_label"], by_uuid["binding_ref"], by_uuid["project_slug"]), ("exact", "linear:acme/t-1", None, None))
        by_repository = self.resolve(repo_slug="acme/shop")
        self.assertEqual((by_repository["match_type"], by_repository["display_label"], by_repository["project_slug"]), ("exact", "linear:acme/acme/shop", "shop"))
        both = self.resolve(fresh, repo_slug="acme/shop")
        self.assertEqual((both["match_type"], [c["confidence"] for c in both["candidates"]]), ("candidates", ["high", "high"]))

    def test_two_bindings_of_a_project_are_not_exact(self):
        for workspace in ("a", "b"):
            self.bind(workspace=workspace)
        self.assertEqual(self.resolve()["match_type"], "none")
        self.wait_for("fresh")
        self.assertEqual(self.resolve()["match_type"], "candidates")

    def test_confirming_makes_the_project_and_applies_what_waits(self):
        fresh = self.wait_for("shop", "t-1")  # whose slug is taken
        other = self.wait_for("other", "t-1")
        kept = self.wait_for("kept", "t-2")
        token = self.resolve(fresh)["candidate_token"]
        confirmed = self.confirm(token, fresh)
        self.assertEqual((confirmed["display_label"], confirmed["provider"], confirmed["provider_context"], confirmed["project_slug"]),
                         ("linear:acme", "linear", {"workspace_name": "acme", "team_id": "t-1"}, "shop-" + fresh["project_uuid"][:8]))
        project = self.get(f"/api/v1/projects/{fresh['project_uuid']}/")
        self.assertEqual((project["slug"], project["name"]), (confirmed["project_slug"], "shop"))
        [binding] = self.get(T + "/bindings/")["items"]
        self.assertEqual((binding["binding_ref"], binding["state"], binding["origin"], binding["project"]["id"], binding["sequence"]),
                         (confirmed["binding_ref"], "active", "bind_confirm", project["id"], 2))
        self.assertEqual([(r["resource_id"], r["state"]) for r in binding["resources"]], [("t-1", "active")])
        pending = [q["project_uuid"] for q in self.get(T + "/queue/", query={"state": "pending"})["items"]]
        self.assertEqual(pending, [kept["project_uuid"]])
        self.assertEqual([r["routing"]["matched_by"] for r in self.get(T + "/snapshots/", query={"state": "applied"})["items"]], ["manual", "manual"])
        types = [a["type"] for a in self.get("/api/v1/activity/", query={"binding_id": binding["id"]})["items"]]
        self.assertIn("tracker_binding_created", types)
        self.assertEqual(types.count("tracker_snapshot_ingested"), 2)
        self.assertEqual(self.resolve(other)["match_type"], "candidates")

    def test_confirming_promotes_what_was_discovered(self):
        reply = self.publish([issue("a-1")], resource=("linear_team", "t-1"))
        [row] = self.look("/resources/")["resources"]
        self.assertEqual(row["bound_project_slug"], "shop")
        self.assertEqual(self.confirm(row["candidate_token"])["binding_ref"], reply["binding_ref"])
        [binding] = self.get(T + "/bindings/")["items"]
        self.assertEqual((binding["state"], binding["origin"], [r["state"] for r in binding["resources"]]), ("active", "snapshot", ["active"]))

    def test_a_token_is_used_once(self):
        self.bind()
        token = self.look("/resources/")["resources"][0]["candidate_token"]
        self.confirm(token)
        for bad in (token, "cand_" + "0" * 26, "nonsense"):
            body = {"provider": "linear", "candidate_token": bad, "project_identity": self.identity()}
            self.refused_as(self.call("POST", F + "/bind-confirm/", body), 400, "invalid_candidate_token", "binding")

    def test_a_token_is_good_for_its_provider_only(self):
        self.bind()
        token = self.look("/resources/")["resources"][0]["candidate_token"]
        body = {"provider": "jira", "candidate_token": token, "project_identity": self.identity()}
        self.refused_as(self.call("POST", F + "/bind-confirm/", body), 400, "invalid_candidate_token")
        self.confirm(token)

    def test_one_of_many_at_once_gets_the_token(self):
        fresh = self.wait_for("fresh")
        token = self.resolve(fresh)["candidate_token"]
        body = {"provider": "linear", "candidate_token": token, "project_identity": self.identity(fresh)}
        with ThreadPoolExecutor(6) as pool:
            statuses = list(pool.map(lambda _: self.call("POST", F + "/bind-confirm/", body).status, range(6)))
        self.assertEqual(sorted(statuses), [200] + [400] * 5)

    def test_what_another_project_has_is_refused_and_the_token_stays(self):
        bound = self.bind(resources=[{"resource_type": "linear_team", "resource_id": "t-1"}])
        whole = self.bind(workspace="whole")
        other = self.add_project("other")
        rows = self.look("/resources/")["resources"]
        for row, holder in ((next(r for r in rows if r["provider_context"].get("team_id")), bound),
                            (next(r for r in rows if r["provider_context"] == {"workspace_name": "whole"}), whole)):
            body = {"provider": "linear", "candidate_token": row["candidate_token"], "project_identity": self.identity(other)}
            refused = self.refused_as(self.call("POST", F + "/bind-confirm/", body), 409, "already_bound", "conflict")
            self.assertEqual(refused["details"], {"binding_id": holder["id"]})
            self.assertEqual(self.confirm(row["candidate_token"])["binding_ref"], holder["binding_ref"])
        unknown = {"project_uuid": str(uuid.uuid4()), "slug": "new"}
        body = {"provider": "linear", "candidate_token": self.look("/resources/")["resources"][0]["candidate_token"], "project_identity": self.identity(unknown)}
        self.refused_as(self.call("POST", F + "/bind-confirm/", body), 409, "already_bound")
        self.refused_as(self.call("GET", f"/api/v1/projects/{unknown['project_uuid']}/"), 404, "project_not_found")

    def refused_as(self, answer, status, code, category=None):
        if answer.headers["Content-Type"] == "application/problem+json":  # of the primary family
            self.assertEqual((answer.status, answer.json["code"]), (status, code), answer)
            return answer.json
        return super().refused_as(answer, status, code, category)

    def test_an_answer_is_given_again_under_its_key(self):
        self.bind()
        token, second = (self.look("/resources/")["resources"][0]["candidate_token"] for _ in range(2))
        body = {"provider": "linear", "candidate_token": token, "project_identity": self.identity()}
        key = {"Idempotency-Key": "k-1"}
        first = self.call("POST", F + "/bind-confirm/", body, headers=key)
        self.assertEqual((first.status, first.headers["Idempotency-Replayed"]), (200, None))
        again = self.call("POST", F + "/bind-confirm", {"project_identity": body["project_identity"], "candidate_token": token, "provider": "linear"}, headers=key)
        self.assertEqual((again.status, again.text, again.headers["Idempotency-Replayed"]), (200, first.text, "true"))
        conflict = self.call("POST", F + "/bind-confirm/", {**body, "candidate_token": second}, headers=key)
        self.assertEqual(self.refused_as(conflict, 409, "idempotency_key_conflict", "conflict")["idempotency_key"], "k-1")
        # Another path is another key, and a refusal is not kept.
        self.refused_as(self.call("POST", F + "/bind-confirm/", body, headers={"Idempotency-Key": "k-2"}), 400, "invalid_candidate_token")
        self.assertEqual(self.confirm(second, key="k-2")["provider"], "linear")
        for bad in ("", "a b", "x" * 256, "ä".encode().decode("latin-1")):
            self.refused_as(self.call("POST", F + "/bind-confirm/", body, headers={"Idempotency-Key": bad}), 400, "idempotency_key_invalid")

    def test_validating(self):
        binding = self.bind()
        ask = lambda ref, project=None, provider="linear": self.ask(
            "/bind-validate/", {"provider": provider, "binding_ref": ref, "project_identity": self.identity(project)})
        ref = binding["binding_ref"]
        self.assertEqual(ask(ref), {"valid": True, "binding_ref": ref, "display_label": "linear:acme", "provider": "linear",
                                    "provider_context": {"workspace_name": "acme"}})
        reason = lambda answer: (answer["valid"], answer["binding_ref"], answer["reason"], bool(answer["guidance"]))
        self.assertEqual(reason(ask(ref, self.add_project("other"))), (False, ref, "project_mismatch", True))
        self.assertEqual(reason(ask(ref, provider="jira")), (False, ref, "project_mismatch", True))
        self.assertEqual(reason(ask("srm_nope")), (False, "srm_nope", "mapping_deleted", True))
        self.call("PATCH", f"{T}/bindings/{binding['id']}/", {"state": "disabled"})
        self.assertEqual(reason(ask(ref)), (False, ref, "mapping_disabled", True))
        self.call("DELETE", f"{T}/bindings/{binding['id']}/")
        self.assertEqual(reason(ask(ref)), (False, ref, "mapping_deleted", True))

    def test_who_asks_has_to_be_said(self):
        good = self.identity()
        for path, more in (("/bind-resolve/", {}), ("/bind-confirm/", {"candidate_token": "x"}), ("/bind-validate/", {"binding_ref": "x"})):
            for identity, at in ((None, "project_identity"), ("x", "project_identity"), ({**good, "uuid": "x"}, "project_identity.uuid"),
                                 ({**good, "uuid": "00000000-0000-0000-0000-000000000000"}, "project_identity.uuid"),
                                 ({k: v for k, v in good.items() if k != "slug"}, "project_identity.slug"), ({**good, "slug": ""}, "project_identity.slug"),
                                 ({**good, "repo_slug": 7}, "project_identity.repo_slug")):
                with self.subTest(f"{path} {identity}"):
                    answer = self.call("POST", F + path, {"provider": "linear", "project_identity": identity, **more})
                    self.assertEqual([e["path"] for e in self.refused_as(answer, 422, "validation_error")["details"]["errors"]], [at])


class ShortLived(FacadeSuite):
    settings = {"TRACKER_CANDIDATE_TTL_SECONDS": "10"}

    def test_a_token_expires(self):
        self.bind()
        token = self.look("/resources/")["resources"][0]["candidate_token"]
        body = {"provider": "linear", "candidate_token": token, "project_identity": self.identity()}
        # Of another provider, the token is refused and stays: only its end is waited for.
        harness.eventually(lambda: self.expired(), seconds=20, what="the end of the token")
        answer = self.call("POST", F + "/bind-confirm/", body)
        self.refused_as(answer, 400, "invalid_candidate_token")

    def expired(self):
        now = int(time.time() * 1000)
        return self.service.database.query(f"SELECT COUNT(*) FROM tracker_candidates WHERE expires_at > {now}") == ["0"]


class Origins(FacadeSuite):
    def setUp(self):
        super().setUp()
        self.binding = self.bind()
        self.body = {"provider": "linear", "binding_ref": self.binding["binding_ref"], "mission_id": "01J", "mission_slug": "m", "external_issue_id": "a-1",
                     "external_issue_key": "A-1", "external_issue_url": "", "external_title": "T", "external_status": ""}

    def put(self, status=200, **members):
        body = {k: v for k, v in {**self.body, **members}.items() if v is not ...}
        answer = self.call("POST", F + "/mission-origin/bind/", body)
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def rows(self):
        return self.get("/api/v1/activity/", query={"type": "tracker_mission_origin_bound"})["items"]

    def test_an_origin_is_bound_once(self):
        first = self.put()
        self.assertEqual((first["mission_slug"], first["already_bound"]), ("m", False))
        self.assertEqual(self.put(external_title="renamed"), {**first, "already_bound": True})
        refused = self.put(409, external_issue_id="a-2")
        self.assertEqual((refused["code"], refused["details"]), ("origin_conflict", {"external_issue_id": "a-1"}))
        [row] = self.rows()
        self.assertEqual((row["payload"], row["binding_id"], row["project_slug"]), ({"mission": "m", "external_issue_key": "A-1"}, self.binding["id"], "shop"))

    def test_what_names_a_mission(self):
        first = self.put()
        self.assertTrue(self.put(mission_slug="other")["already_bound"], "the id goes first")
        self.assertEqual(self.put(mission_slug=...)["origin_link_id"], first["origin_link_id"])
        old = self.put(mission_id=..., mission_slug=..., feature_slug="f-1", external_issue_id="a-2")
        self.assertEqual((old["already_bound"], old["mission_slug"]), (False, "f-1"))
        self.assertEqual(self.put(mission_id=..., mission_slug="f-1", external_issue_id="a-2")["origin_link_id"], old["origin_link_id"])
        self.assertEqual(self.put(422, mission_id=..., mission_slug="")["code"], "validation_error")
        other = self.bind(self.add_project("other"))
        self.assertFalse(self.put(binding_ref=other["binding_ref"], external_issue_id="a-9")["already_bound"], "another project's mission is another")
        self.assertEqual(len(self.rows()), 3)

    def test_by_slug(self):
        bound = self.put(binding_ref=..., project_slug="shop")
        self.assertEqual(bound["binding_ref"], self.binding["binding_ref"])
        bare = self.add_project("bare")
        self.assertNotIn("binding_ref", self.put(binding_ref=..., project_slug=bare["slug"]))

    def test_what_is_refused(self):
        self.assertEqual(self.put(422, binding_ref=...)["code"], "validation_error")
        github = self.bind(provider="github", workspace="acme/app")
        wrong = self.put(422, provider="github", binding_ref=github["binding_ref"])
        self.assertEqual([e["path"] for e in wrong["details"]["errors"]], ["provider"])
        for name in ("external_issue_id", "external_issue_key", "external_issue_url", "external_title", "external_status"):
            self.assertEqual([e["path"] for e in self.put(422, **{name: ...})["details"]["errors"]], [name])
        self.assertEqual(self.put(422, external_issue_id="")["code"], "validation_error")
        self.assertEqual(self.rows(), [])

    def test_an_answer_is_given_again_under_its_key(self):
        key = {"Idempotency-Key": "k"}
        first = self.call("POST", F + "/mission-origin/bind/", self.body, headers=key)
        again = self.call("POST", F + "/mission-origin/bind/", self.body, headers=key)
        self.assertEqual((again.text, again.headers["Idempotency-Replayed"]), (first.text, "true"))
        self.assertEqual(len(self.rows()), 1)


if __name__ == "__main__":
    harness.main()
