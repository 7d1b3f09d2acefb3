"""Scripted misbehaviour: rules that a request meets on its way."""

import email.utils
import random
import time


class Rule:
    """For requests of one operation (token, refresh, identity, page, …; any when not said) and account: leaves the
    first `skip` alone and applies to the next `times` (0: for good)."""

    FIELDS = {"operation", "account", "path", "skip", "times", "status", "headers", "body", "retry_after", "as", "recorded",
              "delay", "drip", "seconds", "garbage", "truncate", "close", "lose_answer", "endless_pages", "repeated_cursor",
              "expired_cursor", "expire_token"}

    def __init__(self, number, wishes):
        unknown = set(wishes) - self.FIELDS
        if unknown:
            raise ValueError("unknown: " + ", ".join(sorted(unknown)))
        self.number, self.wishes, self.seen, self.applied = number, wishes, 0, 0

    def meets(self, operation, account, path):
        wishes = self.wishes
        if wishes.get("operation") not in (None, operation) or wishes.get("path", "") not in path:
            return False
        if wishes.get("account") not in (None, account):
            return False
        self.seen += 1
        times = wishes.get("times", 1)
        if self.seen <= wishes.get("skip", 0) or (times and self.applied >= times):
            return False
        self.applied += 1
        return True

    def shown(self):
        return {"id": self.number, "seen": self.seen, "applied": self.applied, **self.wishes}


class Rules:
    def __init__(self):
        self.rules, self.made = [], 0

    def add(self, wishes):
        self.made += 1
        self.rules.append(Rule(self.made, wishes))
        return self.rules[-1]

    def drop(self, number=None):
        self.rules = [rule for rule in self.rules if number not in (None, rule.number)]

    def meet(self, operation, account, path):
        """What the first rule that applies wishes; nothing when none does."""
        for rule in self.rules:
            if rule.meets(operation, account, path):
                return rule.wishes
        return {}


def instead(wishes, definition):
    """The answer that a rule gives in place of the provider's own, or None: status, headers, body. What was asked for
    then does not happen; `truncate`, `drip` and `lose_answer` spoil the answer after it did."""
    headers = dict(wishes.get("headers", {}))
    if wishes.get("close"):
        return 0, headers, b""
    if wishes.get("garbage"):
        return 200, {"content-type": "application/json"}, random.Random(definition.slug).randbytes(2000)
    if "recorded" in wishes:
        answer = definition.recorded[wishes["recorded"]]["answers"][0]
        return answer["status"], {**answer["headers"], **headers}, answer["body"]
    if "retry_after" in wishes:
        seconds = wishes["retry_after"]
        as_date = wishes.get("as") == "date"
        headers["retry-after"] = email.utils.formatdate(time.time() + seconds, usegmt=True) if as_date else str(seconds)
    if "status" in wishes or "retry_after" in wishes:
        status = wishes.get("status", 429)
        return status, headers, wishes.get("body", {"message": f"scripted {status}"})
    return None
