"""Kept tiles: made once for a key, the oldest dropped when too many bytes are kept, packed as the client can read."""

from __future__ import annotations

import asyncio
import gzip
import secrets

import pytest

from contracts.scope import Scope
from gateway.tiles import FRESH_S, TileCache, accepts_gzip, exists, scope_digest


class Clock:
    """Stands still unless told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_tile_is_made_once_for_its_key() -> None:
    made: list[int] = []
    cache = TileCache()

    async def make() -> bytes:
        made.append(1)
        return b"tile"

    for _ in range(3):
        assert gzip.decompress((await cache.get(("areas", 1, "scope", 0, 0, 0), make)).packed) == b"tile"
    await cache.get(("areas", 2, "scope", 0, 0, 0), make)
    await cache.get(("places", 1, "scope", 0, 0, 0), make)
    assert len(made) == 3


async def test_who_asks_for_a_tile_in_the_making_waits_for_it() -> None:
    made: list[int] = []
    going = asyncio.Event()
    cache = TileCache()

    async def make() -> bytes:
        made.append(1)
        await going.wait()
        return b"tile"

    asked = [asyncio.create_task(cache.get("key", make)) for _ in range(5)]
    await asyncio.sleep(0)
    asked[0].cancel()  # the first to ask goes away
    going.set()
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert len(made) == 1
    assert len({answer.digest for answer in answers[1:] if not isinstance(answer, BaseException)}) == 1


async def test_a_tile_that_could_not_be_made_is_made_again() -> None:
    cache, outage = TileCache(), [True]

    async def make() -> bytes:
        if outage.pop():
            raise TimeoutError
        return b"tile"

    with pytest.raises(TimeoutError):
        await cache.get("key", make)
    outage.append(False)
    assert gzip.decompress((await cache.get("key", make)).packed) == b"tile"


async def test_a_tile_without_a_version_serves_for_a_while_from_when_it_was_asked_for() -> None:
    clock = Clock()
    cache, made = TileCache(clock=clock), 0

    async def make(seconds: float) -> bytes:
        nonlocal made
        made += 1
        clock.now += seconds
        return b"%d" % made

    async def asked(seconds: float) -> bytes:
        return gzip.decompress((await cache.get("key", lambda: make(seconds), lasting=False)).packed)

    assert await asked(1.0) == b"1"
    clock.now = FRESH_S - 0.01
    assert await asked(1.0) == b"1"
    clock.now = FRESH_S
    assert await asked(FRESH_S) == b"2"
    assert await asked(0.0) == b"3"
    assert FRESH_S < 5
    assert cache.size < 300


async def test_the_least_recently_used_goes_first() -> None:
    made: list[int] = []
    cache = TileCache(most_bytes=2_500)
    noise = secrets.token_bytes(950)

    async def ask(n: int) -> None:
        async def make() -> bytes:
            made.append(n)
            return noise

        await cache.get((1, "scope", 1, n, 0), make)

    for n in (0, 1, 0, 2, 0):
        await ask(n)
    assert made == [0, 1, 2]
    await ask(1)
    assert made == [0, 1, 2, 1]
    assert cache.size <= 2_500


async def test_the_same_content_has_the_same_digest_and_bytes() -> None:
    async def make() -> bytes:
        return b"tile"

    one, other = [await TileCache(clock=Clock()).get("key", make, lasting=False) for _ in range(2)]
    assert (one.digest, one.packed) == (other.digest, other.packed)


@pytest.mark.parametrize(
    ("said", "packed"),
    [("", False), ("gzip, deflate, br", True), ("br;q=1.0, gzip;q=0.8", True), ("*", True), ("identity", False),
     ("gzip;q=0", False), ("gzip;q=0.000, *", False), ("GZIP", True), ("x-gzip-like", False), ("*;q=0", False)],
)  # fmt: skip
def test_a_tile_goes_packed_to_who_says_so(said: str, packed: bool) -> None:
    assert accepts_gzip(said) is packed


def test_readers_of_the_same_scope_share_tiles_and_others_do_not() -> None:
    county, town = Scope(areas=("330499/",)), Scope(areas=("330499/330499101/",))
    assert scope_digest(county) == scope_digest(Scope(areas=("330499/",)))
    assert len({scope_digest(county), scope_digest(town), scope_digest(Scope(areas=()))}) == 3


def test_the_pyramid_ends() -> None:
    assert exists(0, 0, 0)
    assert exists(1, 1, 1)
    assert not any(exists(*each) for each in ((1, 2, 0), (-1, 0, 0), (23, 0, 0), (2, 0, 4)))
