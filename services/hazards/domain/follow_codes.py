"""Follow codes (一案一码): twelve characters that whoever reported keeps, eleven of them random, the last a check.

The alphabet has no 0, O, 1, I and L, which people take for each other, and a prime number of characters: with the
weights 3^n modulo 31 (3 is a primitive root) the check character finds every single wrong character and every two that
were exchanged, next to each other or not. It is a pure system of ISO/IEC 7064 with another modulus and radix; the
hybrid MOD 37,36 of that norm lets some exchanges pass, and its alphabet has both 0 and O.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Callable

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LENGTH = 12
"""31^11 codes: with ten million cases one guess in 2.5 * 10^9 finds one, and wrong ones are rate-limited."""
_MODULUS, _RADIX = len(ALPHABET), 3
_VALUES = {character: value for value, character in enumerate(ALPHABET)}


def new_code(below: Callable[[int], int] = secrets.randbelow) -> str:
    """A new code; `below(n)` gives a random number from 0 to n - 1."""
    return with_check("".join(ALPHABET[below(_MODULUS)] for _ in range(LENGTH - 1)))


def with_check(payload: str) -> str:
    """The code of these eleven characters."""
    return payload + ALPHABET[-_sum(payload + ALPHABET[0]) % _MODULUS]


def normalised(text: str) -> str | None:
    """The code as it is stored, from what somebody typed: any case and width, with spaces and hyphens.

    None for what cannot be a code: another length, other characters, a wrong check character.
    """
    if len(text) > 4 * LENGTH:
        return None
    code = "".join(unicodedata.normalize("NFKC", text).upper().replace("-", " ").split())
    right = len(code) == LENGTH and all(character in _VALUES for character in code) and _sum(code) % _MODULUS == 0
    return code if right else None


def _sum(code: str) -> int:
    return sum(_VALUES[character] * pow(_RADIX, n, _MODULUS) for n, character in enumerate(reversed(code)))
