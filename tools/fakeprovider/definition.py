"""What the fake knows about a provider: its definition, read as a server instead of as a client, and the answers
that were recorded for it."""

import copy
import json
import pathlib
import re
import urllib.parse

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
HOLE = re.compile(r"\{([^{}]*)\}")


def at(value, path):
    """The value at `a.b[0].c`; None where there is none."""
    if path == "$body":
        return value
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        try:
            value = value[int(index)] if index else value[name]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def put(value, path, new):
    names = path.split(".")
    for name in names[:-1]:
        value = value.setdefault(name, {})
    value[names[-1]] = new


def pattern(template, hole):
    """A template as an expression that reads back what the holes were filled with."""
    parts = HOLE.split(template)
    return re.compile("".join(re.escape(p) if i % 2 == 0 else f"({hole})" for i, p in enumerate(parts)))


def reading(template, value):
    """What `value` says for each hole of the template, or of the first of several that fits; else nothing."""
    for one in template if isinstance(template, list) else [template]:
        if found := pattern(one, ".+?").fullmatch(value):
            yield from zip(HOLE.findall(one), found.groups())
            return


def asks_for(request, ask):
    """Whether a GraphQL request is this one: they all have one address."""
    return "graphql" not in request or (ask.json or {}).get("query", "").split() == request["graphql"].split()


class Route:
    """A method and a path with holes, as in a URL of the definition; the query is left out."""

    def __init__(self, method, url, name, facts=None):
        path = "/" + url.partition("://")[2].partition("/")[2].partition("?")[0]
        self.method, self.name, self.facts = method, name, facts
        self.path, self.holes = pattern(path, "[^/]+"), HOLE.findall(path)

    def match(self, method, path):
        found = self.path.fullmatch(path) if method == self.method else None
        return None if found is None else dict(zip(self.holes, map(urllib.parse.unquote, found.groups())))


class Definition:
    def __init__(self, slug):
        self.slug = slug
        self.document = yaml.safe_load((ROOT / "config/providers" / f"{slug}.yaml").read_text(encoding="utf-8"))
        self.oauth = self.document.get("oauth", {})
        self.sync = self.document.get("sync", {})
        self.streams = self.sync.get("streams", [])
        self.discovery = self.document.get("tracker", {}).get("resource", {}).get("discover")
        self.recorded = {path.stem: json.loads(path.read_text(encoding="utf-8"))
                         for path in sorted((ROOT / "tests/golden" / slug).glob("sync/*.json"))}
        self.routes = list(self._routes())

    def _routes(self):
        oauth = self.oauth
        if oauth:
            yield Route("GET", oauth["authorize_url"], "authorize")
            yield Route("POST", oauth["token_url"], "token")
        if "revoke" in oauth:
            yield Route(oauth["revoke"]["method"], oauth["revoke"]["url"], "revoke")
        if "jwks_url" in oauth:
            yield Route("GET", oauth["jwks_url"], "jwks")
        for call in oauth.get("account", {}).get("calls", []):
            yield Route(call["method"], call["url"], "identity", call)
        if self.discovery:
            request = self.discovery["request"]
            yield Route(request.get("method", "GET"), request["url"], "discover", self.discovery)
        for stream in self.streams:
            asked = {"zone": stream.get("since", {}).get("zone"), "baseline": stream.get("baseline"),
                     "detail": stream.get("detail"), "page": stream}
            for name, facts in asked.items():
                if facts and "request" in facts:
                    yield Route(facts["request"].get("method", "GET"), facts["request"]["url"], name, stream)

    def route(self, ask):
        """The route of a request with what its path says. An address may serve two purposes: what is asked there
        tells which."""
        for route in self.routes:
            found = route.match(ask.method, ask.path)
            if found is None:
                continue
            if route.name == "identity" and "body" in route.facts and json.loads(route.facts["body"]) != ask.json:
                continue
            if route.name == "discover" and not asks_for(route.facts["request"], ask):
                continue
            if route.name == "baseline" and any(hole.startswith("cursor.") for hole in self.readings(route.facts, ask)):
                continue
            return route, found
        return None, {}

    def readings(self, stream, ask):
        """What a request for a page says: `since`, `page` and `cursor.…`, by the templates that it was made from."""
        request, out = stream["request"], {}
        for name, template in request.get("query", {}).items():
            if name in ask.query:
                out.update(reading(template, ask.query[name]))
        for path, template in request.get("body", {}).items():
            value = at(ask.json, path)
            if isinstance(value, str):
                out.update(reading(template, value))
        return out

    def records(self, stream):
        """Every record that was recorded for a stream, or for the discovery."""
        for recording in self.recorded.values():
            if recording.get("discovery", False) != (stream is self.discovery):
                continue
            for answer in recording["answers"]:
                found = at(answer["body"], stream["records"])
                yield from found if isinstance(found, list) else []

    def record(self, stream, wanted=lambda _: True):
        """A copy of the first one that is wanted."""
        return copy.deepcopy(next(filter(wanted, self.records(stream))))

    def failure(self, name, otherwise):
        """How the provider was seen to say it: status, headers and body."""
        for recording in self.recorded.values():
            if recording["expect"].get("failure") == name and recording["expect"]["pages"] == 0:
                answer = recording["answers"][0]
                return answer["status"], dict(answer["headers"]), answer["body"]
        return otherwise, {}, {"error": name}

    def invalid_cursor(self, stream):
        (path, value), = stream.get("invalid_cursor", {"$status": 400}).items()
        for recording in self.recorded.values():
            for answer in recording["answers"]:
                if answer["status"] == value or at(answer["body"], path) == value:
                    return answer["status"], dict(answer["headers"]), answer["body"]
        return 400, {}, {"error": "invalid cursor"}

    def delivery(self, name):
        """A recorded webhook: headers and body."""
        path = ROOT / "tests/golden" / self.slug / f"{name}.json"
        request = json.loads(path.read_text(encoding="utf-8"))["request"]
        return dict(request["headers"]), request.get("body", {})


def slugs():
    return sorted(path.stem for path in (ROOT / "config/providers").glob("*.yaml"))
