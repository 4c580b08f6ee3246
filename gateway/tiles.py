"""Vector tiles kept by boundary version and scope: PostGIS makes each once, until the boundary or the rights change."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from backbone.policy import parameters
from contracts.scope import Scope

MOST_BYTES = 64 * 1024 * 1024
DEEPEST = 22
"""The last zoom that is served: a grid fills the screen long before."""
MEDIA_TYPE = "application/vnd.mapbox-vector-tile"

Key = tuple[int, str, int, int, int]


class TileCache:
    """Tiles by (boundary version, scope, z, x, y), the least recently used dropped first. One event loop's own."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._kept: OrderedDict[Key, bytes] = OrderedDict()
        self._most, self.size = most_bytes, 0

    async def get(self, key: Key, make: Callable[[], Awaitable[bytes]]) -> bytes:
        """The kept tile, or the one that `make` gives now."""
        tile = self._kept.get(key)
        if tile is not None:
            self._kept.move_to_end(key)
            return tile
        tile = await make()
        self._keep(key, tile)
        return tile

    def _keep(self, key: Key, tile: bytes) -> None:
        if key in self._kept:
            return
        self._kept[key] = tile
        self.size += len(tile) + 200
        while self.size > self._most:
            _, dropped = self._kept.popitem(last=False)
            self.size -= len(dropped) + 200


def scope_digest(scope: Scope) -> str:
    """Equal for readers who see the same; nothing of the scope can be read from it."""
    seen = sorted((name, str(value)) for name, value in parameters(scope).items())
    return hashlib.sha256(repr((scope.unrestricted, seen)).encode()).hexdigest()[:16]


def exists(z: int, x: int, y: int) -> bool:
    """Whether the pyramid has such a tile."""
    return 0 <= z <= DEEPEST and 0 <= x < 2**z and 0 <= y < 2**z
