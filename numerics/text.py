"""Text that ships with Python, the same to the bit in every one of them: the names of characters in Unicode 3.2.

The standard library keeps that edition of the Unicode database beside the newest one, for internationalised domain
names (`unicodedata.ucd_3_2_0`), and a name once given is never changed.  Names such as LATIN SMALL LETTER A WITH GRAVE
are phrases of English words; those with digits in them, and the syllables of Hangul and Yi, which are spelt by rule,
are left out.  11,398 names are left, 29 letters of an alphabet (A to Z, space, hyphen, end of line) and 326,850 of
text, in an order that has nothing to do with the characters': that of the SHA-256 of the names.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from itertools import chain

import numpy as np
import torch
from torch import Tensor

from numerics.checks import whole

SHA256 = "eeab1200c11f0e57bf7c8c347cc6237db3430add2cae4a626b428262fe975470"
ALPHABET = "\n -ABCDEFGHIJKLMNOPQRSTUVWXYZ"
PLANES = range(0x20000), range(0xE0000, 0xF0000)  # the others have ideographs, named by their numbers, and no names
SPELT_BY_RULE = ("HANGUL SYLLABLE", "YI SYLLABLE")


@dataclass(frozen=True)
class Windows:
    """Rows of letters, numbered as in `ALPHABET`, and the letter after each; shapes (P, length).

    Those held out come from the last tenth of the text, and do not overlap; those to train on start at every letter.
    """

    train: Tensor
    train_next: Tensor
    held_out: Tensor
    held_out_next: Tensor


@cache
def names() -> str:
    """The whole text, a name a line.

    Raises RuntimeError where this Python has another text: what was measured with it could not be compared.
    """
    named = (unicodedata.ucd_3_2_0.name(chr(code), "") for code in chain(*PLANES))
    plain = (n for n in named if re.fullmatch("[A-Z -]+", n) and not n.startswith(SPELT_BY_RULE))
    text = "".join(f"{n}\n" for n in sorted(plain, key=lambda n: hashlib.sha256(n.encode()).digest()))
    found = hashlib.sha256(text.encode()).hexdigest()
    if found != SHA256:
        raise RuntimeError(f"the names of Unicode 3.2 have SHA-256 {found} in this Python, not {SHA256}")
    return text


def windows(length: int) -> Windows:
    """All windows of `length` letters of the names; ValueError if the text held out is too short for one."""
    length = whole("length", length)
    letters = torch.from_numpy(np.searchsorted(np.array(list(ALPHABET)), np.array(list(names()))))
    split = len(letters) - len(letters) // 10
    train, held_out = letters[:split], letters[split:]
    if length >= len(held_out):
        raise ValueError(f"length = {length} is more than the {len(held_out)} letters that are held out")
    every = train.unfold(0, length, 1)
    apart, after = (held_out[k:].unfold(0, length, length) for k in (0, 1))
    return Windows(every[:-1], every[1:], apart[: len(after)], after)
