"""The rules every route obeys: one error shape, trace ids, framing, methods, parameters."""

import json
import re
import uuid

import harness
from harness import OPERATOR, Suite

UUID = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


class Envelope(Suite):
    def test_every_kind_of_refusal_has_the_same_shape(self):
        call = self.call
        self.refused(call("GET", "/nowhere"), 404, "NOT_FOUND", reason="unknown_route")
        self.refused(call("POST", "/healthz"), 405, "METHOD_NOT_ALLOWED")
        self.refused(call("GET", "/signals", token=None), 401, "UNAUTHORIZED")
        self.refused(call("GET", "/signals", token="wrong"), 401, "UNAUTHORIZED")
        self.refused(call("GET", "/signals", tenant=None), 400, "VALIDATION_FAILED", **{"X-Tenant-Id": ...})
        self.refused(call("GET", "/signals", query={"limit": "0"}), 400, "VALIDATION_FAILED", limit=...)
        self.refused(call("GET", f"/signals/{uuid.uuid4()}"), 404, "NOT_FOUND")
        self.refused(call("POST", "/connections", "{", headers={"Content-Type": "application/json"}), 400, "INVALID_BODY")
        self.refused(call("POST", "/connections", "{}", headers={"Content-Type": "text/plain"}), 415, "UNSUPPORTED_MEDIA_TYPE")
        self.refused(call("GET", "/" + "a" * 9000), 414, "URI_TOO_LONG")
        self.refused(call("GET", "/", headers={"X-Long": "a" * 17000}), 431, "HEADERS_TOO_LARGE")

    def test_a_refused_bearer_is_told_the_scheme(self):
        answer = self.call("GET", "/signals", token=None)
        self.assertEqual(answer.headers["WWW-Authenticate"], "Bearer")

    def test_a_wrong_method_is_told_the_right_ones(self):
        answer = self.call("DELETE", "/connections")
        self.refused(answer, 405, "METHOD_NOT_ALLOWED")
        self.assertLessEqual({"GET", "POST"}, set(re.split(r",\s*", answer.headers["Allow"])))

    def test_bodies_that_are_not_an_object_are_refused(self):
        for body in ("", "[]", "1", "null", '"x"', '{"a":', '{"a":1}}', "{'a':1}", b'{"a":"\xff"}',
                     '{"a":' + "[" * 65 + "]" * 65 + "}"):
            with self.subTest(body[:30]):
                answer = self.call("POST", "/connections", body, headers={"Content-Type": "application/json"})
                self.refused(answer, 400, "INVALID_BODY")

    def test_nesting_is_a_refusal_and_not_the_end_of_the_process(self):
        body = '{"provider":"example","external_id":"x","metadata":' + '{"a":' * 60000 + "1" + "}" * 60000 + "}"
        self.refused(self.call("POST", "/connections", body, headers={"Content-Type": "application/json"}), 400, "INVALID_BODY")
        self.get("/healthz")

    def test_a_declared_length_over_the_limit_is_refused_before_the_body(self):
        head = (f"POST /connections HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {OPERATOR}\r\nX-Tenant-Id: {self.tenant}\r\n"
                "Content-Type: application/json\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n")
        received, closed = self.service.raw(head.encode())
        self.assertTrue(received.startswith(b"HTTP/1.1 413"), received[:200])
        self.assertTrue(closed)
        self.assertIn(b'"limit_bytes"', received)

    def test_a_chunked_body_is_cut_off_at_the_limit(self):
        head = (f"POST /connections HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {OPERATOR}\r\nX-Tenant-Id: {self.tenant}\r\n"
                "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n").encode()
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        try:
            received, _ = self.service.raw(head + chunk * 20)
        except (BrokenPipeError, ConnectionResetError) as error:
            self.fail(f"the answer was cut off: {error!r}")
        self.assertTrue(received.startswith(b"HTTP/1.1 413"), received[:200])


class Tracing(Suite):
    def trace(self, **headers):
        answer = self.call("GET", "/healthz", token=None, headers=headers)
        return answer.headers["x-trace-id"]

    def test_a_valid_traceparent_names_the_trace(self):
        self.assertEqual(self.trace(traceparent=f"00-{TRACE}-00f067aa0ba902b7-01", **{"X-Request-Id": "other"}), TRACE)

    def test_an_invalid_traceparent_is_ignored(self):
        for bad in (f"00-{'0' * 32}-00f067aa0ba902b7-01", f"ff-{TRACE}-00f067aa0ba902b7-01", f"00-{TRACE}-{'0' * 16}-01",
                    f"00-{TRACE.upper()}-00f067aa0ba902b7-01", "00-short", ""):
            with self.subTest(bad):
                self.assertEqual(self.trace(traceparent=bad, **{"X-Request-Id": "mine:1"}), "mine:1")

    def test_a_request_id_is_taken_only_when_well_formed(self):
        self.assertEqual(self.trace(**{"X-Request-Id": "A.b_c:d-9"}), "A.b_c:d-9")
        for bad in ("a b", "a" * 129, "<x>", "a/b"):
            self.assertRegex(self.trace(**{"X-Request-Id": bad}), UUID)

    def test_without_either_every_request_gets_its_own(self):
        self.assertEqual(len({self.trace() for _ in range(20)}), 20)

    def test_the_trace_is_in_the_request_log_line(self):
        trace = uuid.uuid4().hex
        self.call("GET", "/signals?limit=3", headers={"X-Request-Id": trace})
        line = harness.eventually(
            lambda: [e for e in self.service.events() if e.get("event") == "http_request" and e.get("trace_id") == trace])[0]
        self.assertEqual((line["method"], line["path"], line["status"]), ("GET", "/signals", 200))
        self.assertNotIn("limit=3", json.dumps(line))




class Framing(Suite):
    """Shapes that two parsers in a row could read differently."""

    REFUSED = {
        "two framings": "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "two lengths": "Content-Length: 3\r\nContent-Length: 4\r\n",
        "a length list": "Content-Length: 3, 4\r\n",
        "a length that is not a number": "Content-Length: 3x\r\n",
        "a signed length": "Content-Length: +3\r\n",
        "a negative length": "Content-Length: -3\r\n",
        "a space before the colon": "Content-Length : 3\r\n",
        "a folded header": "X-A: 1\r\n 2\r\nContent-Length: 3\r\n",
        "another coding": "Transfer-Encoding: gzip\r\n",
        "two codings": "Transfer-Encoding: gzip, chunked\r\n",
        "chunked twice": "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "a nearly chunked coding": "Transfer-Encoding: xchunked\r\n",
        "a quoted coding": "Transfer-Encoding: \"chunked\"\r\n",
        "a second host": "Host: y\r\nContent-Length: 3\r\n",
        "a name with a space": "X A: 1\r\nContent-Length: 3\r\n",
        "a nul in a value": "X-A: a\0b\r\nContent-Length: 3\r\n",
        "a bare carriage return": "X-A: a\rb\r\nContent-Length: 3\r\n",
    }

    def test_ambiguous_framing_is_refused_and_the_connection_closed(self):
        for name, headers in self.REFUSED.items():
            with self.subTest(name):
                request = f"POST /webhooks/example/{self.tenant} HTTP/1.1\r\nHost: x\r\n{headers}\r\n{{}}\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
                received, closed = self.service.raw(request.encode("latin-1"))
                self.assertTrue(received.startswith(b"HTTP/1.1 400"), received[:120])
                self.assertEqual(received.count(b"HTTP/1.1 "), 1, "what followed was read as a request")
                self.assertTrue(closed)
                self.assertIn(b'"BAD_REQUEST"', received)

    def test_a_missing_host_is_refused(self):
        received, _ = self.service.raw(b"GET /healthz HTTP/1.1\r\n\r\n")
        self.assertTrue(received.startswith(b"HTTP/1.1 400"), received[:120])

    def test_a_bad_chunk_is_refused(self):
        for chunk in ("x\r\n", "-1\r\n", "fffffffffffffffff\r\n", "3 \r\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n"):
            with self.subTest(chunk):
                request = f"POST /webhooks/example/{self.tenant} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}"
                received, closed = self.service.raw(request.encode())
                self.assertTrue(received.startswith(b"HTTP/1.1 40"), received[:120])
                self.assertTrue(closed)

    def test_requests_in_one_packet_are_answered_in_order(self):
        one = b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Request-Id: first\r\n\r\n"
        two = b"GET /nowhere HTTP/1.1\r\nHost: x\r\nX-Request-Id: second\r\nConnection: close\r\n\r\n"
        received, closed = self.service.raw(one + two)
        self.assertTrue(closed)
        self.assertLess(received.index(b"first"), received.index(b"second"))
        self.assertEqual(received.count(b"HTTP/1.1 "), 2)


class Routes(Suite):
    def test_head_is_get_without_the_body(self):
        for path in ("/", "/healthz", "/signals", "/openapi.json"):
            with self.subTest(path):
                head, get = self.call("HEAD", path), self.call("GET", path)
                self.assertEqual((head.status, head.body), (200, b""))
                self.assertEqual(head.headers.get_content_type(), get.headers.get_content_type())

    def test_a_preflight_needs_no_token(self):
        answer = self.call("OPTIONS", "/connections", token=None, headers={
            "Origin": "https://app.example.org", "Access-Control-Request-Method": "POST"})
        self.assertEqual(answer.status, 204)
        self.assertIn("POST", answer.headers["Access-Control-Allow-Methods"])
        self.assertIn("idempotency-key", answer.headers["Access-Control-Allow-Headers"].lower())
        self.assertIn("x-trace-id", self.call("GET", "/", headers={"Origin": "https://app.example.org"})
                      .headers["Access-Control-Expose-Headers"].lower())

    def test_every_operation_of_the_document_is_served_and_described(self):
        document = self.get("/openapi.json")
        self.assertTrue(document["openapi"].startswith("3.1"))
        names = set()
        for path, item in document["paths"].items():
            for method, operation in item.items():
                if method not in ("get", "post", "put", "patch", "delete"):
                    continue
                with self.subTest(f"{method} {path}"):
                    self.assertNotIn(operation["operationId"], names)
                    names.add(operation["operationId"])
                    self.assertTrue(any(code[0] in "45" for code in operation["responses"]))
                    concrete = re.sub(r"\{provider\}", "example", re.sub(r"\{\w*id\}", str(uuid.uuid4()), path))
                    answer = self.call(method.upper(), re.sub(r"\{\w+\}", "x", concrete), token=None)
                    if answer.status == 404 and answer.headers.get_content_type() != "text/html":  # a page of ours is a route
                        self.assertNotEqual(answer.json.get("details", {}).get("reason"), "unknown_route")
                    self.assertNotEqual(answer.status, 405)
        self.assertIn("ApiError", document["components"]["schemas"])
        self.assertIn("bearer_auth", document["components"]["securitySchemes"])

    def test_the_viewer_loads_nothing_from_elsewhere(self):
        page = self.call("GET", "/docs", token=None)
        self.assertEqual(page.status, 200)
        self.assertEqual(page.headers.get_content_type(), "text/html")
        self.assertIsNone(re.search(r'(?:src|href)\s*=\s*["\'](?:https?:)?//', page.text))

    def test_the_public_pages_say_who_answers(self):
        self.assertEqual(self.get("/", token=None)["service"], "poblysh-connectors")
        self.assertEqual(self.get("/healthz", token=None)["status"], "ok")
        self.assertEqual(self.get("/readyz", token=None)["checks"], {"database": "ok", "migrations": "ok", "workers": "ok"})


class Parameters(Suite):
    LISTS = ("/signals", "/deliveries", "/connections")

    def test_a_limit_out_of_its_domain_is_refused(self):
        for path in self.LISTS:
            for bad in ("0", "101", "-1", "+5", "1.0", "x", "", "99999999999999999999", " 5"):
                with self.subTest(f"{path} {bad!r}"):
                    self.refused(self.call("GET", path, query={"limit": bad}), 400, "VALIDATION_FAILED", limit=...)
            self.get(path, query={"limit": "100"})

    def test_a_repeated_parameter_is_refused(self):
        for path in self.LISTS:
            self.refused(self.call("GET", path + "?limit=5&limit=5"), 400, "VALIDATION_FAILED", limit=...)

    def test_an_unknown_parameter_is_ignored(self):
        for path in self.LISTS:
            self.get(path + "?colour=blue")

    def test_a_filter_outside_its_domain_is_refused(self):
        for path, name, bad in (("/signals", "kind", "issue_eaten"), ("/signals", "provider", "nobody"),
                                ("/signals", "connection_id", "1"), ("/signals", "occurred_after", "yesterday"),
                                ("/signals", "include_payload", "yes"), ("/deliveries", "status", "lost"),
                                ("/deliveries", "received_before", "2024-13-01T00:00:00Z"), ("/connections", "status", "x"),
                                ("/connections", "provider", "GitHub")):
            with self.subTest(f"{path}?{name}={bad}"):
                self.refused(self.call("GET", path, query={name: bad}), 400, "VALIDATION_FAILED", **{name: ...})

    def test_ids_are_read_in_any_case_and_written_in_one(self):
        row = self.connect("example")
        self.assertEqual(self.get("/connections/" + row["id"].upper())["id"], row["id"])
        for bad in (row["id"].replace("-", ""), "x", "00000000-0000-0000-0000-000000000000"):
            self.refused(self.call("GET", "/connections/" + bad), 400, "VALIDATION_FAILED")


if __name__ == "__main__":
    harness.main()
