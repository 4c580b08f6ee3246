"""No connection to a forbidden address: checked for the very address, at the very moment of connecting.

Two nets: the resolver hands aiohttp no name that has a forbidden address, and the socket of every attempt,
literal addresses included, is made here or not at all. A name that changes its meaning in between gains nothing.
"""

from __future__ import annotations

import socket

from aiohttp import AddrInfoType, ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

from services.notify.domain.targets import TargetPolicy, is_forbidden_address


class ForbiddenAddress(OSError):
    """The webhook's host has an address that we never connect to."""


class GuardedResolver(AbstractResolver):
    """A resolver that refuses a name as a whole when one of its addresses is forbidden."""

    def __init__(self, policy: TargetPolicy, inner: AbstractResolver | None = None) -> None:
        self._policy = policy
        self._inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Raises ForbiddenAddress, or OSError when the name does not resolve."""
        found = await self._inner.resolve(host, port, family)
        if not self._policy.allow_private and any(is_forbidden_address(result["host"]) for result in found):
            raise ForbiddenAddress(f"{host} has a forbidden address")
        return found

    async def close(self) -> None:
        await self._inner.close()


class GuardedSockets:
    """Makes the sockets of aiohttp's connector (`socket_factory`)."""

    def __init__(self, policy: TargetPolicy) -> None:
        self._policy = policy

    def __call__(self, info: AddrInfoType) -> socket.socket:
        """A socket for one connection attempt. Raises ForbiddenAddress."""
        family, kind, protocol, _, address = info
        if family not in (socket.AF_INET, socket.AF_INET6):
            raise ForbiddenAddress("not an internet address")
        if not self._policy.allow_private and is_forbidden_address(str(address[0])):
            raise ForbiddenAddress("a forbidden address")
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made


def is_refusal(error: BaseException) -> bool:
    """Whether a failed request failed because of this guard."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ForbiddenAddress):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
