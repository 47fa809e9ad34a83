"""The fenced blocks of Markdown pages, and the command lines in them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(
    r"^(?P<ticks>`{3,})(?P<language>[^\n`]*)\n(?P<text>.*?)^(?P=ticks)\s*$", re.DOTALL | re.MULTILINE
)
SHELL = ("bash", "console", "sh")
CELL = re.compile(r"^\| `(?P<line>bttt [^`]+)`", re.MULTILINE)
"""A command in the first column of a table."""


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        language: What stands behind the opening fence, such as "python".
        text: The lines between the fences.
        line: Number of its first line in the file, from 1.
    """

    language: str
    text: str
    line: int


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    for found in FENCE.finditer(page):
        yield Block(found["language"].strip(), found["text"], page.count("\n", 0, found.start()) + 2)


def python_blocks(page: str) -> list[Block]:
    """The blocks that are run: of a page's Python, those without the name of a directive."""
    return [block for block in blocks(page) if block.language == "python"]


def shown_python(page: str) -> list[Block]:
    """The Python blocks that are only shown: they need what a test has not, and must still be Python."""
    return [
        Block(block.language, re.sub(r"\A(:[^\n]*\n)+", "", block.text), block.line)
        for block in blocks(page)
        if block.language in ("{code-block} python", "python no-run")
    ]


def shell_words(page: str) -> list[list[str]]:
    """The command lines of a page as words: of its shell blocks, and of the first columns of its tables."""
    lines = [line for block in blocks(page) if block.language in SHELL for line in _lines(block)]
    lines += [found["line"] for found in CELL.finditer(page)]
    commands = [command for line in lines for command in re.split(r"\s&&\s", line)]
    return [words for command in commands if (words := shlex.split(command, comments=True))]


def _lines(block: Block) -> list[str]:
    """The lines that a user types; in a console these begin with "$ ", and the others are output."""
    typed = block.text.replace("\\\n", " ").splitlines()
    if block.language == "console":
        return [line.removeprefix("$ ") for line in typed if line.startswith("$ ")]
    return typed


def pages(root: Path) -> list[Path]:
    """All pages of the documents."""
    found = sorted(path for path in (root / "docs").rglob("*.md") if "_build" not in path.parts)
    return [root / "README.md", *found]
