r"""Displays of notebooks, as a page can set them: row under row, and each in pieces between which a line may end.

Jupyter sets LaTeX by MathJax, which knows `aligned`; `laws.mathml` does not, and would set its rows and marks in one
line.  A law shows itself in a single row, with its hypotheses and source after a `\qquad`, wider than a page.
"""

import re

ALIGNED = re.compile(r"\\begin\{aligned\}(.*)\\end\{aligned\}", re.S)
TOKEN = re.compile(r"(\\(?:begin|end)\{\w+\*?\}|\\[a-zA-Z]+|\\.|[{}&])", re.S)
OPENS, CLOSES = re.compile(r"\\begin|\\left$|\{"), re.compile(r"\\end|\\right$|\}")


def rows(latex: str) -> list[list[str]]:
    """The rows of a display, each as its pieces; one of one piece for most."""
    whole = latex.strip().removeprefix(r"\displaystyle").strip()
    aligned = ALIGNED.fullmatch(whole)
    lines = ["".join(_parted(row, "&")) for row in _parted(aligned[1], r"\\")] if aligned else [whole]
    return [[piece.strip() for piece in _parted(line, r"\qquad") if piece.strip()] for line in lines]


def _parted(latex: str, mark: str) -> list[str]:
    """What stands between marks that are in no group, bracket or matrix."""
    parts, depth = [""], 0
    for token in TOKEN.split(latex):
        depth += bool(OPENS.match(token)) - bool(CLOSES.match(token))
        if token == mark and not depth:
            parts.append("")
        else:
            parts[-1] += token
    return parts
