"""The sync endpoints: pages of what there is, and logs of what changed."""

import copy
import datetime
import re
import urllib.parse
import zoneinfo

from definition import at, put
from world import EPOCH, FIRST, RESOURCES, WRITERS, parsed

ZONE = "Europe/Warsaw"  # of the account; it matters where a provider filters by local minutes
SIZES = ("per_page", "maxResults", "pageSize", "limit")


def position(text):
    """Tokens of this provider are a position, with or without letters around it."""
    digits = re.search(r"\d+", text or "")
    return int(digits[0]) if digits else None


def wanted(stream):
    """Whether a stream is of issues, of pull requests or of all."""
    kinds = {rule.get("kind") for rule in stream["rules"]}
    if "pr_updated" not in kinds:
        return "issues" if "issue_updated" in kinds else "all"
    return "all" if "issue_updated" in kinds else "pulls"


class Feeds:
    def __init__(self, definition):
        self.definition, self.slug = definition, definition.slug
        self.page_size = None  # smaller pages than asked for

    def answer(self, route, holes, ask, account, quirks):
        """Status, headers and document of one call; `quirks` is the misbehaviour that applies to it."""
        stream = route.facts
        if route.name == "zone":
            return 200, {}, {"accountId": str(account.number), "timeZone": ZONE}
        if route.name == "detail":
            return self._detail(stream, holes, account)
        if route.name == "discover":
            return self._discovered(stream, ask, account, quirks)
        says = self.definition.readings(stream, ask)
        if quirks.get("expired_cursor") and any(name != "since" for name in says):
            return self.definition.invalid_cursor(stream)
        if "answer" in stream["cursor"]:
            return self._changes(route, stream, says, ask, account, quirks)
        return self._listing(stream, says, ask, account, quirks)

    def _size(self, stream, ask):
        asked = next((int(ask.query[name]) for name in SIZES if name in ask.query), 100)
        # Where a short page is the last one, a page is what was asked for.
        return asked if stream["page"]["style"] == "count" else min(asked, self.page_size or asked)

    def _record(self, stream, account, item):
        def fits(record):
            return "pull_request" not in record or item.pull

        record = self.definition.record(stream, fits)
        WRITERS[self.slug](record, account, item)
        return record

    def _since(self, stream, text):
        if text is None:
            return None
        if stream.get("since", {}).get("format") == "local_minute":
            return datetime.datetime.fromisoformat(text).replace(tzinfo=zoneinfo.ZoneInfo(ZONE)).astimezone(datetime.timezone.utc)
        return parsed(text)

    # What there is, page by page

    def _listing(self, stream, says, ask, account, quirks):
        kind, size, page = wanted(stream), self._size(stream, ask), stream["page"]
        since = self._since(stream, says.get("since"))
        newest_first = page.get("newest_first") or self.slug == "linear"
        if page["style"] == "link":
            start = (int(ask.query.get("page", 1)) - 1) * size
        else:
            start = max(0, (position(says.get("page")) or page.get("first", 0)) - page.get("first", 0))
        items = account.since(kind, since)
        if quirks.get("endless_pages"):
            self._outgrow(account, items, start + 2 * size, newest_first, kind == "pulls")
            items = account.since(kind, since)
        items = items[::-1] if newest_first else items
        following = start + size
        more = following < len(items)
        if quirks.get("repeated_cursor"):
            following, more = start or size, True
        records = [self._record(stream, account, item) for item in items[start:start + size]]
        return self._envelope(stream, records, following if more else None, ask, size, len(items))

    def _discovered(self, facts, ask, account, quirks):
        """What issues can belong to, in the order in which it was made."""
        says, size, page = self.definition.readings(facts, ask), self._size(facts, ask), facts["page"]
        first = page.get("first", 0)
        start = (int(ask.query.get("page", 1)) - 1) * size if page["style"] == "link" else max(0, (position(says.get("page")) or first) - first)
        if quirks.get("endless_pages"):
            account.resources += [f"more-{n}" for n in range(len(account.resources), start + 2 * size)]
        records = []
        for number, name in enumerate(account.resources[start:start + size], start + 1):
            records.append(self.definition.record(facts))
            RESOURCES[self.slug](records[-1], account, number, name)
        following = start + size
        more = following < len(account.resources)
        if quirks.get("repeated_cursor"):
            following, more = start or size, True
        return self._envelope(facts, records, following if more else None, ask, size, len(account.resources))

    def _outgrow(self, account, items, needed, older, pull):
        """So many items that there is always a further page; old ones where the newest come first."""
        step = datetime.timedelta(seconds=-1 if older else 1)
        times = [item.updated for item in items] or [EPOCH]
        time = min(times) if older else max(times)
        for _ in range(max(0, needed - len(items))):
            time += step
            account.add(time, pull)

    def _envelope(self, stream, records, following, ask, size, total):
        """As recorded, with these records and this way on."""
        page, headers = stream["page"], {}
        if stream["records"] == "$body":
            body = records
        else:
            body = copy.deepcopy(next(answer["body"] for recording in self.definition.recorded.values()
                                      for answer in recording["answers"] if at(answer["body"], stream["records"]) is not None))
            put(body, stream["records"], records)
        if page["style"] == "link" and following is not None:
            query = {**ask.query, "page": following // size + 1}
            headers["link"] = f'<{ask.origin}{ask.path}?{urllib.parse.urlencode(query)}>; rel="next"'
        elif page["style"] == "token":
            # The page number is a number where the recorded one is.
            put(body, page["token"], following if self.slug == "example" or following is None else f"p{following}")
            for condition, value in page.get("when", {}).items():
                put(body, condition, value if following is not None else not value)
        if "isLast" in body:
            body["isLast"] = following is None
        for name in ("total", "total_count"):
            if name in body:
                body[name] = total
        return 200, headers, {k: v for k, v in body.items() if v is not None} if self.slug == "jira" else body

    # What changed since a position

    def _changes(self, route, stream, says, ask, account, quirks):
        token, end = stream["cursor"], FIRST + len(account.log)
        cursor = next((position(value) for name, value in says.items() if name.startswith("cursor.")), None)
        if route.name == "baseline" and self.slug != "google-calendar":
            return 200, {}, {stream["baseline"]["answer"]: str(end)}
        if cursor is None and self.slug == "google-calendar":  # its first list is of all there is
            return 200, {}, {"kind": "calendar#events", "items": [], token["answer"]: f"sync-{end}"}
        begin = position(says.get("page")) or cursor
        if begin is None or not FIRST <= begin <= end:
            return self.definition.invalid_cursor(stream)
        size = self._size(stream, ask)
        if quirks.get("endless_pages"):
            while FIRST + len(account.log) < begin + 2 * size:
                account.change("created")
            end = FIRST + len(account.log)
        stop = min(begin + size, end)
        entries = account.log[begin - FIRST:stop - FIRST]
        more = stop < end
        if quirks.get("repeated_cursor"):
            stop, more = begin, True
        body = {stream["records"]: [self._entry(stream, account, begin + i, *entry) for i, entry in enumerate(entries, 1)]}
        if more:
            body[stream["page"]["token"]] = str(stop)
        if not more or self.slug == "gmail":
            body[token["answer"]] = f"sync-{end}" if self.slug == "google-calendar" else str(end)
        return 200, {}, body

    def _entry(self, stream, account, number, item, action, _time):
        if self.slug != "gmail":
            return self._record(stream, account, item)
        part = {"created": "messagesAdded", "deleted": "messagesDeleted"}.get(action, "labelsAdded")
        message = {"message": {"id": f"m{item.number}", "threadId": f"t{item.number}", "labelIds": ["INBOX"]}}
        return {"id": str(number), part: [{**message, "labelIds": ["STARRED"]} if part == "labelsAdded" else message]}

    def _detail(self, stream, holes, account):
        item = account.items.get(position(next(iter(holes.values()))))
        if item is None or item.state == "deleted":
            (_, status), = stream["detail"]["gone"].items()
            return status, {}, {"error": {"code": status, "message": "Requested entity was not found."}}
        message = next(answer["body"] for recording in self.definition.recorded.values()
                       for answer in recording["answers"] if at(answer["body"], "payload.headers"))
        message = copy.deepcopy(message)
        WRITERS[self.slug](message, account, item)
        return 200, {}, message
