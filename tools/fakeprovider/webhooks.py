"""Deliveries: a recorded one of the provider with an item's facts in it, and the proof that the provider adds."""

import base64
import hashlib
import hmac
import json
import time
import uuid

from world import FIRST, SPACE, WRITERS, epoch_ms, rfc3339

# Which recording tells an action; a provider of change notifications has one for all.
RECORDED = {
    "github": {"created": "issues_opened", "updated": "issues_labeled", "closed": "issues_closed"},
    "gitlab": {"created": "issue_open", "updated": "issue_update", "closed": "issue_close"},
    "jira": {"created": "issue_created", "updated": "issue_updated", "closed": "issue_closed"},
    "linear": {"created": "issue_create", "updated": "issue_update", "closed": "issue_completed"},
    "slack": {"created": "message", "updated": "message_changed", "deleted": "message_deleted"},
    "zoho-cliq": {"created": "message_posted", "updated": "message_updated", "deleted": "message_deleted"},
    "gmail": "push",
    "google-drive": "change",
    "google-calendar": "exists",
    "example": {"created": "created", "updated": "updated", "closed": "closed"},
}


def github(body, account, item, _time):
    WRITERS["github"](body["issue"], account, item)
    body["repository"].update(id=account.number, full_name=f"{account.name}/widgets")
    body["repository"]["owner"] = {"login": account.name, "id": account.number, "type": "User"}
    body["sender"] = {"login": account.name, "id": account.number, "type": "User"}
    body.pop("installation", None)
    body.pop("organization", None)


def gitlab(body, account, item, time):
    body["user"].update(id=account.number, username=account.name)
    body["project"].update(id=account.number, path_with_namespace=f"{account.name}/widgets")
    body["project"].pop("namespace_id", None)
    body["object_attributes"].update(id=account.number * 100_000 + item.number, iid=item.number, title=item.title,
                                     project_id=account.number, updated_at=rfc3339(time))


def jira(body, account, item, time):
    body["timestamp"] = epoch_ms(time)
    fields = body["issue"]["fields"]
    kept = fields.get("status")
    WRITERS["jira"](body["issue"], account, item)
    fields["status"] = kept


def linear(body, account, item, _time):
    WRITERS["linear"](body["data"], account, item)
    body.update(organizationId=account.uuid, webhookTimestamp=int(time.time() * 1000), url=body["data"]["url"])


def slack(body, account, item, when):
    stamp = f"{int(item.created.timestamp())}.{item.number:06}"
    event = body["event"]
    body.update(team_id=account.external_id, event_id=f"Ev{uuid.uuid5(SPACE, f'{account.uuid}/{item.number}/{when}').hex[:10]}",
                event_time=int(when.timestamp()))
    body["authorizations"] = [{"team_id": account.external_id, "user_id": f"U{account.number}", "is_bot": True}]
    event["event_ts"] = f"{int(when.timestamp())}.{item.number:06}"
    if "message" in event:
        event["message"].update(ts=stamp, text=item.title, edited={"user": f"U{account.number}", "ts": event["event_ts"]})
    elif "deleted_ts" in event:
        event["deleted_ts"] = stamp
    else:
        event.update(ts=stamp, text=item.title)


def zoho_cliq(body, account, item, when):
    body.update(organization_id=account.external_id, time_stamp=str(epoch_ms(when)))
    body["message"].update(id=f"{epoch_ms(item.created)}%20{account.number}", text=item.title,
                           posted_time=str(epoch_ms(when)))


def gmail(body, account, _item, _time):
    data = {"emailAddress": account.email, "historyId": FIRST + len(account.log)}
    body["message"].update(data=base64.b64encode(json.dumps(data).encode()).decode(), messageId=str(account.messages),
                           message_id=str(account.messages))


def example(body, account, item, _time):
    body.update(id=item.id, account_id=account.external_id, title=item.title, updated_at=rfc3339(item.updated))


FILLERS = {"github": github, "gitlab": gitlab, "jira": jira, "linear": linear, "slack": slack, "zoho-cliq": zoho_cliq,
           "gmail": gmail, "example": example}


# Proofs: of the headers and the body that are sent.

def mac(secret, data):
    return hmac.new(secret if isinstance(secret, bytes) else secret.encode(), data, hashlib.sha256)


def prove(provider, headers, body, secret, order):
    slug = provider.slug
    if slug == "github":
        headers["x-hub-signature-256"] = "sha256=" + mac(secret, body).hexdigest()
    elif slug == "slack":
        headers["x-slack-request-timestamp"] = stamp = str(int(time.time()))
        headers["x-slack-signature"] = "v0=" + mac(secret, f"v0:{stamp}:".encode() + body).hexdigest()
    elif slug == "jira" and order.get("proof") == "hmac":
        headers["x-hub-signature"] = "sha256=" + mac(secret, body).hexdigest()
    elif slug in ("jira", "zoho-cliq"):
        headers["authorization"] = "Bearer " + secret
    elif slug == "gitlab" and secret.startswith("whsec_"):
        headers["webhook-id"], headers["webhook-timestamp"] = headers.pop("idempotency-key"), str(int(time.time()))
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        proof = mac(base64.b64decode(secret.removeprefix("whsec_")), signed).digest()
        headers["webhook-signature"] = "v1," + base64.b64encode(proof).decode()
    elif slug == "gitlab":
        headers["x-gitlab-token"] = secret
    elif slug == "linear":
        headers["linear-signature"] = mac(secret, body).hexdigest()
    elif slug == "gmail":
        headers["authorization"] = "Bearer " + provider.signer.token(order.get("audience", ""), order.get("claims", {}))
    elif slug in ("google-drive", "google-calendar"):
        headers["x-goog-channel-token"] = mac(secret, headers["x-goog-channel-id"].encode()).hexdigest()
    elif slug == "example":
        headers["x-example-signature"] = "sha256=" + mac(secret, body).hexdigest()


DELIVERY_ID = {"github": "x-github-delivery", "jira": "x-atlassian-webhook-identifier", "gitlab": "idempotency-key",
               "linear": "linear-delivery", "example": "x-example-delivery"}


def delivery(provider, account, change, order):
    """Headers and bytes of the delivery that tells a change."""
    item, action, when = change
    account.messages += 1
    recorded = RECORDED[provider.slug]
    headers, body = provider.definition.delivery(recorded if isinstance(recorded, str) else recorded[action])
    if provider.slug in FILLERS:
        FILLERS[provider.slug](body, account, item, when)
        body = json.dumps(body).encode()
    else:
        body = b""
    if provider.slug in DELIVERY_ID:
        headers[DELIVERY_ID[provider.slug]] = str(uuid.uuid5(SPACE, f"{account.uuid}/{account.messages}"))
    if "x-goog-channel-id" in headers:
        headers.update({"x-goog-channel-id": f"{order['connection_id']}.{account.number % 2**32:08x}",
                        "x-goog-message-number": str(account.messages)})
    prove(provider, headers, body, order.get("secret", ""), order)
    return headers, body


def distorted(deliveries, order, random):
    """What the way to the service makes of them: `lose` and `duplicate` so many, `reorder` all."""
    out = list(deliveries)
    for _ in range(min(order.get("lose", 0), len(out))):
        out.pop(random.randrange(len(out)))
    for _ in range(order.get("duplicate", 0) if out else 0):
        out.insert(random.randrange(len(out) + 1), random.choice(out))
    if order.get("reorder"):
        random.shuffle(out)
    return out
