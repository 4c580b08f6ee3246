"""Refusals of `notify`: noun phrases; the docstring is the message, the code never changes."""

from __future__ import annotations

from contracts.refusals import Refusal


class InvalidTarget(Refusal):
    """The webhook address does not have a form we send to."""

    code = "notify.invalid_target"
    status = 422
    zh = "回调地址格式不正确"


class ForbiddenTarget(Refusal):
    """The webhook address points to a place we never send to: a private, local or reserved address."""

    code = "notify.forbidden_target"
    status = 422
    zh = "回调地址指向禁止访问的网络地址"


class ForbiddenPort(Refusal):
    """The webhook address names a port that belongs to other protocols."""

    code = "notify.forbidden_port"
    status = 422
    zh = "回调地址端口不被允许"


class HttpsRequired(Refusal):
    """This platform sends webhooks over https only."""

    code = "notify.https_required"
    status = 422
    zh = "回调地址必须使用 https"


class UnknownEventPattern(Refusal):
    """No event of ours can ever match this type pattern."""

    code = "notify.unknown_event_pattern"
    status = 422
    zh = "没有任何事件与该类型匹配"


class SubscriptionExists(Refusal):
    """This subscription id is in use."""

    code = "notify.subscription_exists"
    status = 409
    zh = "订阅编号已存在"


class TooManySubscriptions(Refusal):
    """Your agency has reached its limit of subscriptions."""

    code = "notify.too_many_subscriptions"
    status = 409
    zh = "本单位订阅数量已达上限"


class IllegalSubscriptionMove(Refusal):
    """This move is not legal from the subscription's state; `legal_moves` says which are."""

    code = "notify.illegal_move"
    status = 409
    zh = "当前订阅状态不允许该操作"


class InvalidCursor(Refusal):
    """The cursor is not one of ours; begin again without it."""

    code = "notify.invalid_cursor"
    status = 400
    zh = "游标无效，请从头开始读取"
