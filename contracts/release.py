"""What releases have promised, in `contracts/released/`: event schemas, an example of each, and the public API.

    python -m contracts.release       # `make release-contracts`: promise today's; refuses when a promise is broken

A released event version only ever gains optional fields (`additive`); what must be said another way is a class
`.vN+1` beside the old one. The API only gains (`additions`). Words (titles, descriptions, examples) may change.
Commands make no such promise: the gateway and the services that speak them are released together.
"""

from __future__ import annotations

import json
import pathlib
import sys
from collections.abc import Mapping
from typing import Any

from contracts import additions, additive, catalogue, generate, sample
from contracts.registry import all_events

FOLDER = pathlib.Path(__file__).with_name("released")
ENVELOPE = "envelope"
API = "openapi"
_TOLD = frozenset({"title", "description", "summary", "example", "examples", "tags", "operationId"})

Schemas = Mapping[str, Mapping[str, Any]]


def today() -> dict[str, dict[str, Any]]:
    """What there is to promise: path below FOLDER without `.json` -> content."""
    schemas = catalogue.schemas()
    made = {f"schemas/{name}": schemas[name] for name in (ENVELOPE, *(cls.type for cls in all_events()))}
    made |= {f"examples/{cls.type}": sample.example(cls) for cls in all_events()}
    return made | {API: bare(generate.openapi())}


def promised(kind: str) -> dict[str, dict[str, Any]]:
    """Name -> what the last release left, of `schemas` or `examples`."""
    return {path.stem: json.loads(path.read_text()) for path in sorted((FOLDER / kind).glob("*.json"))}


def promised_api() -> dict[str, Any]:
    """The OpenAPI document of the last release, without its words."""
    document: dict[str, Any] = json.loads((FOLDER / f"{API}.json").read_text())
    return document


def broken_events(released: Schemas, now: Schemas) -> list[str]:
    """Every promise about events that is not kept, and what to do instead."""
    offences = []
    for name, schema in sorted(released.items()):
        if name in now:
            offences += [str(breach) for breach in additive.breaches(name, schema, now[name])]
        else:
            offences.append(str(additive.Breach(name, "the released event version is gone", "R5")))
    return [f"{offence}: {_instead(offence)}" for offence in offences]


def broken_api(released: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Every promise of the API that is not kept."""
    return [f"{loss}: /v1 changes by addition only (docs/contracts.md)" for loss in additions.losses(released, now)]


def bare(node: Any, named: bool = False) -> Any:
    """An OpenAPI document without its words, which are most of it and no promise."""
    if isinstance(node, Mapping):
        return {
            key: bare(value, named=key in ("properties", "schemas", "responses", "headers", "paths") and not named)
            for key, value in node.items()
            if named or key not in _TOLD
        }
    return [bare(each) for each in node] if isinstance(node, list) else node


def _instead(offence: str) -> str:
    name = offence.partition(":")[0]
    if not name.startswith("county."):
        return "the envelope only gains optional attributes"
    stem, _, version = ".".join(name.split(".")[:5]).rpartition(".v")
    return f"take it back, and say it in a new class {stem}.v{int(version) + 1} beside this one"


def main() -> int:
    made = today()
    now = {path.removeprefix("schemas/"): schema for path, schema in made.items() if path.startswith("schemas/")}
    offences = broken_events(promised("schemas"), now)
    if (FOLDER / f"{API}.json").is_file():
        offences += broken_api(promised_api(), made[API])
    if offences:
        sys.stderr.write("".join(f"{offence}\n" for offence in offences))
        return 1
    fresh = 0
    for path, content in made.items():
        file = FOLDER / f"{path}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        if not file.is_file() or file.read_text() != text:
            file.write_text(text)
            fresh += 1
    sys.stdout.write(f"{fresh} promises new or added to, {len(made) - fresh} as they were\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
