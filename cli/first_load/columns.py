"""Which column holds which field: said by the caller, else guessed by its name; shown either way."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from cli.first_load.kinds import Kind

_ORNAMENT = re.compile(r"[\s*＊_\-（）()\[\]【】:：]|必填|选填")


class Unmapped(Exception):
    """The columns do not say enough; the message names what is missing and how to say it."""


def plain(name: str) -> str:
    """A column's name without case, blanks and ornaments: `*单位编码（必填）` is 单位编码."""
    return _ORNAMENT.sub("", name.strip("\ufeff")).lower()


def mapped(kind: Kind, columns: Sequence[str], said: Iterable[str] = ()) -> dict[str, str]:
    """Field -> column. `said` are `column=field`. Raises Unmapped."""
    fields = kind.by_name()
    found = _said(said, columns, fields)
    taken = set(found.values())
    for name, field in fields.items():
        if name in found:
            continue
        names = [plain(each) for each in (name, *field.aliases)]
        fitting = [column for column in columns if column not in taken and plain(column) in names]
        if fitting:
            # The earlier alias is the more exact one: 单位编码 before 编码.
            found[name] = min(fitting, key=lambda column: names.index(plain(column)))
            taken.add(found[name])
    _require(kind, columns, found)
    return found


def _said(said: Iterable[str], columns: Sequence[str], fields: Mapping[str, object]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in said:
        column, _, field = (part.strip() for part in each.rpartition("="))
        if column not in columns:
            raise Unmapped(f"--map {each}: the file has no column {column!r}, but: {', '.join(columns)}")
        if field not in fields:
            raise Unmapped(f"--map {each}: there is no field {field!r}, but: {', '.join(fields)}")
        if field in found or column in found.values():
            raise Unmapped(f"--map {each}: said twice")
        found[field] = column
    return found


def _require(kind: Kind, columns: Sequence[str], found: Mapping[str, str]) -> None:
    for name, field in kind.by_name().items():
        if field.required and name not in found:
            raise Unmapped(
                f"no column for {name} ({' / '.join(field.aliases[:4])}) among: {', '.join(columns)}; "
                f"say it with --map COLUMN={name}"
            )
    if found.keys().isdisjoint((kind.key, *kind.natural)):
        aliases = " / ".join(kind.by_name()[kind.key].aliases[:4])
        raise Unmapped(f"no column for a row's own code ({aliases}); say it with --map COLUMN={kind.key}")
