"""CloudEvents 1.0 with our extensions: the one envelope of every event.

Wire form: structured JSON (`application/cloudevents+json`). Type `county.<service>.<entity>.<fact>.vN`,
routing key `<service>.<entity>.<fact>`, source `/pingan/<county>/<service>`, subject `<entity>/<uuid>`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, field_serializer

from contracts.areas import AreaPath

EventType = Annotated[
    str, StringConstraints(pattern=r"^county\.[a-z]+\.[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*\.v[1-9][0-9]*$")
]


@dataclass(frozen=True, slots=True)
class Deprecation:
    """That an event version is on its way out: since which day (ISO), and which event type says it instead."""

    since: str
    replaced_by: str | None = None

    def __post_init__(self) -> None:
        date.fromisoformat(self.since)

    def to_json(self) -> dict[str, str]:
        return {"since": self.since} | ({"replacedBy": self.replaced_by} if self.replaced_by else {})


class EventData(BaseModel):
    """Base of every event's data: the entity's public state after the change.

    Frozen; unknown fields are ignored, so that readers survive additions. Subclasses are registered
    in `contracts.registry` and give `type`, `trigger` and, by docstring, meaning; one that readers should
    leave gives `deprecation` too.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")
    type: ClassVar[str]
    trigger: ClassVar[str]
    deprecation: ClassVar[Deprecation | None] = None

    @classmethod
    def service(cls) -> str:
        return cls.type.split(".")[1]

    @classmethod
    def entity(cls) -> str:
        return cls.type.split(".")[2]

    @classmethod
    def routing_key(cls) -> str:
        return ".".join(cls.type.split(".")[1:4])


class Envelope(BaseModel):
    """One event on the wire."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    source: Annotated[str, StringConstraints(pattern=r"^/pingan/[0-9]{6}/[a-z]+$")]
    type: EventType
    subject: Annotated[str, StringConstraints(pattern=r"^[a-z_]+/[0-9a-f-]{36}$")]
    time: AwareDatetime
    datacontenttype: Literal["application/json"] = "application/json"
    areapath: AreaPath
    sensitivity: int = Field(ge=0, le=3)
    entityversion: int = Field(ge=1)
    occurredat: AwareDatetime
    correlationid: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
    causationid: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")] | None = None
    traceparent: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{2}(-[0-9a-f]+){3}$")] | None = None
    boundaryversion: int | None = Field(default=None, ge=0)
    data: dict[str, Any]

    @field_serializer("time", "occurredat")
    def _utc(self, value: datetime) -> str:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")

    @property
    def entity_id(self) -> UUID:
        return UUID(self.subject.partition("/")[2])

    @property
    def entity(self) -> str:
        return self.subject.partition("/")[0]

    @property
    def routing_key(self) -> str:
        return ".".join(self.type.split(".")[1:4])

    def to_bytes(self) -> bytes:
        """UTF-8 JSON, absent extensions left out as CloudEvents asks."""
        return self.model_dump_json(exclude_none=True).encode()

    @classmethod
    def from_bytes(cls, body: bytes) -> Self:
        """Raises pydantic.ValidationError when the body is not one of our envelopes."""
        return cls.model_validate_json(body)
