"""A refusal: the one shape of "no" that a service gives and the gateway turns into problem+json.

Subclasses live in `contracts/<service>/errors.py`: a noun phrase, whose docstring is the English
message, `zh` the Chinese one, and whose `code` never changes. Exceptions of this family are answers,
not faults: they roll the command's transaction back and travel to the caller.
"""

from __future__ import annotations

from typing import Any, ClassVar


class Refusal(Exception):
    """The request was refused."""

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 422
    zh: ClassVar[str] = "请求被拒绝"

    def __init__(
        self,
        detail: str | None = None,
        *,
        field: str | None = None,
        expected: str | None = None,
        **extra: Any,
    ) -> None:
        self.detail = detail or (type(self).__doc__ or "").strip().splitlines()[0]
        self.field = field
        self.expected = expected
        self.extra = extra
        super().__init__(self.detail)

    def to_json(self) -> dict[str, Any]:
        """Wire form: code, status, title, detail, field, expected and JSON-able extras."""
        return {
            "code": self.code,
            "status": self.status,
            "title": (type(self).__doc__ or "").strip().splitlines()[0],
            "zh": self.zh,
            "detail": self.detail,
            "field": self.field,
            "expected": self.expected,
            "extra": self.extra,
        }


class NotVisible(Refusal):
    """No such thing, or not visible to you."""

    code = "not_found"
    status = 404
    zh = "不存在或无权查看"


class NotAllowed(Refusal):
    """Your role does not allow this."""

    code = "forbidden"
    status = 403
    zh = "当前角色无权执行此操作"


class StaleVersion(Refusal):
    """The entity has changed since you read it; `current` is its new state."""

    code = "stale_version"
    status = 412
    zh = "数据已被更新，请以最新版本重试"


class IdempotencyKeyReused(Refusal):
    """This idempotency key was used with another request."""

    code = "idempotency_key_reused"
    status = 422
    zh = "该幂等键已用于内容不同的请求"


class MalformedCommand(Refusal):
    """The command does not have the agreed form."""

    code = "malformed_command"
    status = 422
    zh = "指令格式不正确"


class InvalidField(Refusal):
    """A field has a value that cannot be accepted."""

    code = "invalid_field"
    status = 422
    zh = "字段值不合法"


class QuarantineSettled(Refusal):
    """This quarantined message was settled already; `resolution` says how."""

    code = "quarantine_settled"
    status = 409
    zh = "该隔离消息已处理"


class StillUndecodable(Refusal):
    """This message cannot be read as an event by the release that is running; it can only be dropped."""

    code = "still_undecodable"
    status = 422
    zh = "当前版本仍无法解析该消息，只能丢弃"


class ConsumerUnknown(Refusal):
    """This message belongs to no event queue of this release; it can only be dropped."""

    code = "consumer_unknown"
    status = 422
    zh = "该消息不属于当前版本的任何事件队列，只能丢弃"


class NotAnnounceable(Refusal):
    """This consumer keeps every event: current states announced to it would count as news. Send it the events again."""

    code = "not_announceable"
    status = 422
    zh = "该消费者逐条保存事件，不能接收现状通告，请改为重发事件"
