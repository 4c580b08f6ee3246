"""JSON that the gateway itself makes: times as RFC 3339 with Z, UUIDs as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from starlette.responses import Response

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY


def _plain(value: Any) -> str:
    if isinstance(value, UUID):  # asyncpg's own subclass, which orjson does not know
        return str(value)
    raise TypeError(type(value).__name__)


def rendered(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response."""
    return Response(
        orjson.dumps(value, default=_plain, option=_OPTIONS), status, dict(headers or {}), "application/json"
    )
