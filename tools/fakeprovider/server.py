"""The listeners: one for each provider, at addresses of its own as each has its own host, and one for control."""

import http.server
import json
import random
import sys
import threading
import time
import urllib.parse

from definition import Definition
from faults import Rules, instead
from feeds import Feeds
from keys import Signer
from oauth import AuthorizationServer
from world import Account, identity


class Ask:
    """One request, read."""

    def __init__(self, handler):
        target = urllib.parse.urlsplit(handler.path)
        self.method, self.path = handler.command, target.path
        self.query = dict(urllib.parse.parse_qsl(target.query, keep_blank_values=True))
        self.headers = {name.lower(): value for name, value in handler.headers.items()}
        self.origin = "http://" + self.headers.get("host", "")
        self.body = handler.rfile.read(int(self.headers.get("content-length", 0)))
        kind = self.headers.get("content-type", "")
        self.form = dict(urllib.parse.parse_qsl(self.body.decode("utf-8", "replace"))) if "form-urlencoded" in kind else {}
        try:
            self.json = json.loads(self.body) if "json" in kind else None
        except ValueError:
            self.json = None


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_):
        """A client that does not wait for the end of a slow answer is no news."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(*_)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __getattr__(self, name):  # do_GET, do_POST, …: the method is looked at later
        if name.startswith("do_"):
            return self.handle_one
        raise AttributeError(name)

    def handle_one(self):
        self.server.serve(self, Ask(self))

    def log_message(self, *_):
        pass

    def answer(self, status, headers, body, wishes=None):
        """`body` is a document, a text or bytes; `wishes` says what goes wrong on the way."""
        wishes = wishes or {}
        if not isinstance(body, bytes):
            headers = {"content-type": "text/plain" if isinstance(body, str) else "application/json", **headers}
            body = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        if wishes.get("truncate"):
            body = body[:len(body) // 2]
        reason = self.responses.get(status, ("",))[0]
        headers = {"date": self.date_time_string(), **headers, "content-length": len(body)}
        head = f"HTTP/1.1 {status} {reason}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = (head + "\r\n").encode()
        if wishes.get("close") or wishes.get("lose_answer"):
            self.close_connection = True
        elif "drip" in wishes:
            self._drip(head, body, wishes)
        else:
            self.wfile.write(head + (b"" if self.command == "HEAD" else body))

    def _drip(self, head, body, wishes):
        """A byte at a time, from the head or from the body on."""
        slow = head + body
        if wishes["drip"] == "body":
            self.wfile.write(head)
            slow = body
        for byte in slow:
            self.wfile.write(bytes([byte]))
            time.sleep(wishes.get("seconds", 1))


class Provider:
    """One provider as the world sees it."""

    def __init__(self, slug, seed):
        self.slug, self.seed = slug, seed
        self.definition = Definition(slug)
        self.lock = threading.RLock()
        self.requests = []
        self.reset()

    def reset(self):
        self.random = random.Random(f"{self.seed}/{self.slug}")
        self.people, self.rules, self._signer = {}, Rules(), None
        self.server = AuthorizationServer(self.definition, self.account, self.random)
        self.feeds = Feeds(self.definition)
        self.requests.clear()

    def account(self, name):
        with self.lock:
            return self.people.setdefault(name, Account(self.slug, name))

    @property
    def signer(self):
        self._signer = self._signer or Signer(random.Random(f"{self.seed}/{self.slug}/key"))
        return self._signer

    def serve(self, handler, ask):
        route, holes = self.definition.route(ask)
        operation = route.name if route else "unknown"
        if operation == "token" and "refresh_token" in (ask.form.get("grant_type"), (ask.json or {}).get("grant_type")):
            operation = "refresh"
        with self.lock:
            account = self.server.account_of(ask) or (self.server.subject(ask) if operation in ("token", "refresh") else None)
            name = account.name if account else None
            wishes = self.rules.meet(operation, name, ask.path)
            if wishes.get("expire_token"):
                self.server.expire(name)
                account = None
            entry = {"at": time.time(), "operation": operation, "method": ask.method, "path": ask.path, "query": ask.query,
                     "account": name, "status": None}
            self.requests.append(entry)
        time.sleep(wishes.get("delay", 0))
        with self.lock:
            answer = instead(wishes, self.definition) or self._own_answer(route, holes, ask, account, operation, wishes, entry)
            status, headers, body = answer
            entry["status"] = status
        handler.answer(status, headers, body, wishes)

    def _own_answer(self, route, holes, ask, account, operation, wishes, entry):
        if route is None:
            return 404, {}, {"message": "Not Found"}
        if operation == "authorize":
            self.server.origin = ask.origin
            status, text = self.server.authorize(ask.query)
            return (status, {"location": text}, b"") if status == 302 else (status, {}, text)
        if operation in ("token", "refresh"):
            status, body, entry["outcome"] = self.server.token(ask)
            return status, {"cache-control": "no-store"}, body
        if operation == "revoke":
            ended = self.server.revoke(ask)
            entry["account"] = ended.name if ended else None
            return (204, {}, b"") if self.slug == "github" else (200, {}, {"ok": True})
        if operation == "jwks":
            return 200, {"cache-control": "public, max-age=3600"}, self.signer.published()
        if account is None:
            return self.definition.failure("unauthorized", 401)
        if operation == "identity":
            return 200, {}, identity(account, ask.path)
        return self.feeds.answer(route, holes, ask, account, wishes)


def listen(serve):
    listener = Listener(("127.0.0.1", 0), Handler)
    listener.serve = serve
    threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    return listener


class Zoo:
    def __init__(self, slugs, seed):
        self.providers = {slug: Provider(slug, seed) for slug in slugs}
        self.listeners = {slug: listen(provider.serve) for slug, provider in self.providers.items()}

    def bases(self):
        return {slug: f"http://127.0.0.1:{listener.server_port}" for slug, listener in self.listeners.items()}
