"""Bounding boxes in query strings."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from gateway.problems import Problem

Box = tuple[float, float, float, float]
Bbox = Annotated[
    str | None,
    Query(max_length=100, description="west,south,east,north in WGS84 degrees", examples=["120.6,30.7,120.8,30.9"]),
]


def box_of(text: str | None) -> Box | None:
    """The four numbers, None for None. Raises Problem invalid_request."""
    if text is None:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
        # NaN fails every comparison.
        if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
            raise ValueError("range")
    except ValueError:
        raise Problem("invalid_request", field="bbox", expected="west,south,east,north in degrees") from None
    return west, south, east, north
