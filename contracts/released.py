"""What releases have promised: `released.json` holds a digest of every released event schema, and of the envelope.

    python -m contracts.released       # `make release-contracts`: promise what is new; refuses when a promise is broken

A released schema never changes; its words (title, description, trigger) may. Whatever else is to be said another way
gets a class `.vN+1` beside the old one. Commands make no such promise: the gateway and the services that speak them
are released together, and follow each other by addition.
"""

from __future__ import annotations

import hashlib
import json
import pathlib
import sys
from collections.abc import Mapping
from typing import Any

from contracts import catalogue
from contracts.registry import all_events

FILE = pathlib.Path(__file__).with_name("released.json")
_WORDS = frozenset({"title", "description", "x-trigger", "examples", "$comment"})


def promised() -> dict[str, str]:
    """Schema name -> digest, as the last release left it; empty before the first."""
    known: dict[str, str] = json.loads(FILE.read_text())
    return known


def current() -> dict[str, str]:
    """Schema name -> digest, as the classes have it now: every event version and the envelope."""
    names = ["envelope", *(cls.type for cls in all_events())]
    schemas = catalogue.schemas()
    return {name: digest(schemas[name]) for name in names}


def digest(schema: Mapping[str, Any]) -> str:
    """SHA-256 over a schema's canonical JSON without its words."""
    text = json.dumps(_bare(schema), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def broken(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Every promise that is not kept: a released schema that changed or is gone."""
    return [
        f"{name} was released and {'has changed' if name in now else 'is gone'}: say it in a new version beside it"
        for name, kept in sorted(before.items())
        if now.get(name) != kept
    ]


def _bare(node: Any, named: bool = False) -> Any:
    # Under `properties` and `$defs` the keys are names of fields, not words about them.
    if isinstance(node, Mapping):
        return {
            key: _bare(value, named=key in ("properties", "$defs") and not named)
            for key, value in node.items()
            if named or key not in _WORDS
        }
    return [_bare(each) for each in node] if isinstance(node, list) else node


def main() -> int:
    before, now = promised(), current()
    offences = broken(before, now)
    if offences:
        sys.stderr.write("".join(f"{offence}\n" for offence in offences))
        return 1
    FILE.write_text(json.dumps(before | now, indent=1, sort_keys=True) + "\n")
    sys.stdout.write(f"{len(now.keys() - before.keys())} schemas promised\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
