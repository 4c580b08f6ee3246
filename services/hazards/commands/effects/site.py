"""Where and when a check or a visit was made, as it was given and measured."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from contracts.hazards.errors import ImplausibleDeviceTime, MissingMoveField
from geo.measure import distance_m
from services.hazards.commands.effects.parts import Moving
from services.hazards.commands.reporting import point
from services.hazards.domain.on_site import is_plausible

_PLACE = ("lon", "lat", "original")
NOWHERE: dict[str, Any] = dict.fromkeys(
    ("geom", "original_crs", "original_lon", "original_lat", "accuracy_m", "distance_m")
)


def site(moving: Moving, since: datetime | None) -> dict[str, Any]:
    """The columns that checks and visits have in common; no position is None throughout.

    since: what the device's time must not lie before. Raises MissingMoveField, ImplausibleDeviceTime.
    """
    command = moving.command
    device_at = command.device_at
    if device_at is not None and not is_plausible(device_at, since or moving.row["reported_at"], moving.now):
        raise ImplausibleDeviceTime(
            field="device_at", expected=f"between {since or moving.row['reported_at']} and {moving.now}"
        )
    return {
        **_position(moving),
        "device_at": device_at,
        "photo_blob": command.photo.blob if command.photo else None,
        "files": list(command.files),
    }


def _position(moving: Moving) -> dict[str, Any]:
    command, row = moving.command, moving.row
    lon, lat, original = command.lon, command.lat, command.original
    if lon is None or lat is None or original is None:
        if lon is not None or lat is not None or original is not None or command.accuracy_m is not None:
            missing = next(name for name in _PLACE if getattr(command, name) is None)
            raise MissingMoveField("A position is whole or absent.", field=missing, expected="lon, lat and crs")
        return NOWHERE
    return {
        "geom": point(lon, lat),
        "original_crs": original.crs,
        "original_lon": original.lon,
        "original_lat": original.lat,
        "accuracy_m": command.accuracy_m,
        "distance_m": round(distance_m(row["lon"], row["lat"], lon, lat), 1),
    }


def has_evidence(moving: Moving) -> bool:
    """Whether a note, a picture or a file came with the move."""
    command = moving.command
    return bool(command.note or command.photo or command.files)
