"""One valid example per event, made from its class alone: the same every time, on every machine."""

from __future__ import annotations

from typing import Any, get_args
from uuid import NAMESPACE_URL, UUID, uuid5

from contracts.alarms import Queue
from contracts.areas import AreaCode, AreaPath
from contracts.codes import CameraNo, CaseNo, Code, Sha256, Wkb64
from contracts.envelope import Envelope, EventData

COUNTY = "330499"
PATH = "330499/330499101/330499101201/330499101201003/"
MOMENT = "2026-03-02T01:30:00Z"
DAY = "2026-03-02"

# A point as little-endian WKB; short, so that the example stays readable.
POINT_WKB = "AQEAAACamZmZmTFeQM3MzMzMzD5A"

_BY_PATTERN = {
    get_args(constrained)[1].pattern: value
    for constrained, value in (
        (Queue, "hazards.on-areas"),
        (AreaCode, "330499101201003"),
        (AreaPath, PATH),
        (CaseNo, "330499-20260302-00017"),
        (Code, "fire"),
        (CameraNo, "33049900001320000017"),
        (Sha256, "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"),
        (Wkb64, POINT_WKB),
    )
}

# What a field of this name says, where the type alone would give an odd story.
_BY_NAME: dict[str, Any] = {
    "lon": 120.775,
    "lat": 30.8,
    "level": "grid",
    "due_at": "2026-03-05T01:30:00Z",
    "boundary_version": 1,
    "areas": 2411,
    "sensitivity": 1,
    "parent_code": "330499101201",
    "category": "fire.exit_blocked",
    "duty": "street_patrol",
    "returns": 0,
    "reworks": 0,
    "reopenings": 0,
}

# (type's fact, field) -> value: the case's state after this very move, an agency's or a post's own kind.
_STATES: dict[str, tuple[str, str, str | None]] = {
    "reported": ("reported", "report", None),
    "verified": ("verified", "verify", "reported"),
    "refused": ("refused", "refuse", "reported"),
    "registered": ("registered", "register", "verified"),
    "dispatched": ("dispatched", "dispatch", "registered"),
    "accepted": ("accepted", "accept", "dispatched"),
    "returned": ("registered", "return", "dispatched"),
    "handling_started": ("handling", "start", "accepted"),
    "handled": ("handled", "finish", "handling"),
    "checked": ("checked", "pass_check", "handled"),
    "closed": ("closed", "close", "checked"),
    "reopened": ("registered", "reopen", "closed"),
    "voided": ("voided", "void", "reported"),
    "relocated": ("dispatched", "relocate", "dispatched"),
    "recategorised": ("dispatched", "recategorise", "dispatched"),
    "deadline_warned": ("handling", "warn_deadline", "handling"),
    "deadline_missed": ("handling", "miss_deadline", "handling"),
    "deadline_escalated": ("handling", "escalate_deadline", "handling"),
    "deadline_recounted": ("handling", "recount_deadline", "handling"),
    "dispatch_unacknowledged": ("dispatched", "miss_acknowledgement", "dispatched"),
    "progressed": ("handling", "report_progress", "handling"),
    "reviewed": ("checked", "review", "checked"),
    "evaluated": ("closed", "evaluate", "closed"),
    "handed_over": ("registered", "raise_level", "registered"),
    "assistance_changed": ("handling", "assist_accept", "handling"),
    "linked": ("registered", "link_parent", "registered"),
    "merged": ("voided", "merge", "reported"),
    "unmerged": ("registered", "unmerge", "voided"),
    "joined": ("handling", "join", "handling"),
    "extension_requested": ("handling", "request_extension", "handling"),
    "extended": ("handling", "grant_extension", "handling"),
    "extension_refused": ("handling", "refuse_extension", "handling"),
    "suspended": ("handling", "suspend", "handling"),
    "resumed": ("handling", "resume", "handling"),
    "reminded": ("handling", "remind", "handling"),
    "supervised": ("handling", "supervise", "handling"),
    "listed": ("handling", "list_case", "handling"),
    "unlisted": ("checked", "unlist_case", "checked"),
    "graded": ("handling", "declare_major", "handling"),
    "leader_named": ("handling", "name_leader", "handling"),
    "visits_changed": ("handling", "plan_visit", "handling"),
    "rechecked": ("closed", "pass_recheck", "closed"),
    "recheck_missed": ("closed", "miss_recheck", "closed"),
    "visit_missed": ("handling", "miss_visit", "handling"),
}
_EXACT = {"suspended": "suspended", "merged": "merged"}
_KINDS = {"area": "ordinary", "agency": "fire_service", "post": "grid_worker", "device": "camera"}
_STATUS_OF_SHIFT = {"planned": "planned", "started": "started", "ended": "ended", "cancelled": "cancelled"}


def example(cls: type[EventData]) -> dict[str, Any]:
    """A full envelope whose `data` validates against `cls`. Raises TypeError on a field it cannot make up."""
    service, entity, fact = cls.routing_key().split(".")
    data = cls.model_validate(_data(cls, entity, fact)).model_dump(mode="json")
    envelope = Envelope.model_validate(
        {
            "id": _uuid(f"{cls.type}/event"),
            "source": f"/pingan/{COUNTY}/{service}",
            "type": cls.type,
            "subject": f"{entity}/{_uuid(entity + '_id')}",
            "time": MOMENT,
            "areapath": f"{COUNTY}/" if entity == "alarm" else PATH,
            "sensitivity": 3 if entity == "alarm" else 1,
            "entityversion": 3,
            "occurredat": MOMENT,
            "correlationid": "walkthrough-0001",
            "causationid": str(_uuid("command")),
            "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "boundaryversion": 1,
            "data": data,
        }
    )
    return envelope.model_dump(mode="json", exclude_none=True)


def _data(cls: type[EventData], entity: str, fact: str) -> dict[str, Any]:
    schema = cls.model_json_schema(mode="validation")
    definitions = schema.get("$defs", {})
    data = {name: _value(name, field, definitions) for name, field in schema["properties"].items()}
    if entity == "case":
        data["state"], data["move"], data["moved_from"] = _STATES[fact]
        data |= {"unassigned": False, "overdue": fact == "deadline_missed", "former_agency_ids": []}
        data |= {"exact_state": _EXACT.get(fact, data["state"]), "level": "town", "supervision": None, "rating": None}
        data |= {"supervision_agency_id": None, "listing_agency_id": None, "joined_agency_ids": []}
        data |= {"parent_case_id": None, "open_children": 0, "listed": False, "leader_named": False, "reminders": 0}
        if fact != "merged":
            data["merged_into_id"] = None
        if fact in ("reported", "verified", "refused", "registered"):
            data |= {"lead_agency_id": None, "assisting_agency_ids": []}
    if "kind" in data and entity in _KINDS:
        data["kind"] = _KINDS[entity]
    if entity == "shift":
        data["status"] = _STATUS_OF_SHIFT[fact]
        data["started_at"] = MOMENT if fact in ("started", "ended") else None
        data["ended_at"] = MOMENT if fact == "ended" else None
    if entity == "subscription":
        data["reason"] = "gone"
    if entity == "alarm":
        data |= {"owner": cls.service(), "code": "quarantine_open", "count": 2 if fact == "raised" else 0}
    return data


def _value(name: str, field: dict[str, Any], definitions: dict[str, Any]) -> Any:
    """A value for one schema node; the name decides first, then pattern, enum, format and type."""
    field = _resolved(field, definitions)
    if name in _BY_NAME:
        return _BY_NAME[name]
    if "enum" in field:
        return field["enum"][0]
    match field:
        case {"pattern": pattern} if pattern in _BY_PATTERN:
            return _BY_PATTERN[pattern]
        case {"format": "uuid"}:
            return str(_uuid(name))
        case {"format": "date-time"}:
            return MOMENT
        case {"format": "date"}:
            return DAY
        case {"type": "boolean"}:
            return True
        case {"type": "integer" | "number"}:
            return field.get("minimum", 1)
        case {"type": "array", "items": dict(items)}:
            return [_value(name.removesuffix("s"), items, definitions)]
        case {"type": "object", "properties": dict(properties)}:
            return {key: _value(key, value, definitions) for key, value in properties.items()}
    raise TypeError(f"no example known for field {name!r}: {field}; add its pattern to contracts/sample.py")


def _resolved(field: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Follows a reference and takes the first branch of an optional that is not null."""
    if "$ref" in field:
        return _resolved(definitions[field["$ref"].rpartition("/")[2]], definitions)
    for branch in field.get("anyOf", ()):
        if branch.get("type") != "null":
            return _resolved(branch, definitions)
    return field


def _uuid(name: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"pingan/{name}")
