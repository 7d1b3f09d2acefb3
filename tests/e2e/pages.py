"""What the suites of the dashboard share: browsers without JavaScript, and pages as trees."""

import html.parser
import re
import urllib.parse
import uuid

from harness import Suite
from snapshots import T, TrackerSuite, computed_key

VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
EVIL = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"
MOST = 60 * 1024
FRONT, GATES = "/dashboard/connectors", "/api/v1/connectors/github/"


class Element:
    def __init__(self, tag, attrs, parent):
        self.tag, self.attrs, self.parent, self.parts = tag, dict(attrs), parent, []

    @property
    def text(self):
        return " ".join("".join(p if isinstance(p, str) else " " + p.text + " " for p in self.parts).split())

    def every(self, tag=None, **attrs):
        """Elements below this one, in the order of the page; `_` in a name of an attribute stands for `-`."""
        wanted = {name.rstrip("_").replace("_", "-"): value for name, value in attrs.items()}
        for part in self.parts:
            if isinstance(part, str):
                continue
            if tag in (None, part.tag) and all(part.attrs.get(n) == v for n, v in wanted.items()):
                yield part
            yield from part.every(tag, **attrs)

    def __getitem__(self, name):
        return self.attrs.get(name)

    def all(self, tag=None, **attrs):
        return list(self.every(tag, **attrs))

    def ids(self, testid):
        return self.all(data_testid=testid)

    def one(self, tag=None, **attrs):
        found = list(self.every(tag, **attrs))
        assert len(found) == 1, f"{len(found)} of {tag} {attrs}"
        return found[0]


class _Builder(html.parser.HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.root = self.at = Element("", {}, None)

    def handle_starttag(self, tag, attrs):
        element = Element(tag, attrs, self.at)
        self.at.parts.append(element)
        if tag not in VOID:
            self.at = element

    def handle_endtag(self, tag):
        assert self.at.tag == tag, f"</{tag}> ends <{self.at.tag}>"
        self.at = self.at.parent

    def handle_data(self, data):
        self.at.parts.append(data)


def tree(source):
    builder = _Builder()
    builder.feed(source)
    assert builder.at is builder.root, f"<{builder.at.tag}> is not closed"
    return builder.root


class Page:
    def __init__(self, answer):
        self.answer, self.status, self.source, self.root = answer, answer.status, answer.text, tree(answer.text)

    def __getattr__(self, name):
        return getattr(self.root, name)

    def trackers(self):
        return [e for e in self.root.every() if e.attrs.get("data-testid", "").startswith("tracker-")]


class Browser:
    """Keeps the cookie, follows our redirects, runs no script."""

    def __init__(self, service, cookie=None):
        self.service, self.cookie = service, cookie

    def send(self, method, path, form=None, headers=None):
        headers = {"Cookie": self.cookie, **(headers or {})}
        body = None if form is None else urllib.parse.urlencode(form)
        if body is not None:
            headers.update({"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"} | (headers or {}))
        return self.service.call(method, path, body, token=None, headers=headers, timeout=60)

    def get(self, path):
        return Page(self.send("GET", path))

    def follow(self, answer):
        for _ in range(5):
            if answer.status != 303:
                return Page(answer)
            answer = self.send("GET", answer.headers["Location"])
        raise AssertionError("redirects without end")

    @staticmethod
    def filled(form, **values):
        """What a browser sends of a form that has these values typed in."""
        out = {}
        for e in form.every():
            name = e.attrs.get("name")
            if not name or e.tag == "button" or e.attrs.get("type") in ("checkbox", "radio") and "checked" not in e.attrs:
                continue
            options = list(e.every("option"))
            chosen = [o for o in options if "selected" in o.attrs] or options[:1]
            out[name] = e.attrs.get("value", "") if e.tag != "select" else chosen[0].attrs.get("value", chosen[0].text) if chosen else ""
        return out | values

    def submit(self, form, action=None, **values):
        """Sends a form of a page; the page that comes of it. `action` is a button's own."""
        return self.follow(self.post(form, action, **values))

    def post(self, form, action=None, **values):
        assert form.attrs["method"] == "post"
        return self.send("POST", action or form.attrs["action"], self.filled(form, **values))


class PagesSuite(Suite):
    """A team with a browser of each role."""

    settings = {"TRACKER_FLAG_DEFAULT": "true"}

    def setUp(self):
        self.slug = "team-" + uuid.uuid4().hex[:10]
        self.tenant = self.new_tenant(slug=self.slug)
        self.admin, self.editor, self.viewer = (self.browser(role) for role in ("admin", "editor", "viewer"))

    def browser(self, *roles, tenant=None):
        wanted = {"tenant_id": tenant or self.tenant, "name": "Ana", "roles": list(roles)}
        answer = self.service.call("POST", "/api/v1/dashboard-sessions", wanted)
        self.assertEqual(answer.status, 201, answer)
        entered = self.service.call("GET", "/" + answer.json["url"].split("/", 3)[3], token=None)
        return Browser(self.service, re.match(r"connectord_session=[^;]*", entered.headers["Set-Cookie"])[0])

    def shown(self, browser, path, status=200):
        page = browser.get(path)
        self.assertEqual(page.status, status, page.source)
        self.assertEqual(page.answer.headers.get_content_type(), "text/html")
        self.assertLessEqual(len(page.answer.body), MOST)
        self.assertEqual([a.text for a in page.one("nav", data_testid="main-nav").every("a")], ["Connectors", "Projects", "Activity"])
        return page

    def denied(self, page, part=None):
        """Labels of the buttons that are there but not for this visitor; each says whose they are."""
        found = [b for b in (part or page).every("button") if "disabled" in b.attrs]
        for button in found:
            self.assertRegex(page.one(id=button["aria-describedby"]).text, "^Only an .*administrator of the team may do that.$")
        return [b.text for b in found]

    def project(self, tenant=None, **members):
        slug = "p-" + uuid.uuid4().hex[:10]
        body = {"name": "Apollo", "slug": slug, "project_uuid": str(uuid.uuid4()), **members}
        answer = self.call("POST", "/api/v1/projects/", body, tenant=tenant or self.tenant)
        self.assertEqual(answer.status, 201, answer)
        return answer.json

    def audited(self, action):
        """Who did that, as the audit log has it."""
        wanted = f"SELECT actor FROM audit_log WHERE tenant_id = '{self.tenant}' AND action = '{action}' AND outcome = 'ok'"
        return self.service.database.query(wanted)

    def flag(self, enabled, tenant=None):
        answer = self.call("PUT", "/api/v1/flags/tracker_connectors", {"enabled": enabled}, tenant=tenant or self.tenant)
        self.assertEqual(answer.status, 200, answer)


class ConnectorsSuite(PagesSuite):
    def send(self, body, status=201, tenant=None):
        headers = {"Idempotency-Key": computed_key(body)}
        answer = self.call("POST", T + "/snapshots/", body, tenant=tenant or self.tenant, headers=headers)
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def gate(self, project, name="octo/repo", tenant=None):
        answer = self.call("POST", GATES, {"project_id": project["id"], "repo_full_name": name}, tenant=tenant or self.tenant)
        self.assertEqual(answer.status, 201, answer)
        return answer.json

    def kinds(self, page):
        return sorted(row.attrs["data-kind"] for row in page.ids("connector-row"))


class TrackerPagesSuite(PagesSuite, TrackerSuite):
    """The same, where snapshots fill the pages."""

    def page(self, path, status=200, tenant=None):
        """As the operator's own tools see it, without a session."""
        page = Page(self.ask("GET", path, tenant=tenant))
        self.assertEqual(page.status, status, page.answer)
        self.assertEqual(page.answer.headers.get_content_type(), "text/html")
        return page

    def press(self, browser, form, status=303, **values):
        """Sends a form; the page that it leads to, if it does."""
        answer = browser.post(form, **values)
        self.assertEqual(answer.status, status, answer)
        return browser.follow(answer) if status == 303 else None

    def report(self, *events, tenant=None):
        answer = self.expect(200, "POST", "/api/v1/events/batch/", {"events": list(events)}, tenant=tenant)
        self.assertEqual({r["status"] for r in answer["results"]}, {"success"})

    def seqs(self, page):
        return [int(n["data-seq"]) for n in page.ids("activity-row")]
