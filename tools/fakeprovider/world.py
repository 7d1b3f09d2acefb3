"""What there is at a provider: accounts, their items and the log of what happened to them; and how each provider
writes an item down, on top of a recorded one."""

import bisect
import datetime
import hashlib
import uuid

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(2026, 1, 1, tzinfo=UTC)  # of what is there before the first sync
SPACE = uuid.UUID("6f1c9b1e-7f0d-4c2a-9d55-0a4f3e1b2c3d")


def rfc3339(time, milliseconds=False):
    return time.strftime("%Y-%m-%dT%H:%M:%S") + (f".{time.microsecond // 1000:03}Z" if milliseconds else "Z")


def parsed(text):
    time = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def epoch_ms(time):
    return int(time.timestamp() * 1000)


class Item:
    def __init__(self, number, time, pull=False):
        self.number, self.created, self.updated, self.pull = number, time, time, pull
        self.title, self.state, self.id = f"Item {number}", "open", str(number)

    def key(self):
        return self.updated, self.number


class Account:
    """One customer's account at one provider."""

    def __init__(self, slug, name):
        self.slug, self.name = slug, name
        self.number = 10_000 + int(hashlib.sha256(f"{slug}/{name}".encode()).hexdigest()[:8], 16) % 80_000_000
        self.uuid = str(uuid.uuid5(SPACE, f"{slug}/{name}"))
        self.email = f"{name}@example.com"
        self.host = f"{name}.atlassian.net"
        self.items, self.log, self.pending, self.messages = {}, [], [], 0
        self.resources = ["widgets"]  # what its issues belong to, by name
        self._sorted = {}

    @property
    def external_id(self):
        return {"github": str(self.number), "gitlab": str(self.number), "jira": self.uuid, "linear": self.uuid,
                "slack": f"T{self.number}", "gmail": self.email, "google-drive": self.email,
                "google-calendar": self.email, "zoho-mail": str(self.number), "zoho-cliq": str(self.number),
                "example": self.uuid}.get(self.slug, self.uuid)

    def add(self, time, pull=False):
        item = Item(max(self.items, default=0) + 1, time, pull)
        item.id = str(uuid.uuid5(SPACE, f"{self.uuid}/{item.number}"))
        self.items[item.number] = item
        self._sorted = {}
        return item

    def now(self):
        """The time of the next change: now, and never that of another one, as versions are told by the second."""
        now = datetime.datetime.now(UTC).replace(microsecond=0)
        last = max((item.updated for item in self.items.values()), default=EPOCH)
        return max(now, last + datetime.timedelta(seconds=1))

    def change(self, action, number=None, time=None, pull=False):
        """created, updated, closed or deleted; without a number it is a new item."""
        time = time or self.now()
        item = self.add(time, pull) if number is None else self.items[number]
        item.updated = time
        if action in ("closed", "deleted"):
            item.state = action
        if action == "updated":
            item.title = f"Item {item.number}, changed at {rfc3339(time)}"
        self.log.append((item, action, time))
        self.pending.append((item, action, time))
        self._sorted = {}
        return item

    def listed(self, wanted):
        """Items by the time of their last change; `wanted` is issues, pulls or all."""
        if wanted not in self._sorted:
            self._sorted[wanted] = sorted((item for item in self.items.values() if item.state != "deleted" and
                                           (wanted == "all" or item.pull == (wanted == "pulls"))), key=Item.key)
        return self._sorted[wanted]

    def since(self, wanted, time):
        items = self.listed(wanted)
        return items[bisect.bisect_left(items, (time, 0), key=Item.key):] if time else items


# A record as the provider would tell it: a recorded one, with this item's facts in their places.

def github(record, account, item):
    where = f"{account.name}/widgets"
    kind = "pull" if item.pull else "issues"
    record.update(id=account.number * 100_000 + item.number, number=item.number, title=item.title, state=item.state,
                  created_at=rfc3339(item.created), updated_at=rfc3339(item.updated),
                  closed_at=rfc3339(item.updated) if item.state == "closed" else None,
                  url=f"https://api.github.com/repos/{where}/issues/{item.number}",
                  repository_url=f"https://api.github.com/repos/{where}",
                  html_url=f"https://github.com/{where}/{kind}/{item.number}",
                  user={"login": account.name, "id": account.number, "type": "User"})
    repository(record.setdefault("repository", {}), account, 1, "widgets")
    if item.pull:
        record["pull_request"] = {"url": f"https://api.github.com/repos/{where}/pulls/{item.number}",
                                  "html_url": f"https://github.com/{where}/pull/{item.number}"}


def gitlab(record, account, item):
    record.update(id=account.number * 100_000 + item.number, iid=item.number, project_id=account.number, title=item.title,
                  state="closed" if item.state == "closed" else "opened",
                  created_at=rfc3339(item.created, True), updated_at=rfc3339(item.updated, True),
                  author={"id": account.number, "username": account.name, "name": account.name.title()},
                  web_url=f"https://gitlab.com/{account.name}/widgets/-/issues/{item.number}")


def jira(record, account, item):
    def local(time):
        return rfc3339(time, True).replace("Z", "+0000")

    record.update(id=str(account.number * 1000 + item.number), key=f"EX-{item.number}",
                  self=f"https://{account.host}/rest/api/3/issue/{account.number * 1000 + item.number}")
    record["fields"].update(summary=item.title, created=local(item.created), updated=local(item.updated))
    if item.state == "closed":
        record["fields"]["status"] = {"id": "10002", "name": "Done", "statusCategory": {"key": "done"}}


def linear(record, account, item):
    record.update(id=item.id, identifier=f"ENG-{item.number}", title=item.title,
                  createdAt=rfc3339(item.created, True), updatedAt=rfc3339(item.updated, True),
                  url=f"https://linear.app/{account.name}/issue/ENG-{item.number}")
    if item.state == "closed":
        record["state"] = {"id": "s9", "name": "Done", "type": "completed"}


def google_calendar(record, account, item):
    record.update(id=f"e{item.number}", created=rfc3339(item.created, True), updated=rfc3339(item.updated, True),
                  status="cancelled" if item.state == "deleted" else "confirmed", summary=item.title,
                  htmlLink=f"https://www.google.com/calendar/event?eid=e{item.number}",
                  organizer={"email": account.email, "self": True})


def google_drive(record, account, item):
    name = f"f{item.number}"
    record.update(time=rfc3339(item.updated, True), fileId=name, removed=item.state == "deleted")
    if item.state == "deleted":
        record.pop("file")
        return
    record["file"].update(id=name, name=item.title, trashed=False, createdTime=rfc3339(item.created, True),
                          modifiedTime=rfc3339(item.updated, True),
                          webViewLink=f"https://docs.google.com/document/d/{name}/edit")


def gmail(record, account, item):
    """A message as messages.get tells it."""
    record.update(id=f"m{item.number}", threadId=f"t{item.number}", internalDate=str(epoch_ms(item.updated)),
                  labelIds=["INBOX"])
    for header in record["payload"]["headers"]:
        header["value"] = {"To": account.email, "Subject": item.title}.get(header["name"], header["value"])


def zoho_mail(record, account, item):
    record.update(messageId=str(account.number * 1000 + item.number), subject=item.title,
                  sentDateInGMT=str(epoch_ms(item.created)), receivedTime=str(epoch_ms(item.created)))
    if item.updated > item.created:
        record["lastModifiedTime"] = str(epoch_ms(item.updated))


def example(record, account, item):
    record.update(id=item.id, title=item.title, updated_at=rfc3339(item.updated),
                  action={"open": "created" if item.updated == item.created else "updated"}.get(item.state, "closed"))


WRITERS = {"github": github, "gitlab": gitlab, "jira": jira, "linear": linear, "google-calendar": google_calendar,
           "google-drive": google_drive, "gmail": gmail, "zoho-mail": zoho_mail, "example": example}


# What issues belong to, likewise; `number` counts them from 1.

def repository(record, account, number, name):
    record.update(id=account.number * 10_000 + number, name=name, full_name=f"{account.name}/{name}",
                  html_url=f"https://github.com/{account.name}/{name}", owner={"login": account.name, "id": account.number, "type": "User"})


def project_of_gitlab(record, account, number, name):
    record.update(id=account.number * 10_000 + number, name=name, path=name, path_with_namespace=f"{account.name}/{name}",
                  web_url=f"https://gitlab.com/{account.name}/{name}",
                  namespace={"id": account.number, "name": account.name, "path": account.name, "kind": "user", "full_path": account.name})


def project_of_jira(record, account, number, name):
    record.update(id=str(10_000 + number), key=f"K{number}", name=name, self=f"https://{account.host}/rest/api/3/project/K{number}")


def team(record, account, number, name):
    record.update(id=str(uuid.uuid5(SPACE, f"{account.uuid}/team/{number}")), key=f"T{number}", name=name,
                  organization={"id": account.uuid, "urlKey": account.name})


RESOURCES = {"github": repository, "gitlab": project_of_gitlab, "jira": project_of_jira, "linear": team}


def identity(account, path):
    """Whose account it is, as the calls after a consent tell it. `path` tells the calls of one provider apart."""
    name, number = account.name, account.number
    if account.slug == "jira" and path != "/me":
        return [{"id": account.uuid, "name": name, "url": f"https://{account.host}", "avatarUrl": f"https://{account.host}/a.png",
                 "scopes": ["read:jira-work", "read:jira-user"]}]
    return {
        "github": {"id": number, "login": name, "name": name.title(), "email": account.email, "type": "User"},
        "gitlab": {"id": number, "username": name, "name": name.title(), "state": "active"},
        "jira": {"account_id": f"5b10{number}", "name": name.title(), "account_type": "atlassian"},
        "linear": {"data": {"viewer": {"id": f"u-{number}", "name": name.title()},
                            "organization": {"id": account.uuid, "name": name.title(), "urlKey": name}}},
        "gmail": {"emailAddress": account.email, "messagesTotal": len(account.items), "threadsTotal": len(account.items),
                  "historyId": str(FIRST + len(account.log))},
        "google-drive": {"user": {"kind": "drive#user", "displayName": name.title(), "me": True, "emailAddress": account.email}},
        "google-calendar": {"kind": "calendar#calendar", "id": account.email, "summary": account.email, "timeZone": "UTC"},
        "zoho-mail": {"status": {"code": 200, "description": "success"},
                      "data": [{"accountId": str(number), "primaryEmailAddress": account.email, "displayName": name.title()}]},
        "example": {"id": account.external_id, "login": name},
    }[account.slug]


FIRST = 1000  # position of a log before its first entry
