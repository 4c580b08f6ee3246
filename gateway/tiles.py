"""Vector tiles kept packed, by layer, scope and, where it has one, version: PostGIS makes each once for all who ask.

What has a version (areas: the boundary's) is kept until it is pushed out. What may change at any moment is kept for
some seconds: a counter of changes in the database would make every writer of a layer wait for the others, and a
reader's tag would change with what is hidden from it. Its `ETag` is a hash of what the reader sees.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from backbone.policy import parameters
from contracts.scope import Scope

MOST_BYTES = 64 * 1024 * 1024
DEEPEST = 22
"""The last zoom that is served: a grid fills the screen long before."""
MEDIA_TYPE = "application/vnd.mapbox-vector-tile"
FRESH_S = 4.0
"""How long a tile without a version serves: what was hidden meanwhile is nowhere shown longer than 5 s."""
_PACKED_HERE = 32 * 1024
"""Bytes that are packed on the loop: a thread costs as much."""


@dataclass(frozen=True, slots=True)
class Tile:
    """`packed` is the gzipped tile, `digest` names its content."""

    packed: bytes
    digest: str
    until: float
    """Of the monotonic clock."""


class TileCache:
    """Tiles by key, the least recently used dropped first. One event loop's own."""

    def __init__(self, most_bytes: int = MOST_BYTES, clock: Callable[[], float] = time.monotonic) -> None:
        self._kept: OrderedDict[Hashable, Tile] = OrderedDict()
        self._making: dict[Hashable, asyncio.Task[Tile]] = {}
        self._most, self._clock, self.size = most_bytes, clock, 0

    async def get(self, key: Hashable, make: Callable[[], Awaitable[bytes]], *, lasting: bool = True) -> Tile:
        """The kept tile, or the one that `make` gives now; who asks for one in the making waits for it."""
        tile = self._kept.get(key)
        if tile is not None and self._clock() < tile.until:
            self._kept.move_to_end(key)
            return tile
        task = self._making.get(key)
        if task is None:
            task = self._making[key] = asyncio.create_task(self._make(key, make, lasting))
            task.add_done_callback(lambda _: self._making.pop(key, None))
        # Whoever goes away leaves the others their tile.
        return await asyncio.shield(task)

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[bytes]], lasting: bool) -> Tile:
        # From before it was asked for: what changes while it is made must not be shown longer.
        until = math.inf if lasting else self._clock() + FRESH_S
        content = await make()
        packed = _packed(content) if len(content) < _PACKED_HERE else await asyncio.to_thread(_packed, content)
        tile = Tile(packed, hashlib.sha256(content).hexdigest()[:16], until)
        self._keep(key, tile)
        return tile

    def _keep(self, key: Hashable, tile: Tile) -> None:
        if (former := self._kept.pop(key, None)) is not None:
            self.size -= len(former.packed) + 200
        self._kept[key] = tile
        self.size += len(tile.packed) + 200
        while self.size > self._most:
            _, dropped = self._kept.popitem(last=False)
            self.size -= len(dropped.packed) + 200


def _packed(content: bytes) -> bytes:
    # Level 6 takes twice as long for 3 % less.
    return gzip.compress(content, 3, mtime=0)


def sent(request: Request, tile: Tile, headers: dict[str, str]) -> Response:
    """The tile as the client can read it: packed, unless it says otherwise."""
    if accepts_gzip(request.headers.get("accept-encoding", "")):
        return Response(tile.packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=MEDIA_TYPE)
    return Response(gzip.decompress(tile.packed), headers=headers, media_type=MEDIA_TYPE)


def accepts_gzip(accepted: str) -> bool:
    """By Accept-Encoding: `gzip` or `*`, unless its weight is nought."""
    weights = {}
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        value = weight.strip().removeprefix("q=").strip()
        weights[name.strip()] = value.strip("0.") != "" if value else True
    return weights.get("gzip", weights.get("*", False))


def scope_digest(scope: Scope) -> str:
    """Equal for readers who see the same; nothing of the scope can be read from it."""
    seen = sorted((name, str(value)) for name, value in parameters(scope).items())
    return hashlib.sha256(repr((scope.unrestricted, seen)).encode()).hexdigest()[:16]


def exists(z: int, x: int, y: int) -> bool:
    """Whether the pyramid has such a tile."""
    return 0 <= z <= DEEPEST and 0 <= x < 2**z and 0 <= y < 2**z
