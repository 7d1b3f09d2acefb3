"""What the lints share: finding sources, and looking at code without its comments."""

import pathlib
import re
import sys

TOKEN = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S)


def sources(root, *folders):
    """C++ files below the folders (or files) of the tree, in a stable order."""
    for folder in folders:
        start = pathlib.Path(root) / folder
        found = [start] if start.is_file() else sorted(start.rglob("*"))
        yield from (path for path in found if path.suffix in (".hpp", ".cpp"))


def without_comments(text, strings=True):
    """The text with comments blanked, and string contents too unless `strings`; lines keep their numbers."""

    def blank(match):
        token = match.group()
        if token.startswith("/") or (not strings and not token.startswith("'")):
            return re.sub(r"[^\n]", " ", token)
        return token

    # A digit separator is not the start of a character.
    return TOKEN.sub(blank, re.sub(r"(?<=\d)'(?=\d)", "_", text))


def finding(root, path, text, position, what):
    return f"{path.relative_to(root)}:{text.count(chr(10), 0, position) + 1}: {what}"


def main(check):
    """Runs a lint on the tree named by the first argument; its findings are the output."""
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    findings = check(root)
    print("\n".join(findings) if findings else "clean")
    sys.exit(1 if findings else 0)
