"""Area codes, levels and paths: how every fact says where it belongs.

A path is the codes from the county down, joined and ended by `/`:
`330499/330499101/330499101201/330499101201003/`. A subtree is one text range
in the C collation, `path >= root AND path < path_end(root)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

AreaCode = Annotated[str, StringConstraints(pattern=r"^[0-9]{6,20}$")]
AreaPath = Annotated[str, StringConstraints(pattern=r"^([0-9]{6,20}/){1,5}$")]


class Level(StrEnum):
    """Administrative levels, from the widest to the narrowest."""

    COUNTY = "county"
    TOWN = "town"
    VILLAGE = "village"
    GRID = "grid"


LEVELS: tuple[Level, ...] = (Level.COUNTY, Level.TOWN, Level.VILLAGE, Level.GRID)


def child_path(parent: str | None, code: str) -> str:
    """The path of `code` under `parent` (None for the county)."""
    return f"{parent or ''}{code}/"


def path_end(path: str) -> str:
    """The exclusive upper end of the subtree's text range (`0` follows `/` in C order)."""
    return f"{path[:-1]}0"


def is_within(path: str, root: str) -> bool:
    """Whether `path` is `root` or below it."""
    return path.startswith(root)


def code_of(path: str) -> str:
    """The last code of a path."""
    return path.rstrip("/").rpartition("/")[2]


def ancestors(path: str) -> tuple[str, ...]:
    """Every path from the county down to `path` itself."""
    codes = path.rstrip("/").split("/")
    return tuple("/".join(codes[: n + 1]) + "/" for n in range(len(codes)))


def common_path(paths: Sequence[str]) -> str:
    """The path of the narrowest area that all of these (at least one) lie in."""
    shared = [set(ancestors(path)) for path in paths]
    return max(set.intersection(*shared), key=len)
