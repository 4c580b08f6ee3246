"""A process that stands still: its loop (`loop`), or its work (`work`)."""

from __future__ import annotations

import asyncio
import sys
import threading
import time

from backbone import watchdog


async def main(how: str) -> None:
    began = time.monotonic()
    watchdog.watch(asyncio.get_running_loop(), lambda: time.monotonic() - began if how == "work" else 0.0)
    if how == "loop":
        threading.Event().wait(60)
    await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
