"""Refusals of `grid`: noun phrases; the docstring is the message, the code never changes."""

from __future__ import annotations

from contracts.refusals import Refusal


