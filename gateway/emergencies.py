"""Whom to call now. The platform tells the duty desks at once and replaces no call."""

from __future__ import annotations

from typing import Any

NUMBERS = ("110", "119", "120")
TEXT = "如有人身危险，请立即拨打 110（报警）、119（火警）、120（急救）。本平台不能代替报警电话。"
TEXT_EN = (
    "If anybody is in danger call 110 (police), 119 (fire) or 120 (ambulance) now. This platform replaces no call."
)


def emergency(flagged: Any) -> dict[str, Any] | None:
    """What is shown before a form of such a category and after its report; None for any other category."""
    return {"call": list(NUMBERS), "text": TEXT, "text_en": TEXT_EN} if flagged else None
