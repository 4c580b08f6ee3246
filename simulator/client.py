"""The public API as the simulator speaks it: tokens, patience with 429 and 503, bounded concurrency."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

import httpx

from simulator.staff import Write

PATIENCE_S = 60.0
CONCURRENCY = 16
Unreachable = httpx.TransportError
"""Nobody answered."""


class ApiRefused(Exception):
    """The API said no for good; the message carries its problem document."""

    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.problem = problem_of(response)
        super().__init__(f"{response.request.method} {response.request.url.path} -> {self.status}: {self.problem}")


class Api:
    """One account's connection to a gateway; use as an asynchronous context manager."""

    def __init__(
        self,
        url: str,
        login: str,
        password: str,
        *,
        concurrency: int = CONCURRENCY,
        longest_pause_s: float = 2.0,
        waits_for_projections: bool = True,
        language: str | None = None,
    ) -> None:
        """`longest_pause_s`: at most so long one Retry-After is honoured; an agency that one service does not
        know yet is waited for, or refused at once where `waits_for_projections` is false."""
        self._client = httpx.AsyncClient(
            base_url=url, timeout=30, limits=httpx.Limits(max_connections=concurrency), trust_env=False
        )
        if language is not None:
            self._client.headers["Accept-Language"] = language
        self._login, self._password = login, password
        self._longest_pause_s, self._waits_for_projections = longest_pause_s, waits_for_projections
        self._renew_at = 0.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def sign_in(self) -> None:
        """Gets a token. Raises ApiRefused when the credentials are wrong."""
        form = {"grant_type": "password", "username": self._login, "password": self._password}
        response = await self._client.post("/v1/auth/token", data=form)
        if response.status_code != 200:
            raise ApiRefused(response)
        token = response.json()
        self._client.headers["Authorization"] = f"Bearer {token['access_token']}"
        self._renew_at = time.monotonic() + token["expires_in"] * 0.7

    async def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Sends until it is answered for good: 429 and 503 are waited out, as is a projection that lags behind.

        Raises ApiRefused on every other answer of 400 and above, TimeoutError after PATIENCE_S.
        """
        end = time.monotonic() + PATIENCE_S
        while True:
            if time.monotonic() > self._renew_at:
                await self.sign_in()
            try:
                response = await self._client.request(method, path, **more)
            except httpx.TransportError:
                if time.monotonic() > end:
                    raise
                await asyncio.sleep(0.5)
                continue
            if response.status_code < 400:
                return response
            if not _passes(response, self._waits_for_projections):
                raise ApiRefused(response)
            if time.monotonic() > end:
                raise TimeoutError(f"{method} {path}: still {response.status_code} after {PATIENCE_S:.0f} s")
            await asyncio.sleep(min(self._longest_pause_s, float(response.headers.get("Retry-After", "0.3"))))

    async def put_all(self, writes: Iterable[Write]) -> int:
        """Sends these PUTs, CONCURRENCY at a time. Returns how many. Raises the first refusal."""
        waiting = iter(writes)
        sent = 0

        async def sender() -> None:
            nonlocal sent
            for write in waiting:
                await self.request("PUT", write.path, json=write.body)
                sent += 1

        async with asyncio.TaskGroup() as group:
            for _ in range(CONCURRENCY):
                group.create_task(sender())
        return sent


def problem_of(response: httpx.Response) -> Any:
    """The problem document, or the text of an answer that has none."""
    try:
        return response.json()
    except ValueError:
        return response.text[:500]


def _passes(response: httpx.Response, projections: bool) -> bool:
    """Whether the same request may succeed later: overload, or an agency that has not arrived everywhere yet."""
    if response.status_code in (429, 503):
        return True
    if not projections:
        return False
    problem = problem_of(response)
    code = problem.get("code", "") if isinstance(problem, dict) else ""
    return response.status_code == 422 and str(code).endswith((".unknown_agency", ".unknown_area", ".no_boundaries"))
