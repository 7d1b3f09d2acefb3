"""Events become signals: kind, entity, time and dedupe key, by provider, as the contract's tables say."""

import json
import time
import uuid

import harness
import signers
from harness import Suite

AT = "2025-03-04T05:06:07Z"
CLICK = 1741064767


def pull(action, merged=False):
    return {"action": action, "pull_request": {"id": 1, "number": 9, "title": "P", "merged": merged, "updated_at": AT,
                                               "user": {"id": 5, "login": "ada"}},
            "repository": {"id": 77, "full_name": "acme/widgets", "owner": {"id": 4001}}, "sender": {"id": 5, "login": "ada"}}


REPOSITORY = {"repository": {"id": 77, "full_name": "acme/widgets", "owner": {"id": 4001}}, "sender": {"id": 5, "login": "ada"}}
GITHUB = [("issues", signers.issue(3, action), kind, f"acme/widgets#3:{AT}") for action, kind in [
    ("opened", "issue_created"), ("closed", "issue_closed"), ("reopened", "issue_reopened"), ("labeled", "issue_updated"),
    ("assigned", "issue_updated"), ("transferred", "issue_updated"), ("pinned", None), ("deleted", None)]]
GITHUB += [("pull_request", pull(action, merged), kind, f"acme/widgets#9:{AT}") for action, merged, kind in [
    ("opened", False, "pr_opened"), ("reopened", False, "pr_reopened"), ("closed", True, "pr_merged"), ("closed", False, "pr_closed"),
    ("synchronize", False, "pr_updated"), ("review_requested", False, "pr_updated"), ("locked", False, None)]]
GITHUB += [
    ("issue_comment", {**signers.issue(3, "created"), "comment": {"id": 55, "updated_at": AT}}, "issue_comment", f"55:{AT}"),
    ("issue_comment", {**signers.issue(3, "deleted"), "comment": {"id": 55, "updated_at": AT}}, None, None),
    ("pull_request_review", {**pull("submitted"), "review": {"id": 66, "submitted_at": AT}}, "pr_review", f"66:{AT}"),
    ("push", {"ref": "refs/heads/main", "after": "abc123", "deleted": False, "head_commit": {"timestamp": "2025-03-04T06:06:07+01:00"},
              **REPOSITORY}, "code_pushed", "77:refs/heads/main:abc123"),
    ("push", {"ref": "refs/heads/main", "after": "0" * 40, "deleted": True, "head_commit": None, **REPOSITORY}, None, None),
    ("release", {"action": "published", "release": {"id": 88, "published_at": AT}, **REPOSITORY}, "release_published", f"88:{AT}"),
    ("star", {"action": "created", **REPOSITORY}, None, None),
]


def jira(event="jira:issue_updated", to=None, source=None, **members):
    body = {"webhookEvent": event, "timestamp": CLICK * 1000,
            "issue": {"id": "101", "key": "P-1", "fields": {
                "summary": "Broken", "updated": "2025-03-04T06:06:07.000+0100", "project": {"key": "P"},
                "status": {"name": to or "Open", "statusCategory": {"key": "done" if to in ("Done", "Resolved", "Closed") else "new"}}}}}
    if to:
        body["changelog"] = {"items": [{"field": "status", "fromString": source or "Open", "toString": to}]}
    return {**body, **members}


JIRA = [(jira("jira:issue_created"), "issue_created"), (jira(), "issue_updated"), (jira(to="Closed"), "issue_closed"),
        (jira(to="Done"), "issue_resolved"), (jira(to="Resolved"), "issue_resolved"), (jira(to="Open", source="Done"), "issue_reopened"),
        (jira("jira:issue_deleted"), None),
        (jira("comment_created", comment={"id": "7", "updated": "2025-03-04T05:06:07.000+0000"}), "issue_comment")]


def linear(kind, action, updated_from=None, **data):
    return {"type": kind, "action": action, "organizationId": "org", "webhookTimestamp": int(time.time() * 1000),
            "data": {"id": "i-1", "title": "T", "updatedAt": AT, **data}, **({"updatedFrom": updated_from} if updated_from else {})}


LINEAR = [(linear("Issue", "create"), "issue_created"), (linear("Issue", "update", {"title": "x"}), "issue_updated"),
          (linear("Issue", "update", {"stateId": "s"}, state={"type": "completed"}), "issue_resolved"),
          (linear("Issue", "update", {"stateId": "s"}, state={"type": "canceled"}), "issue_closed"),
          (linear("Comment", "create"), "issue_comment"), (linear("Reaction", "create"), "reaction_added"),
          (linear("Project", "create"), None)]


def gitlab(kind, action=None, **members):
    return {"object_kind": kind, "project": {"id": 3}, "object_attributes": {"id": 40, "iid": 4, "title": "T", "action": action,
            "updated_at": "2025-03-04 05:06:07 UTC"}, **members}


GITLAB = [(gitlab("issue", "open"), "issue_created", f"3:4:{AT}"), (gitlab("issue", "close"), "issue_closed", f"3:4:{AT}"),
          (gitlab("work_item", "reopen"), "issue_reopened", f"3:4:{AT}"), (gitlab("incident", "update"), "issue_updated", f"3:4:{AT}"),
          (gitlab("merge_request", "merge"), "pr_merged", f"3:4:{AT}"), (gitlab("merge_request", "approved"), "pr_review", f"3:4:{AT}"),
          (gitlab("merge_request", "update"), "pr_updated", f"3:4:{AT}"), (gitlab("pipeline"), None, None)]


def slack(kind, **event):
    return {"type": "event_callback", "team_id": "T1", "event_id": "Ev" + uuid.uuid4().hex,
            "event": {"type": kind, "channel": "C1", "user": "U1", "text": "hi", "ts": f"{CLICK}.000000", "event_ts": f"{CLICK}.000000", **event}}


SLACK = [(slack("message"), "message_posted"), (slack("message", subtype="file_share"), "message_posted"), (slack("app_mention"), "message_posted"),
         (slack("message", subtype="message_changed", message={"ts": f"{CLICK}.000000", "user": "U1", "text": "x", "edited": {"ts": f"{CLICK}.5"}}), "message_updated"),
         (slack("message", subtype="message_deleted", deleted_ts=f"{CLICK}.000000"), "message_deleted"),
         (slack("message", subtype="channel_join"), None),
         (slack("reaction_added", reaction="tada", item={"type": "message", "channel": "C1", "ts": f"{CLICK}.000000"}), "reaction_added"),
         (slack("team_rename"), None)]

EXAMPLE = [(signers.example_event(1, "created"), "issue_created"), (signers.example_event(1, "updated"), "issue_updated"),
           (signers.example_event(1, "reopened"), "issue_reopened"), (signers.example_event(1, "closed", merged=True), "pr_merged"),
           (signers.example_event(1, "closed"), "pr_closed"), ({"id": "m", "type": "message", "updated_at": AT}, "message_posted"),
           (signers.example_event(1, "sneezed"), None)]


class Mapping(Suite):
    def outcome(self, provider, body, sign):
        """The one signal that a delivery made (None when it was ignored), in a tenant of its own."""
        tenant = self.new_tenant()
        self.connect(provider, tenant=tenant)
        raw = signers.to_bytes(body)
        accepted = self.deliver(provider, raw, sign(raw), tenant=tenant).json
        found = self.settled(accepted["delivery_id"], tenant)
        rows = self.signals(tenant)
        self.assertIn((found["status"], len(rows)), (("processed", 1), ("ignored", 0)), found)
        return self.get("/signals/" + rows[0]["id"], tenant=tenant) if rows else None

    def check(self, provider, body, sign, kind, key=None):
        with self.subTest(f"{provider} {json.dumps(body)[:90]}"):
            signal = self.outcome(provider, body, sign)
            if kind is None:
                return self.assertIsNone(signal)
            self.assertIsNotNone(signal, "ignored")
            self.assertEqual(signal["kind"], kind)
            self.assertTrue(signal["dedupe_key"].startswith(f"{provider}:{kind}:"))
            if key:
                self.assertEqual(signal["dedupe_key"], f"{provider}:{kind}:{key}")
            self.assertLessEqual({"entity", "event", "raw"}, set(signal["payload"]))
            self.assertEqual(signal["occurred_at"], AT)

    def test_github(self):
        for event, body, kind, key in GITHUB:
            self.check("github", body, lambda raw, e=event: signers.github(raw, event=e), kind, key)

    def test_jira(self):
        for body, kind in JIRA:
            self.check("jira", body, signers.jira, kind)

    def test_linear(self):
        for body, kind in LINEAR:
            self.check("linear", body, signers.linear, kind, kind and f"i-1:{AT}")

    def test_gitlab(self):
        for body, kind, key in GITLAB:
            self.check("gitlab", body, signers.gitlab, kind, key)

    def test_slack(self):
        for body, kind in SLACK:
            self.check("slack", body, signers.slack, kind)

    def test_example(self):
        for body, kind in EXAMPLE:
            self.check("example", body, signers.example, kind)

    def test_zoho_cliq_message_and_its_members(self):
        body = {"event_type": "message_posted", "organization_id": "o", "chat": {"id": "c1", "title": "general", "type": "channel"},
                "user": {"id": "u1", "first_name": "Ada", "last_name": "L", "email": "ada@example.org"},
                "message": {"id": "m1", "text": "hello", "type": "text", "posted_time": str(CLICK)}}
        signal = self.outcome("zoho-cliq", body, signers.zoho_cliq)
        self.assertEqual((signal["kind"], signal["dedupe_key"]), ("message_posted", f"zoho-cliq:message_posted:m1:{CLICK}"))
        self.assertEqual({k: signal["payload"][k] for k in ("message_id", "user_name", "text")},
                         {"message_id": "m1", "user_name": "Ada L", "text": "hello"})

    def test_an_event_without_its_type_is_a_failure(self):
        self.connect("zoho-cliq")
        accepted = self.deliver("zoho-cliq", b'{"message":{"id":"m"}}', signers.zoho_cliq(b"")).json
        self.assertEqual(self.settled(accepted["delivery_id"])["status"], "failed")

    def test_a_time_in_the_future_is_not_believed(self):
        body = signers.example_event(updated="2999-01-01T00:00:00Z")
        signal = self.outcome("example", body, signers.example)
        self.assertEqual(signal["occurred_at"], signal["received_at"])

    def test_google_sync_messages_are_ignored(self):
        row = self.connect("google-drive")
        accepted = self.deliver("google-drive", b"", signers.google(b"", row["id"], state="sync")).json
        self.assertEqual(self.settled(accepted["delivery_id"])["status"], "ignored")

    def test_google_file_pushes_become_file_signals(self):
        row = self.connect("google-drive")
        for number, (state, kind) in enumerate([("add", "file_created"), ("trash", "file_deleted"), ("update", "file_updated")], 2):
            with self.subTest(state):
                headers = signers.google(b"", row["id"], state=state, number=number)
                accepted = self.deliver("google-drive", b"", headers).json
                self.assertEqual(self.settled(accepted["delivery_id"])["status"], "processed")
                self.assertIn(kind, {s["kind"] for s in self.signals()})


if __name__ == "__main__":
    harness.main()
