"""Constrained strings: the only strings an event may carry (codes, never free text)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,47}(\.[a-z0-9_]{1,47}){0,3}$")]
"""A lower-case code from one of our lists: category, agency kind, post kind, move."""

CaseNo = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}-[0-9]{8}-[0-9]{5,}$")]
"""county-yyyymmdd-sequence; for people to read, never a key."""

SystemCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,31}$")]
"""Name of another system in `external_refs`."""

Wkb64 = Annotated[str, StringConstraints(pattern=r"^AQ[A-Za-z0-9+/]+={0,2}$")]
"""A geometry as base64 of little-endian WKB (so it starts `AQ`), WGS84 lon/lat."""

CameraNo = Annotated[str, StringConstraints(pattern=r"^[0-9]{8}[0-9]{2}1[0-9]{2}[0-9]{7}$")]
"""A camera's number by GB/T 28181: centre, trade, type of a front-end device, serial number."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

Lon = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Lat = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
