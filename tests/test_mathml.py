"""Formulas in the page carry the part of a mathematical font that they need."""

import base64
import io
from xml.etree import ElementTree

from fontTools.ttLib import TTFont

from laws.mathml import font, mathml


def test_font_sets_what_the_formulas_use_and_little_else():
    """The embedded font has the letters of a formula in italics, roots, brackets that stretch, and not much more."""
    formula = mathml(r"\sqrt{\frac{x}{\lambda}} \ln{\left(x \right)}")
    file = base64.b64decode(font(formula))
    embedded = TTFont(io.BytesIO(file))
    letters = embedded.getBestCmap()
    assert {ord("√"), ord("("), 0x1D465, 0x1D706} <= set(letters) and ord("ж") not in letters
    stretching = embedded["MATH"].table.MathVariants.VertGlyphCoverage.glyphs
    assert letters[ord("(")] in stretching and letters[ord("√")] in stretching
    assert 10_000 < len(file) < 60_000


def test_functions_are_set_off():
    """A function's name is an identifier with a space before it."""
    assert '<mspace width="0.17em" /><mi>ln</mi></mrow>' in mathml(r"\tau \ln{x}")
    assert '<mspace width="0.17em" /><mi>atan</mi></mrow>' in mathml(r"\operatorname{atan}{\left(x \right)}")


def test_bars_of_a_norm_are_alike():
    """A bar with an index stretches no more than its partner."""
    norm = mathml(r"\lVert x - \tilde y \rVert^2 + \|x\| + |x|")
    assert norm.count('<mo stretchy="false" lspace="0" rspace="0">') == 6


def test_a_slash_has_no_space():
    """A fraction on one line is as close as a number."""
    assert '<mn>1</mn><mo lspace="0" rspace="0">&#x0002F;</mo><mn>3</mn>' in mathml("a^{1 / 3}")


def test_scripts_have_a_base_and_a_script():
    """A power of a function is a base and an exponent, as browsers ask."""
    for power in ElementTree.fromstring(mathml(r"\tanh^{2}{\left(x \right)} + {}_{2}F_{1}(a, b; c; x)")).iter():
        if power.tag.rpartition("}")[2] in ("msup", "msub", "mfrac"):
            assert len(power) == 2
