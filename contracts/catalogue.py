"""What there is to say: every event and command class, and their JSON Schemas. Pure; `generate` writes them down."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any

from contracts.commands import Announce, Command, DropQuarantined, RetryQuarantined
from contracts.envelope import Envelope, EventData
from contracts.registry import all_events

SERVICES: tuple[str, ...] = ("grid", "hazards", "patrol", "notify")
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def all_commands() -> Iterator[type[Command]]:
    """Every command class, by service and name; those that all services answer come last."""
    for service in sorted(SERVICES):
        module = importlib.import_module(f"contracts.{service}.commands")
        classes = [
            value
            for value in vars(module).values()
            if isinstance(value, type)
            and issubclass(value, Command)
            and f"{value.__module__}.".startswith(f"{module.__name__}.")
        ]
        yield from sorted(classes, key=lambda cls: cls.__name__)
    yield from (Announce, DropQuarantined, RetryQuarantined)


def command_name(cls: type[Command]) -> str:
    """`hazards.ReportCase`; `any.Announce` for what every service answers."""
    return f"{cls.service.replace('*', 'any')}.{cls.wire_name()}"


def event_schema(cls: type[EventData]) -> dict[str, Any]:
    """JSON Schema of an event's `data`, as a reader may expect it: additions are allowed, so nothing is closed."""
    return {
        "$schema": DIALECT,
        "$id": f"{cls.type}.json",
        **cls.model_json_schema(mode="validation"),
        "x-trigger": cls.trigger,
        "x-owner": cls.service(),
        **({"deprecated": True, "x-deprecated": cls.deprecation.to_json()} if cls.deprecation else {}),
    }


def command_schema(cls: type[Command]) -> dict[str, Any]:
    """JSON Schema of a command's body; unknown fields are refused."""
    name = command_name(cls)
    return {
        "$schema": DIALECT,
        "$id": f"{name}.json",
        **cls.model_json_schema(mode="validation"),
        "x-owner": cls.service,
    }


def envelope_schema() -> dict[str, Any]:
    """JSON Schema of the CloudEvents envelope around every event."""
    return {"$schema": DIALECT, "$id": "envelope.json", **Envelope.model_json_schema(mode="validation")}


def schemas() -> dict[str, dict[str, Any]]:
    """File name without `.json` -> schema, for the envelope, every event version and every command."""
    return {
        "envelope": envelope_schema(),
        **{cls.type: event_schema(cls) for cls in all_events()},
        **{command_name(cls): command_schema(cls) for cls in all_commands()},
    }
