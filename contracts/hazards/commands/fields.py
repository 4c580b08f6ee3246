"""What several commands of hazards are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, FiniteFloat, StringConstraints

from contracts.codes import Code, Sha256, SystemCode
from contracts.commands import Part

Text = Annotated[str, StringConstraints(min_length=1, max_length=4000, strip_whitespace=True)]
Reason = Annotated[str, StringConstraints(min_length=2, max_length=1000, strip_whitespace=True)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=50, strip_whitespace=True)]
ListingNo = Annotated[str, StringConstraints(min_length=1, max_length=60, strip_whitespace=True)]
"""The number of a listing as its issuer writes it: 挂牌〔2026〕3号."""

AnswerText = Annotated[str, StringConstraints(max_length=1000, strip_whitespace=True)]
AnswerChoices = Annotated[tuple[AnswerText, ...], Field(max_length=50)]
Answers = Annotated[dict[Code, bool | float | AnswerText | AnswerChoices], Field(max_length=50)]
"""Answers to a category's questions, by the question's code."""


class OriginalPosition(Part):
    """The position as it was given, kept beside the WGS84 one."""

    crs: Annotated[str, StringConstraints(pattern=r"^(wgs84|cgcs2000|gcj02|bd09)$")]
    lon: FiniteFloat
    lat: FiniteFloat


class ExternalRef(Part):
    """Another system's id of the same case; (system, id, entity) is unique."""

    system: SystemCode
    id: Annotated[str, StringConstraints(min_length=1, max_length=128)]


class Photo(Part):
    """A picture already stored in `backbone.files`, by hash; its sides in pixels as it is looked at."""

    blob: Sha256
    media_type: Annotated[str, StringConstraints(pattern=r"^image/(jpeg|png|webp)$")]
    size_bytes: int = Field(ge=1)
    width: int | None = Field(default=None, ge=1)
    height: int | None = Field(default=None, ge=1)
