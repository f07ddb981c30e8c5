"""Refuses a paragraph of Markdown with more than 80 words. A list counts by its items; tables, code, headings and
comments do not count, and of a link only its text does."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

MOST = 80
ITEM = re.compile(r"\s*([-*+]|\d+[.)])\s+")
FENCE = re.compile(r"\s*(```|~~~)")
NO_PROSE = re.compile(r"\s*(\||#{1,6}\s)")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
LINK = re.compile(r"\]\([^)]*\)")


def paragraphs(text: str) -> Iterator[tuple[int, str]]:
    """Each paragraph and each item of a list, with the number of its first line."""
    # A comment goes, its lines stay, so that the lines below keep their numbers.
    text = COMMENT.sub(lambda found: "\n" * found.group().count("\n"), text)
    start, lines, fence = 0, [], ""
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        opens = FENCE.match(line)
        if fence:
            if opens and opens.group(1) == fence:
                fence = ""
            continue
        item = ITEM.match(line)
        if lines and (opens or item or NO_PROSE.match(line) or not line.strip()):
            yield start, " ".join(lines)
            lines = []
        if opens:
            fence = opens.group(1)
        elif line.strip() and not NO_PROSE.match(line):
            start = start if lines else number
            lines.append(line[item.end() :] if item else line.strip())


def words(paragraph: str) -> int:
    """Words are what has a letter or a digit in it."""
    return sum(any(map(str.isalnum, word)) for word in LINK.sub("]", paragraph).split())


def main(files: list[str]) -> int:
    found = 0
    for file in files:
        for line, paragraph in paragraphs(Path(file).read_text(encoding="utf-8")):
            count = words(paragraph)
            if count > MOST:
                found += 1
                print(f"{file}:{line}: a paragraph of {count} words; write at most {MOST}", file=sys.stderr)
    return min(found, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
