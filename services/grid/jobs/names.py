"""What an area is searched by: its name, the initials of its pinyin, its code."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=100_000)
def initials(name: str) -> str:
    """The first letters of a name's syllables, as people type them: 青枫镇 -> qfz. Letters and digits stay."""
    from pypinyin import Style, lazy_pinyin  # half a second of dictionaries, for the worker alone

    letters = lazy_pinyin(name, style=Style.FIRST_LETTER, errors="default")
    return "".join(letter for each in letters for letter in each if letter.isascii() and letter.isalnum()).lower()


def search_text(name: str, code: str) -> str:
    """One text that holds all of it, in lower case, parted by spaces."""
    return f"{name.lower()} {initials(name)} {code}"
