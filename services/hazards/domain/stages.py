"""How far a case is, as whoever reported it is told: fewer words than there are states, and no reasons."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

STAGES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "received": ("已收到", "Received"),
        "verified": ("已核实", "Verified"),
        "registered": ("已立案", "Registered"),
        "dispatched": ("已交办", "Given to an agency"),
        "handling": ("办理中", "Being handled"),
        "checking": ("核查中", "Being checked"),
        "closed": ("已办结", "Closed"),
        "refused": ("不予受理", "Not taken up"),
        "suspended": ("暂缓办理", "Suspended"),
        "merged": ("已并案办理", "Handled with another report"),
        "ended": ("已终止", "Ended"),
    }
)
"""Stage -> (Chinese, English)."""

STAGE_OF: Mapping[str, str] = MappingProxyType(
    {
        "reported": "received",
        "verified": "verified",
        "refused": "refused",
        "registered": "registered",
        "dispatched": "dispatched",
        "accepted": "handling",
        "handling": "handling",
        "handled": "checking",
        "checked": "checking",
        "closed": "closed",
        "voided": "ended",
        "suspended": "suspended",
        "merged": "merged",
    }
)
"""Exact state of a case -> stage."""
