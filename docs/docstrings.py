"""Docstrings as reStructuredText: their prose escaped, their displayed equations left as they are set.

A docstring here is plain text.  Powers and bars of its formulas would be markup to a parser, so everything is escaped
but code between backticks; what is indented under a paragraph is a display, and stays as it is; what is indented
under "Args:" and the like is a list of names with what they mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from textwrap import dedent, indent

from laws.typeset import plain

HEADING = re.compile(r"(Args|Attributes|Returns|Yields|Raises):$")
NUMBERED = re.compile(r" {2,}\(\d+\)[.,:;]?$")
LEADING = re.compile(r"\A\\ ([A-Z][\w-]*(?: [\w-]+){0,2}\.)(?= )")
ITEM = re.compile(r"(\*{0,2}[\w`][\w`.*, ]{0,60}): +(?=\S)")


def restructured(lines: list[str], *, paper: bool = False) -> list[str]:
    """The lines of a docstring, as lines of reStructuredText.

    That of a module reads as the section of a paper: with Greek letters, and its first words as headings; anywhere
    else a letter may be the name of an argument, and stays as it is typed.
    """
    text = dedent("\n".join(lines))
    if not paper:
        return "\n\n".join(_written(text)).splitlines() + [""]
    blocks = _written("\n".join(_greek(line) for line in text.split("\n")))
    return "\n\n".join(LEADING.sub(r"**\1**", block, count=1) for block in blocks).splitlines() + [""]


def _greek(line: str) -> str:
    """A line with its Greek letters, but for code; the number of an equation stays at its end."""
    number = NUMBERED.search(line)
    text = line[: number.start()] if number else line
    text = "`".join(part if i % 2 else plain(part) for i, part in enumerate(text.split("`")))
    return text.ljust(number.start()) + number[0] if number else text


def _written(text: str) -> Iterator[str]:
    listed = False
    for block in _blocks(text):
        first, *rest = block.split("\n")
        if block.startswith(" "):
            yield from _items(dedent(block)) if listed else ("::", indent(dedent(block), "    "))
            continue
        listed = bool(HEADING.match(first))
        if listed:
            yield f"**{first.rstrip(':')}**"
            yield from _items(dedent("\n".join(rest)))
        elif ITEM.match(first) and all(ITEM.match(line) or line.startswith(" ") for line in rest) and rest:
            yield from _items(block)
        else:
            yield from _paragraph(first, rest)


def _blocks(text: str) -> Iterator[str]:
    """What blank lines divide; displays with blank lines between them are one."""
    blocks = re.split(r"\n\s*\n", text.strip("\n"))
    for indented, group in groupby(blocks, lambda block: block.startswith(" ")):
        same = list(group)
        yield from ["\n\n".join(same)] if indented else same


def _paragraph(first: str, rest: list[str]) -> Iterator[str]:
    """A paragraph, and the displays that follow within it without a blank line."""
    for indented, group in groupby([first, *rest], lambda line: line.startswith(" ")):
        same = list(group)
        yield from ("::", indent(dedent("\n".join(same)), "    ")) if indented else ["\\ " + escaped(" ".join(same))]


def _items(text: str) -> Iterator[str]:
    """Names with what they mean, each on a line of its own, or plain prose where nothing is named."""
    entries: list[str] = []
    for line in filter(None, text.split("\n")):
        if line.startswith(" ") and entries:
            entries[-1] += " " + line.strip()
        elif ITEM.match(line) or not entries:
            entries.append(line.strip())
        else:
            entries[-1] += " " + line.strip()
    for entry in entries:
        name = ITEM.match(entry)
        yield f"* **{escaped(name[1])}**: {escaped(entry[name.end() :])}" if name else "\\ " + escaped(entry)


def escaped(text: str) -> str:
    """Text that means itself, but for code between backticks."""
    parts = re.split("`([^`]+)`", text)
    return "".join(f"``{part}``\\ " if i % 2 else re.sub(r"([\\*|_`])", r"\\\1", part) for i, part in enumerate(parts))
