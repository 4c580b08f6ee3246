"""How new grids are numbered: along rows from the north, each from the west, by numbers that were never given."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from services.grid.domain.codes import MOST_GRIDS

Box = tuple[float, float, float, float]
"""West, south, east, north, in any one system."""


@dataclass(frozen=True, slots=True)
class Template:
    """How a grid's code is made: village + 3 digits, or 6 digits of an object class + village + 2."""

    object_class: str | None = None

    @classmethod
    def of(cls, text: str) -> Template:
        """`15`, or `20:` and the six digits of the object class. Raises ValueError."""
        found = re.fullmatch(r"15|20:([0-9]{6})", text)
        if found is None:
            raise ValueError(text)
        return cls(found[1])

    @classmethod
    def like(cls, code: str) -> Template:
        """The one that a grid's code was made by."""
        return cls(code[:6]) if len(code) == 20 else cls()

    @property
    def most(self) -> int:
        """The greatest number that a village's grids can have."""
        return MOST_GRIDS if self.object_class is None else 99

    def code(self, village: str, number: int) -> str:
        """The code of a village's grid. Raises ValueError beyond `most`."""
        if not 1 <= number <= self.most:
            raise ValueError(number)
        return f"{village}{number:03}" if self.object_class is None else f"{self.object_class}{village}{number:02}"

    def number(self, code: str, village: str) -> int | None:
        """The number of a code that this template made for the village; None for any other."""
        start = f"{self.object_class or ''}{village}"
        rest = code[len(start) :]
        digits = 3 if self.object_class is None else 2
        return int(rest) if code.startswith(start) and len(rest) == digits and rest.isdigit() else None

    def last_given(self, codes: Iterable[str], village: str) -> int:
        """The greatest number among codes that were ever given; 0 for none."""
        return max((self.number(code, village) or 0 for code in codes), default=0)


def reading_order(boxes: Sequence[Box]) -> list[int]:
    """Indexes of shapes as a page is read: rows from north to south, in each from west to east.

    A row is as high as the middle one of the shapes; whoever's centre lies in it belongs to it.
    """
    if not boxes:
        return []
    height = median(north - south for _, south, _, north in boxes) or 1e-12
    top = max((south + north) / 2 for _, south, _, north in boxes)

    def place(i: int) -> tuple[int, float, float, int]:
        west, south, east, north = boxes[i]
        centre = (south + north) / 2
        # Half a row's tolerance: neighbours side by side are never quite as high as one another.
        return int((top - centre) / height + 0.5), (west + east) / 2, -centre, i

    return sorted(range(len(boxes)), key=place)
