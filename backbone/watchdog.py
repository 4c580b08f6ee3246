"""Ends an asyncio process whose loop stands still, or that has had work waiting without progress, for its supervisor.

The services have theirs in `runner`, beside the hub of their greenlets.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable

STUCK_STATUS = 70
"""What a process that was ended by its watchdog leaves with."""


def patience_s() -> float:
    """Seconds without progress before the end (PINGAN_WATCHDOG_SECONDS)."""
    return float(os.environ.get("PINGAN_WATCHDOG_SECONDS", "60"))


def watch(loop: asyncio.AbstractEventLoop, stuck_s: Callable[[], float] = lambda: 0.0) -> None:
    """A thread that looks each second; `stuck_s` says for how long work has waited without progress."""
    patience, beat = patience_s(), [time.monotonic()]

    def turn() -> None:
        beat[0] = time.monotonic()

    def look() -> None:
        while not loop.is_closed():
            try:
                loop.call_soon_threadsafe(turn)
            except RuntimeError:
                return  # closed meanwhile: the process is ending
            time.sleep(1)
            standing, waiting = time.monotonic() - beat[0], stuck_s()
            if standing > patience or waiting > patience:
                os.write(2, f"watchdog: loop {standing:.0f} s, work {waiting:.0f} s without progress\n".encode())
                os._exit(STUCK_STATUS)

    threading.Thread(target=look, name="watchdog", daemon=True).start()
