"""Holds what goes over the wire against the OpenAPI document of the binary: the operation knows the status of the answer, the
content type is the one that it declares, and the body fits its schema, with no member that the schema does not name. A request
that was taken had a body that fits, too; it may have members that nobody reads."""

import functools
import json
import re

from jsonschema import Draft202012Validator, FormatChecker

PROBLEMS = ({"$ref": "#/components/schemas/ApiError"}, {"$ref": "#/components/schemas/TrackerError"})
# What the connection says before there is a route, so on any of them; by the code of either dialect.
OF_THE_CONNECTION = {400: {"BAD_REQUEST", "validation_error"}, 408: {"REQUEST_TIMEOUT"}, 413: {"PAYLOAD_TOO_LARGE", "payload_too_large"},
                     414: {"URI_TOO_LONG"}, 431: {"HEADERS_TOO_LARGE"}, 503: {"SERVICE_UNAVAILABLE", "busy"}}
OF_THE_ROUTER = {404: {"NOT_FOUND", "not_found"}, 405: {"METHOD_NOT_ALLOWED", "method_not_allowed"}}

FORMATS = FormatChecker(formats=())


@FORMATS.checks("uuid")
def is_uuid(text):
    return not isinstance(text, str) or re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text) is not None


@FORMATS.checks("date-time")
def is_time(text):
    return not isinstance(text, str) or re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.(?!0+Z)\d{1,6})?Z", text) is not None


def closed(schema):
    """The schema without room for members that it does not name; what has no names stays open."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    out = {name: closed(one) for name, one in schema.items()}
    if "properties" in out and isinstance(out["properties"], dict) and "type" in out:
        out.setdefault("additionalProperties", False)
    return out


class Contract:
    def __init__(self, document):
        self.open_components = {"schemas": document["components"]["schemas"]}
        self.components = closed({"schemas": document["components"]["schemas"]})
        self.operations = []
        for template, methods in document["paths"].items():
            pattern = re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)) + "/?")
            self.operations.append((template.count("{"), pattern, {name.upper(): one for name, one in methods.items()}))
        self.operations.sort(key=lambda one: one[0])  # literal segments win over parameters

    def objections(self, method, target, answer):
        """Why the answer is not one that the document promises; empty when it is."""
        path = target.partition("?")[0]
        operation = self._operation(method, path)
        where = f"{method} {path} {answer.status}"
        if not answer.headers["x-trace-id"]:
            return [f"{where}: no x-trace-id"]
        if method == "OPTIONS":
            return [] if answer.status == 204 else [f"{where}: a preflight is 204"]
        if answer.status >= 400 and method != "HEAD" and self._is_general(path, operation, answer):
            return self._misfits(where, {"anyOf": PROBLEMS}, answer)
        if operation is None or str(answer.status) not in operation["responses"]:
            return [f"{where}: not in the document"]
        return self._content(where, method, operation["responses"][str(answer.status)], answer)

    def objections_to_request(self, method, target, document):
        """Why a body that was taken is not one that the document describes."""
        operation = self._operation(method, target.partition("?")[0]) or {}
        declared = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if declared is None:
            return []
        schema = Draft202012Validator({**declared["schema"], "components": self.open_components})
        return [f"{method} {target} took {error.json_path}: {error.message[:400]}" for error in schema.iter_errors(document)]

    def _operation(self, method, path):
        methods = next((methods for _, pattern, methods in self.operations if pattern.fullmatch(path)), {})
        return methods.get("GET" if method == "HEAD" else method)

    def _is_general(self, path, operation, answer):
        code = code_of(answer)
        unrouted = operation is None or path.endswith("/")
        return code in OF_THE_CONNECTION.get(answer.status, ()) and str(answer.status) not in (operation or {}).get("responses", ()) or \
            unrouted and code in OF_THE_ROUTER.get(answer.status, ())

    def _content(self, where, method, declared, answer):
        content = declared.get("content", {})
        kind = answer.headers.get("Content-Type")
        if not content:
            return [] if kind is None and not answer.body else [f"{where}: {kind} with a body where the document has none"]
        known = {name.partition(";")[0]: one for name, one in content.items()}
        bare = (kind or "").partition(";")[0]
        if bare not in known:
            return [f"{where}: {kind} instead of {sorted(known)}"]
        is_json = bare == "application/json" or bare.endswith("+json")
        return [] if method == "HEAD" or not is_json else self._misfits(where, known[bare]["schema"], answer)

    def _misfits(self, where, schema, answer):
        found = self.misfits(schema, answer.json)
        if answer.status >= 400 and answer.json["trace_id"] != answer.headers["x-trace-id"]:
            found.append("trace_id is not that of the header")
        return [f"{where}: {one}" for one in found]

    def misfits(self, schema, value):
        return [f"{error.json_path}: {error.message[:400]}" for error in self._validator(json.dumps(schema)).iter_errors(value)]

    @functools.lru_cache(maxsize=None)
    def _validator(self, schema):
        return Draft202012Validator({**closed(json.loads(schema)), "components": self.components}, format_checker=FORMATS)


def code_of(answer):
    try:
        return answer.json["code"]
    except (ValueError, KeyError, TypeError):
        return None
