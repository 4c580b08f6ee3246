"""One replica of the engine as a process of its own, by a clock that somebody else turns."""

from __future__ import annotations

import mmap
import os
import struct
import time
from datetime import UTC, datetime

from backbone.database import Unavailable, engine, transaction
from services.hazards import deadlines


class SharedClock:
    """Microseconds of UTC in a file: one turns it, all read it. It never goes back."""

    def __init__(self, path: str) -> None:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT)
        os.ftruncate(descriptor, 8)
        self._map = mmap.mmap(descriptor, 8)
        os.close(descriptor)

    def __call__(self) -> datetime:
        (micros,) = struct.unpack_from("<q", self._map)
        return datetime.fromtimestamp(micros / 1e6, UTC)

    def turn(self, at: datetime) -> None:
        struct.pack_into("<q", self._map, 0, round(at.timestamp() * 1e6))


def run(url: str, path: str, chunk: int) -> None:
    """Rings for ever, in transactions as small as `chunk`; ended by a signal alone."""
    clock, bind = SharedClock(path), engine(url)
    while True:
        try:
            with transaction(bind) as session:
                deadlines.resume(session, clock=clock, chunk=chunk)
            with transaction(bind) as session:
                rung = deadlines.ring(session, clock=clock, chunk=chunk)
        except Unavailable:
            rung = 0
        if not rung:
            time.sleep(0.002)
