"""Several tasks at a time, and one plain exception when one of them fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

AT_ONCE = 8


async def together(work: Callable[[], Awaitable[None]], count: int = AT_ONCE) -> None:
    """Runs `work` `count` times at once; they share what they take from. Raises the first failure."""

    async def one() -> None:
        await work()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(count):
                group.create_task(one())
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
