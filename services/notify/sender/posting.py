"""One signed HTTP request and what came of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

import aiohttp
from aiohttp.abc import AbstractResolver
from standardwebhooks import Webhook

from contracts.refusals import Refusal
from services.notify.domain.targets import TargetPolicy, check_url
from services.notify.sender.guard import GuardedResolver, GuardedSockets, is_refusal

_READ_OF_ANSWER = 65_536


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` None: no answer came, and `error` is a code that says why."""

    status: int | None
    latency_ms: int
    retry_after: str | None = None
    error: str | None = None


class Poster:
    """An HTTP client that goes nowhere it must not and follows nobody."""

    def __init__(
        self, policy: TargetPolicy, *, timeout_s: float = 10.0, resolver: AbstractResolver | None = None
    ) -> None:
        self._policy = policy
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._resolver = resolver

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=GuardedResolver(self._policy, self._resolver),
                socket_factory=GuardedSockets(self._policy),
                limit=0,  # each endpoint has its own limit: a common one would let the dead delay the living
                use_dns_cache=False,
                keepalive_timeout=30,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            timeout=self._timeout,
            headers={"User-Agent": "pingan-grid-notify/1"},
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def post(self, url: str, body: str, headers: dict[str, str]) -> Answer:
        """Send; never raises for what the receiver or the network does."""
        started = time.monotonic()

        def answer(status: int | None, *, retry_after: str | None = None, error: str | None = None) -> Answer:
            return Answer(status, round((time.monotonic() - started) * 1000), retry_after, error)

        try:
            # Again, not only at creation: the policy may have become stricter since.
            check_url(url, self._policy)
            request = self._session.post(url, data=body.encode(), headers=headers, allow_redirects=False)
            async with request as response:
                result = answer(
                    response.status,
                    retry_after=response.headers.get("Retry-After"),
                    error=None if 200 <= response.status < 300 else f"http_{response.status}",
                )
                await _finish(response)
                return result
        except Refusal as refusal:
            return answer(None, error=refusal.code)
        except TimeoutError:
            return answer(None, error="timeout")
        except aiohttp.ClientSSLError:
            return answer(None, error="tls")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return answer(None, error=_code(error))


def _code(error: Exception) -> str:
    """A stable code: what the network said is for nobody outside to read."""
    if is_refusal(error):
        return "forbidden_address"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "name_not_found"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "connection_refused"
    if isinstance(error, aiohttp.ClientConnectionError | OSError):
        return "connection_lost"
    return "bad_answer"


async def _finish(response: aiohttp.ClientResponse) -> None:
    """Read a short answer to its end, so that the connection can be used again; the status is known already."""
    try:
        await response.content.readexactly(_READ_OF_ANSWER)
    except (EOFError, TimeoutError, aiohttp.ClientError, OSError):
        return
    response.close()


def signed_headers(event_id: str, body: str, secrets: list[str], now: datetime | None = None) -> dict[str, str]:
    """Standard Webhooks: `webhook-id` stays the same over retries, one v1 signature for each valid secret."""
    # Floored: the library signs whole seconds.
    moment = (now or datetime.now(UTC)).replace(microsecond=0)
    return {
        "Content-Type": "application/cloudevents+json; charset=utf-8",
        "webhook-id": event_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(event_id, moment, body) for secret in secrets),
    }
