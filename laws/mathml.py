"""Formulas in a web page: MathML, and so much of a mathematical font as sets it alike in every browser.

A browser without a mathematical font cannot stretch a bracket.  STIX Two Math, whose licence allows
embedding, comes with ziamath; the glyphs that the page uses, and their larger variants, take some 40 kB.
"""

from __future__ import annotations

import base64
import html
import io
import re
from importlib.metadata import distribution

from fontTools import subset
from latex2mathml.converter import convert

STIX = "ziamath/fonts/STIXTwoMath-Regular.ttf"
ALWAYS = "√()[]{}|0123456789"  # drawn by the browser itself, or too common to wait for
BAR = r'<mo stretchy="false" lspace="0" rspace="0">\1</mo>'  # else one with an index would stretch, and its partner not
ITALIC = {"A": 0x1D434, "a": 0x1D44E, "Α": 0x1D6E2, "α": 0x1D6FC}  # first capital and small letter, Latin and Greek


def mathml(latex: str) -> str:
    """The formula as MathML: the names of functions are set off, slashes are not, and bars of norms are alike."""
    plain = convert(latex, display="block")
    plain = re.sub('<mo(?: fence="false")?(?: stretchy="false")?>(&#x02016;|&#x0007C;)</mo>', BAR, plain)
    plain = re.sub("<mo>(/|&#x0002F;)</mo>", r'<mo lspace="0" rspace="0">\1</mo>', plain)
    return re.sub(r"<m[io]>([a-z]{2,})</m[io]>", r'<mrow><mspace width="0.17em" /><mi>\1</mi></mrow>', plain)


def font(formulas: str) -> str:
    """The part of STIX Two Math that some MathML needs, as base64 of a WOFF file."""
    options = subset.Options(flavor="woff", layout_features=["*"], notdef_outline=True)
    with open(str(distribution("ziamath").locate_file(STIX)), "rb") as file:
        whole = subset.load_font(file, options)
        glyphs = subset.Subsetter(options)
        glyphs.populate(unicodes=_code_points(html.unescape(re.sub("<[^>]*>", "", formulas)) + ALWAYS))
        glyphs.subset(whole)
        written = io.BytesIO()
        subset.save_font(whole, written, options)
    return base64.b64encode(written.getvalue()).decode()


def with_font(page: str) -> str:
    """A page with the part of the font that its formulas need, where it says MATHFONT."""
    return page.replace("MATHFONT", font("".join(re.findall("<math.*?</math>", page))))


def _code_points(text: str) -> set[int]:
    """The characters of a text, and the italic that a single letter is set in."""
    codes = {ord(letter) for letter in text}
    italic = {start + x - ord(first) for first, start in ITALIC.items() for x in codes if 0 <= x - ord(first) < 26}
    return codes | italic | {ord("ℎ")}  # italic h has a place of its own
