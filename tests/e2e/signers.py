"""What each provider does to prove that a delivery is its own: body bytes in, headers out."""

import base64
import hashlib
import hmac
import json
import time
import uuid

from harness import SECRETS


def mac(secret, data):
    return hmac.new(secret if isinstance(secret, bytes) else secret.encode(), data, hashlib.sha256)


def github(body, secret=SECRETS["github"], event="issues", delivery=None):
    return {"X-Hub-Signature-256": "sha256=" + mac(secret, body).hexdigest(), "X-GitHub-Event": event,
            "X-GitHub-Delivery": delivery or str(uuid.uuid4())}


def slack(body, secret=SECRETS["slack"], at=None):
    at = str(int(time.time() if at is None else at))
    return {"X-Slack-Request-Timestamp": at,
            "X-Slack-Signature": "v0=" + mac(secret, f"v0:{at}:".encode() + body).hexdigest()}


def jira(_body, secret=SECRETS["jira"]):
    return {"Authorization": "Bearer " + secret, "X-Atlassian-Webhook-Identifier": str(uuid.uuid4())}


def gitlab(_body, secret=SECRETS["gitlab"]):
    return {"X-Gitlab-Token": secret, "Idempotency-Key": str(uuid.uuid4())}


def standard_webhook(body, secret, at=None, delivery=None):
    at, delivery = str(int(time.time() if at is None else at)), delivery or "msg_" + uuid.uuid4().hex
    key = base64.b64decode(secret.removeprefix("whsec_"))
    proof = base64.b64encode(mac(key, f"{delivery}.{at}.".encode() + body).digest()).decode()
    return {"webhook-id": delivery, "webhook-timestamp": at, "webhook-signature": f"v1,{'A' * 43}= v1,{proof}"}


def linear(body, secret=SECRETS["linear"]):
    return {"Linear-Signature": mac(secret, body).hexdigest(), "Linear-Delivery": str(uuid.uuid4())}


def zoho_cliq(_body, secret=SECRETS["zoho-cliq"]):
    return {"Authorization": "Bearer " + secret}


def google(body, connection_id, secret=SECRETS["google-drive"], state="change", number=1):
    channel = connection_id + ".0a1b2c3d"
    return {"X-Goog-Channel-Id": channel, "X-Goog-Channel-Token": mac(secret, channel.encode()).hexdigest(),
            "X-Goog-Message-Number": str(number), "X-Goog-Resource-State": state, "X-Goog-Resource-Id": "resource-1"}


def example(body, secret=SECRETS["example"], delivery=None):
    return {"X-Example-Signature": "sha256=" + mac(secret, body).hexdigest(),
            "X-Example-Delivery": delivery or str(uuid.uuid4())}


def to_bytes(body):
    return json.dumps(body).encode()


def issue(number=1, action="opened", updated="2025-03-04T05:06:07Z", owner=4001, repository="acme/widgets", **members):
    """A GitHub issue event as GitHub would tell it, cut down to what the service reads."""
    return {"action": action,
            "issue": {"id": 9000 + number, "number": number, "title": f"Issue {number}", "updated_at": updated,
                      "html_url": f"https://github.com/{repository}/issues/{number}", "user": {"id": 5, "login": "ada"}},
            "repository": {"id": 77, "full_name": repository, "owner": {"id": owner, "login": repository.split("/")[0]}},
            "sender": {"id": 5, "login": "ada"}, **members}


def example_event(number=1, action="created", updated="2025-03-04T05:06:07Z", **members):
    return {"id": f"item-{number}", "action": action, "updated_at": updated, "title": f"Item {number}", **members}
