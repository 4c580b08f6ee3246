"""Code lists for others to map to, and the categories of places, which are data."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.sql import ColumnElement

from backbone.answers import body_column, json_object
from backbone.statements import Query
from contracts.scope import Scope
from services.grid.domain.code_lists import LISTS, OURS
from services.grid.domain.risks import COLOURS, colour_of
from services.grid.queries.parts import Filters, paged, text_value
from services.grid.tables import place_categories

PLACE_CATEGORIES = "place-categories"


def code_lists() -> list[dict[str, Any]]:
    """What lists there are: name, title, source, whether all of it is there."""
    ours = {"list": PLACE_CATEGORIES, "title": "重点场所类别", "title_en": "Categories of places", "source": OURS}
    return [
        ours | {"complete": True},
        *(
            {
                "list": each.name,
                "title": each.title,
                "title_en": each.title_en,
                "source": each.source,
                "complete": each.complete,
            }
            for each in LISTS.values()
        ),
    ]


def code_list(name: str) -> list[dict[str, Any]] | None:
    """The rows of a list that is not data of this county; None where there is none of this name."""
    found = LISTS.get(name)
    return None if found is None else [asdict(row) for row in found.rows]


def risk_colour(code: str) -> dict[str, str]:
    """A colour as a passer-by is told of it; a word from before the colours is told as its own."""
    colour = COLOURS[colour_of(code) or "yellow"]
    return {
        "code": colour.code,
        "name": colour.name,
        "grade": colour.grade,
        "meaning": colour.meaning,
        "meaning_en": colour.meaning_en,
    }


def place_category_list(scope: Scope, *, after: tuple[str] | None = None, limit: int = 100) -> Query:
    """Categories of places by code, the closed ones too: `body`, `cursor_1` = code. The same to everybody."""
    c = place_categories.c
    filters: Filters = {}
    if after is not None:
        filters["after"] = (c.code > text_value("after"), {"after": after[0]})

    def build(conditions: list[ColumnElement[bool]]) -> Select[Any]:
        return select(body_column(_category()), c.code.label("cursor_1")).where(*conditions).order_by(c.code)

    return paged("grid.place_category_list", scope, filters, limit, build)


def _category() -> ColumnElement[Any]:
    c = place_categories.c
    names = ("code", "name", "name_en", "parent", "checklist", "hardware", "period_days", "active", "version")
    return json_object(**{name: c[name] for name in names})
