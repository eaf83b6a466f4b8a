"""Unified Social Credit Codes: 18 characters that name an organisation (GB 32100-2015)."""

import re
import unicodedata
from operator import mul

from hutong.errors import UsccInvalid

LENGTH = 18
# No I, O, S, V, Z: they are too like 1, 0, 5, U, 2.
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_WELL_FORMED = re.compile(f"[{_ALPHABET}]{{18}}")
# Turns a code's ASCII into the characters' values.
_VALUES = bytes.maketrans(_ALPHABET.encode(), bytes(range(31)))


def is_well_formed(code: str) -> bool:
    """Whether `code` has 18 characters of the alphabet, whatever its check digit."""
    return _WELL_FORMED.fullmatch(code) is not None


def is_valid(code: str) -> bool:
    """Whether `code` is well formed and its last character is the check digit of the others."""
    return is_well_formed(code) and code[17] == check_digit(code[:17])


def check_digit(body: str) -> str:
    """The 18th character for the first 17, each of the alphabet."""
    total = sum(map(mul, _WEIGHTS, body.encode("ascii").translate(_VALUES)))
    return _ALPHABET[-total % 31]


def normalise(code: str) -> str:
    """`code` as it is written: half-width, upper case, without blanks at the ends."""
    return unicodedata.normalize("NFKC", code).strip().upper()


def check(code: str, field: str) -> str:
    """`code` normalised; UsccInvalid, naming `field` and the rule, when it is not valid."""
    text = normalise(code)
    if len(text) != LENGTH:
        raise UsccInvalid(f"a USCC has 18 characters, not {len(text)}", field=field, uscc=text)
    if not is_well_formed(text):
        wrong = next(char for char in text if char not in _ALPHABET)
        raise UsccInvalid(f"a USCC has no character {wrong!r}", field=field, uscc=text)
    digit = check_digit(text[:17])
    if text[17] != digit:
        raise UsccInvalid(
            f"the check digit of this USCC would be {digit}, not {text[17]}", field=field, uscc=text
        )
    return text


def to_bytes(code: str) -> bytes:
    """The 18 ASCII bytes by which contracts know the organisation; UsccInvalid if ill formed."""
    if not is_well_formed(code):
        raise UsccInvalid("a USCC has 18 characters of GB 32100's alphabet", uscc=code)
    return code.encode("ascii")


def from_bytes(code: bytes) -> str:
    """The code that 18 ASCII bytes stand for; UsccInvalid if ill formed."""
    text = code.decode("latin-1")
    if not is_well_formed(text):
        raise UsccInvalid("these bytes are no USCC", uscc="0x" + code.hex())
    return text
