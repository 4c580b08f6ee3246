"""The chain of digests through a case's history: whoever holds a later digest can tell that nothing earlier changed.

A row has a salted digest for each field that is not empty, and one for the whole, over those and the row before:

    field digest = SHA-256(salt || JCS([name, value]))
    row digest   = SHA-256(JCS({"algorithm", "case_id", "seq", "previous", "fields": {name: field digest}}))
    previous     = the row digest of seq - 1
                   of a chain's first row SHA-256(JCS(["pingan.case-history", 1, case_id, seq]))

JCS is RFC 8785; values are those of the API's JSON (times in UTC with six digits and Z, ids in lower case); salts are
16 random bytes; bytes are written in hexadecimal. A field and its salt can be erased, as law may ask: the digest stays,
says nothing of what was there, and the chain holds.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import rfc8785

from backbone.database import from_json, to_json

ALGORITHM = 1
FIELDS = (
    "at",
    "account_id",
    "agency_id",
    "roles",
    "move",
    "from_state",
    "to_state",
    "reason",
    "note",
    "before",
    "after",
)
ERASABLE = ("reason", "note", "before", "after")
"""What people wrote, and what they answered; who did what and when is never erased."""

_SALT = 16
_EXACT = 2**53
_SEALS = ("algorithm", "previous", "digest", "digests", "salts")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a history: at which row and in which field; None: with all of it."""

    what: str
    seq: int | None = None
    field: str | None = None

    def __str__(self) -> str:
        place = "" if self.seq is None else f"seq {self.seq}" + (f", {self.field}" if self.field else "") + ": "
        return place + self.what


def genesis(case_id: UUID | str, seq: int) -> str:
    """What the first chained row of a case follows: seq 1, or the first row written since histories are chained."""
    return _sha256(rfc8785.dumps(["pingan.case-history", ALGORITHM, str(case_id), seq]))


def seal(row: Mapping[str, Any], previous: str) -> dict[str, Any]:
    """The columns that make a history row a link of its case's chain."""
    values = {name: _json(row[name]) for name in FIELDS}
    present = {name: value for name, value in values.items() if value is not None}
    random = os.urandom(_SALT * len(present))
    salts = {name: random[n * _SALT : (n + 1) * _SALT] for n, name in enumerate(present)}
    digests = {name: _field_digest(salts[name], name, value) for name, value in present.items()}
    return {
        "algorithm": ALGORITHM,
        "previous": previous,
        "digest": _row_digest(ALGORITHM, str(row["case_id"]), row["seq"], previous, digests),
        "digests": digests,
        "salts": {name: salt.hex() for name, salt in salts.items()},
    }


def faults(history: Mapping[str, Any]) -> list[Fault]:
    """Everything that is wrong with an exported history (`queries.history_export`); none when nothing was edited.

    A field that was withheld or erased has a digest and neither value nor salt: of an erasure `erasures` tells.
    """
    found: list[Fault] = []
    rows: Sequence[Mapping[str, Any]] = history["rows"]
    case_id, begin, head = str(history["case_id"]), history["chained_from"], None
    for place, row in enumerate(rows, 1):
        seq = row["seq"]
        if seq != place:
            found.append(Fault(f"a row is missing, came twice or is out of place: {place} should stand here", seq))
            return found
        if begin is None or seq < begin:
            if any(row[name] is not None for name in _SEALS):
                found.append(Fault("it stands before the chain's beginning and has a digest", seq))
            continue
        if row["algorithm"] != ALGORITHM:
            found.append(Fault("it is no link of the chain: its digest is missing or of an unknown kind", seq))
            return found
        previous = head if head is not None else genesis(case_id, seq)
        try:
            found += _faults_of(case_id, row, previous, history["erasures"])
        except (KeyError, TypeError, AttributeError, rfc8785.CanonicalizationError):
            found.append(Fault("it has no form that a row could have", seq))
        head = row["digest"]
    if len(rows) != history["version"]:
        found.append(Fault(f"the history ends at {len(rows)} and the case is at version {history['version']}"))
    if head != history["head"]:
        found.append(Fault("the head that the case names is not the last row's digest"))
    if rows and rows[-1]["to_state"] != history["state"]:
        found.append(Fault(f"the case is '{history['state']}', its history ends in '{rows[-1]['to_state']}'"))
    return found


def _faults_of(
    case_id: str, row: Mapping[str, Any], previous: str, erasures: Sequence[Mapping[str, Any]]
) -> list[Fault]:
    found, seq = [], row["seq"]
    digests, salts = row["digests"], row["salts"]
    erased = {each["field"] for each in erasures if each["seq"] == seq}
    if row["previous"] != previous:
        found.append(Fault("it does not follow the row before", seq))
    if row["digest"] != _row_digest(row["algorithm"], case_id, seq, row["previous"], digests):
        found.append(Fault("its digest is not that of what it says", seq))
    if {*digests, *salts} - set(FIELDS):
        found.append(Fault("it has digests of what a row does not hold", seq))
    for name in FIELDS:
        value, digest, salt = row[name], digests.get(name), salts.get(name)
        if name in erased and (value is not None or salt is not None):
            found.append(Fault("it is there, although its erasure is on record", seq, name))
        if digest is None:
            if value is not None or salt is not None:
                found.append(Fault("it was empty when it was written", seq, name))
        elif value is None and salt is None:
            if name not in ERASABLE or name not in erased:
                found.append(Fault("it is gone, and no erasure is on record", seq, name))
        elif value is None or salt is None or digest != _field_digest(_bytes(salt), name, _json(value)):
            found.append(Fault("it is not what was written", seq, name))
    return found


def _field_digest(salt: bytes, name: str, value: Any) -> str:
    return _sha256(salt + canonical([name, value]))


def _row_digest(algorithm: int, case_id: str, seq: int, previous: str, digests: Mapping[str, str]) -> str:
    link: dict[str, Any] = {
        "algorithm": algorithm,
        "case_id": case_id,
        "seq": seq,
        "previous": previous,
        "fields": dict(digests),
    }
    return _sha256(canonical(link))


def canonical(value: Any) -> bytes:
    """RFC 8785. What has neither fractions nor odd names orjson writes in that very form, and ten times as fast."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS) if _is_plain(value) else rfc8785.dumps(value)


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(name.isascii() and _is_plain(each) for name, each in value.items())
    return value is None or isinstance(value, str | bool) or (isinstance(value, int) and abs(value) < _EXACT)


def _json(value: Any) -> Any:
    """A column's value as the API's JSON has it, with numbers as RFC 8785 knows them: IEEE doubles."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
    if isinstance(value, UUID):
        return str(value)
    return _doubles(from_json(to_json(value)))


def _doubles(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _doubles(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_doubles(each) for each in value]
    # PostgreSQL writes 1e22 out in full, and has no negative zero.
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _EXACT:
        return float(value)
    return value + 0.0 if isinstance(value, float) else value


def _bytes(salt: str) -> bytes:
    try:
        return bytes.fromhex(salt)
    except (TypeError, ValueError):
        return b""


def _sha256(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()
