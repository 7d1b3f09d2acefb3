"""Reads the HTTP examples of a Markdown file, and says how a real answer differs from what the page shows.

An example is a fenced `http` block with a request, followed by one with the answer. In an answer `…` stands for
whatever is there: alone as a value, inside a text for any part of it, as the last element of a list for more
elements, as a member for more members. Ids and times stand for any of their kind; an id that the page has shown
is the same id wherever it comes up again.
"""

import json
import re

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z")
HEX = re.compile(r"[0-9a-f]{32,64}")
BLOCK = re.compile(r"(?:<!-- docs: (?P<note>[^>]*?) -->\n)?```http\n(?P<text>.*?)\n```", re.S)
MORE = "…"


class Message:
    def __init__(self, text, line, note=None):
        self.line, self.note = line, note
        head, _, self.body = text.partition("\n\n")
        first, *fields = head.split("\n")
        self.first = first.split(" ")
        self.headers = dict(field.split(": ", 1) for field in fields)

    @property
    def is_answer(self):
        return self.first[0].startswith("HTTP/")

    @property
    def status(self):
        return int(self.first[1])

    @property
    def json(self):
        return json.loads(self.body) if self.body else None


class Example:
    def __init__(self, request, answer):
        self.request, self.answer = request, answer


def examples(text):
    """All examples of a page, in order; a request without an answer is an error."""
    messages = [Message(m["text"], text.count("\n", 0, m.start()) + 1, m["note"]) for m in BLOCK.finditer(text)]
    out, waiting = [], None
    for m in messages:
        if m.is_answer == (waiting is None):
            raise ValueError(f"line {m.line}: a request is followed by its answer")
        waiting = out.append(Example(waiting, m)) if m.is_answer else m
    if waiting:
        raise ValueError(f"line {waiting.line}: a request without its answer")
    return out


class Comparison:
    """Compares answers with a page's, and learns which real id each id of the page stands for."""

    def __init__(self):
        self.real = {}

    def resolved(self, text):
        for shown, real in self.real.items():
            text = text.replace(shown, real)
        return text

    def differences(self, shown, real, path="answer"):
        if shown == MORE:
            return []
        if isinstance(shown, dict) and isinstance(real, dict):
            return self._members(shown, real, path)
        if isinstance(shown, list) and isinstance(real, list):
            return self._elements(shown, real, path)
        if isinstance(shown, str) and isinstance(real, str):
            return [] if self._same_text(shown, real) else [f"{path}: {shown!r} is shown, {real!r} came"]
        same = type(shown) is type(real) and shown == real
        return [] if same else [f"{path}: {shown!r} is shown, {real!r} came"]

    def _members(self, shown, real, path):
        found = []
        for name in shown.keys() - {MORE}:
            if name not in real:
                found.append(f"{path}.{name} is shown and did not come")
            else:
                found += self.differences(shown[name], real[name], f"{path}.{name}")
        if MORE not in shown:
            found += [f"{path}.{name} came and is not shown" for name in real.keys() - shown.keys()]
        return found

    def _elements(self, shown, real, path):
        open_ended = shown and shown[-1] == MORE
        head = shown[:-1] if open_ended else shown
        if len(real) < len(head) or (not open_ended and len(real) != len(head)):
            return [f"{path}: {len(head)} elements are shown, {len(real)} came"]
        return [d for i, one in enumerate(head) for d in self.differences(one, real[i], f"{path}[{i}]")]

    def _same_text(self, shown, real):
        if shown in self.real:
            return self.real[shown] == real
        for kind in (UUID, HEX):
            if kind.fullmatch(shown):
                if kind.fullmatch(real):
                    self.real[shown] = real
                return bool(kind.fullmatch(real))
        if TIME.fullmatch(shown):
            return bool(TIME.fullmatch(real))
        pattern = ".*".join(re.escape(self.resolved(part)) for part in shown.split(MORE))
        return re.fullmatch(pattern, real, re.S) is not None
