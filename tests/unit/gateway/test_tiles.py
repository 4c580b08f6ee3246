"""Kept tiles: made once for a key, the oldest dropped when too many bytes are kept."""

from __future__ import annotations

from contracts.scope import Scope
from gateway.tiles import TileCache, exists, scope_digest


async def test_a_tile_is_made_once_for_its_key() -> None:
    made: list[int] = []
    cache = TileCache()

    async def make() -> bytes:
        made.append(1)
        return b"tile"

    for _ in range(3):
        assert await cache.get((1, "scope", 0, 0, 0), make) == b"tile"
    await cache.get((2, "scope", 0, 0, 0), make)
    assert len(made) == 2


async def test_the_least_recently_used_goes_first() -> None:
    made: list[int] = []
    cache = TileCache(most_bytes=2_500)

    async def ask(n: int) -> None:
        async def make() -> bytes:
            made.append(n)
            return b"x" * 1_000

        await cache.get((1, "scope", 1, n, 0), make)

    for n in (0, 1, 0, 2, 0):
        await ask(n)
    assert made == [0, 1, 2]
    await ask(1)
    assert made == [0, 1, 2, 1]
    assert cache.size <= 2_500


def test_readers_of_the_same_scope_share_tiles_and_others_do_not() -> None:
    county, town = Scope(areas=("330499/",)), Scope(areas=("330499/330499101/",))
    assert scope_digest(county) == scope_digest(Scope(areas=("330499/",)))
    assert len({scope_digest(county), scope_digest(town), scope_digest(Scope(areas=()))}) == 3


def test_the_pyramid_ends() -> None:
    assert exists(0, 0, 0)
    assert exists(1, 1, 1)
    assert not any(exists(*each) for each in ((1, 2, 0), (-1, 0, 0), (23, 0, 0), (2, 0, 4)))
