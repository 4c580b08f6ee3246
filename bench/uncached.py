"""The gateway without its kept tiles: `python -m bench.uncached` makes each anew, for B5's cold rows."""

from __future__ import annotations

import sys

from gateway import __main__, tiles


def main() -> int:
    tiles.TileCache._keep = lambda self, key, tile: None  # type: ignore[method-assign]
    return __main__.main()


if __name__ == "__main__":
    sys.exit(main())
