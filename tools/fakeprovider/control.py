"""The control API: what a test or a demo tells the fake to do. Documented in docs/fakeprovider.md."""

import datetime
import http.client
import urllib.parse

from webhooks import delivery, distorted
from world import EPOCH, parsed, rfc3339


class Refused(Exception):
    pass


class Control:
    def __init__(self, zoo):
        self.zoo = zoo

    def serve(self, handler, ask):
        name = ask.path.removeprefix("/control/")
        call = getattr(self, f"{ask.method.lower()}_{name}", None) if name.isidentifier() else None
        order = ask.json if ask.method == "POST" else ask.query
        if call is None or (ask.method == "POST" and not isinstance(order, dict)):
            return handler.answer(404, {}, {"error": "no such order, or no JSON object"})
        try:
            return handler.answer(200, {}, call(order))
        except (Refused, ValueError, KeyError) as problem:
            return handler.answer(400, {}, {"error": f"{type(problem).__name__}: {problem}"})

    def _provider(self, order):
        slug = order.get("provider")
        if slug not in self.zoo.providers:
            raise Refused(f"provider: none is called {slug!r}")
        return self.zoo.providers[slug]

    def _account(self, order):
        return self._provider(order).account(order.get("account", "ada"))

    def get_providers(self, _):
        return {"providers": self.zoo.bases()}

    def get_requests(self, order):
        provider = self._provider(order)
        with provider.lock:
            return {"requests": list(provider.requests), "reuse_detected": provider.server.reuse_detected,
                    "faults": [rule.shown() for rule in provider.rules.rules]}

    def get_account(self, order):
        account = self._account(order)
        return {"external_id": account.external_id, "number": account.number, "email": account.email,
                "items": [{"number": item.number, "id": item.id, "updated": rfc3339(item.updated), "state": item.state, "title": item.title}
                          for item in account.items.values()]}

    def post_reset(self, order):
        for provider in [self._provider(order)] if "provider" in order else self.zoo.providers.values():
            with provider.lock:
                provider.reset()
        return {}

    def post_items(self, order):
        """What is there already: `count` items from `from` on, `step_seconds` apart, `together` of them at one time."""
        provider, account = self._provider(order), self._account(order)
        start, step = parsed(order["from"]) if "from" in order else EPOCH, order.get("step_seconds", 60)
        with provider.lock:
            if account.items and "from" not in order:
                start = max(item.updated for item in account.items.values()) + datetime.timedelta(seconds=step)
            for i in range(order["count"]):
                time = start + datetime.timedelta(seconds=step * (i // order.get("together", 1)))
                account.add(time, pull=bool(order.get("pulls")))
            return {"items": len(account.items)}

    def post_resources(self, order):
        """What issues can belong to: `names`, or `count` of them."""
        provider, account = self._provider(order), self._account(order)
        if provider.definition.discovery is None:
            raise Refused("provider: it is no tracker")
        with provider.lock:
            account.resources = list(order["names"]) if "names" in order else [f"place-{n:04}" for n in range(order["count"])]
            return {"resources": len(account.resources)}

    def post_change(self, order):
        """Something happens: `action` to item `number`, or to a new one."""
        provider, account = self._provider(order), self._account(order)
        with provider.lock:
            time = parsed(order["at"]) if "at" in order else None
            item = account.change(order.get("action", "created"), order.get("number"), time, bool(order.get("pull")))
            return {"number": item.number, "updated": rfc3339(item.updated), "title": item.title}

    def post_webhooks(self, order):
        """Sends what happened since the last time to `url`; the statuses in the order of sending."""
        provider, account = self._provider(order), self._account(order)
        with provider.lock:
            changes, account.pending = account.pending, []
            deliveries = [delivery(provider, account, change, order) for change in changes]
            deliveries = distorted(deliveries, order, provider.random)
        return {"happened": len(changes), "sent": [post(order["url"], *one) for one in deliveries]}

    def post_faults(self, order):
        provider = self._provider(order)
        wishes = {name: value for name, value in order.items() if name != "provider"}
        with provider.lock:
            return provider.rules.add(wishes).shown()

    def post_heal(self, order):
        provider = self._provider(order)
        with provider.lock:
            provider.rules.drop(order.get("id"))
        return {}

    def post_settings(self, order):
        """`page_size`, and of the authorization server: `expires_in`, `refresh_tokens`, `rotation`, `leeway_seconds`
        and `deny` (what the redirect says instead of a code)."""
        provider = self._provider(order)
        with provider.lock:
            for name, value in order.items():
                if name == "page_size":
                    provider.feeds.page_size = value
                elif name in provider.server.settings:
                    provider.server.settings[name] = value
                elif name != "provider":
                    raise Refused(f"{name}: no such setting")
            return {"page_size": provider.feeds.page_size, **provider.server.settings}

    def post_expire(self, order):
        """Access tokens end now; of one account when it is named."""
        provider = self._provider(order)
        with provider.lock:
            provider.server.expire(order.get("account"))
        return {}

    def post_withdraw(self, order):
        """The user takes the consent back; of one account when it is named."""
        provider = self._provider(order)
        with provider.lock:
            provider.server.end(order.get("account"))
        return {}


def post(url, headers, body):
    target = urllib.parse.urlsplit(url)
    link = http.client.HTTPConnection(target.hostname, target.port, timeout=30)
    try:
        link.request("POST", target.path, body=body, headers=headers)
        answer = link.getresponse()
        answer.read()
        return answer.status
    finally:
        link.close()
