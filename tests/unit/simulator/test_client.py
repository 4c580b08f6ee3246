"""The API client's patience: Retry-After is waited for, and what is refused for good is refused at once."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from simulator.client import Api, ApiRefused

TOKEN = httpx.Response(200, json={"access_token": "t", "expires_in": 900})
UNKNOWN = httpx.Response(422, json={"code": "grid.unknown_agency"})


def asked(monkeypatch: pytest.MonkeyPatch, *answers: httpx.Response, **options: Any) -> tuple[list[float], Any]:
    """The pauses taken, and the answer or refusal, when these answers come one after another."""
    coming, pauses = iter((TOKEN, *answers)), []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    async def ask() -> Any:
        async with Api("http://test", "admin", "x", **options) as api:
            api._client = httpx.AsyncClient(
                base_url="http://test", transport=httpx.MockTransport(lambda request: next(coming))
            )
            try:
                return (await api.request("PUT", "/v1/places/1")).status_code
            except ApiRefused as refused:
                return refused

    monkeypatch.setattr(asyncio, "sleep", pause)
    return pauses, asyncio.run(ask())


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(("longest", "waited"), [(2.0, 2.0), (60.0, 7.0)])
def test_retry_after_is_waited_for_up_to_the_longest_pause(
    monkeypatch: pytest.MonkeyPatch, status: int, longest: float, waited: float
) -> None:
    later = httpx.Response(status, headers={"Retry-After": "7"})
    pauses, answer = asked(monkeypatch, later, httpx.Response(200), longest_pause_s=longest)
    assert (pauses, answer) == ([waited], 200)


def test_an_agency_that_is_not_known_yet_is_waited_for_only_where_one_may_be_on_its_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert asked(monkeypatch, UNKNOWN, httpx.Response(200))[1] == 200
    pauses, refused = asked(monkeypatch, UNKNOWN, waits_for_projections=False)
    assert pauses == []
    assert isinstance(refused, ApiRefused)
