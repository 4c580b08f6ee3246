"""Parameters that the lists of the registry have in common."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from contracts.areas import AreaPath

Limit = Annotated[int, Query(ge=1, le=200)]
Within = Annotated[AreaPath | None, Query(description="Path of an area; it and all below")]
Name = Annotated[str | None, Query(min_length=1, max_length=100, description="Part of the name")]
