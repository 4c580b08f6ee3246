"""`make bench`: prints the table of each bench. `python -m bench b6` runs one; BENCH_QUICK=1 is a smoke test."""

from __future__ import annotations

import importlib
import os
import platform
import sys

from bench import harness, place

BENCHES = {
    "b2": "bench.b2_latency",
    "b3": "bench.b3_commands",
    "b4": "bench.b4_pages",
    "b5": "bench.b5_tiles",
    "b6": "bench.b6_cells",
    "b7": "bench.b7_events",
    "b9": "bench.b9_growth",
    "import": "bench.area_import",
}


def main() -> int:
    chosen = sys.argv[1:] or list(BENCHES)
    unknown = [name for name in chosen if name not in BENCHES]
    if unknown:
        print(f"no such bench: {', '.join(unknown)}; there are {', '.join(BENCHES)}")
        return 2
    given = place.settings()
    if "PINGAN_ADMIN_DATABASE_URL" not in given:
        print("no private servers; start them with: make infra")
        return 2
    os.environ.update(given)
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"durability: {place.durability(given['PINGAN_ADMIN_DATABASE_URL'])}")
    print(
        "a quick run: its numbers mean nothing\n" if harness.QUICK else f"{harness.RUNS} runs each, by turns\n",
        flush=True,
    )
    below = False
    for name in chosen:  # each table when it is done: the whole takes some minutes
        bench = importlib.import_module(BENCHES[name])
        rows = list(bench.rows())
        print(getattr(bench, "table", harness.table)(rows), flush=True)
        below = below or any(row.verdict == "below" for row in rows)
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
