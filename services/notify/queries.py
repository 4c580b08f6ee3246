"""notify's read side, run by the gateway: the journal's pages, subscriptions, deliveries.

Reading on: `head` first, then `journal_page` up to `page_end(after, head)`; the next page begins after the last
row of a full page, or else at that end, so that a filter that matches little never reads the same rows twice:

    upto = page_end(after, head);  rows = journal_page(scope, after=after, upto=upto, limit=limit, ...)
    next = encode_cursor(rows[-1].cursor_1 if len(rows) == limit else upto)
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    FromClause,
    Integer,
    Select,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy import Uuid as UuidType
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from backbone import quarantined
from backbone.answers import body_column, json_object, utc
from backbone.policy import Visibility, parameters, predicate, shape
from backbone.quarantine import OPEN, Filter
from backbone.statements import Query, query
from contracts.areas import path_end
from contracts.scope import Scope
from services.notify.domain.cursors import decode_cursor, encode_cursor
from services.notify.domain.patterns import asks_for, matches
from services.notify.domain.subscription import Status
from services.notify.tables import deliveries, journal, journal_head, subscriptions

__all__ = [
    "PAGE_WINDOW",
    "asks_for",
    "decode_cursor",
    "encode_cursor",
    "head",
    "journal_page",
    "matches",
    "page_end",
    "quarantine_entry",
    "quarantine_page",
    "subscription",
    "subscription_deliveries",
    "subscriptions_of_agency",
]

PAGE_WINDOW = 20_000
"""How far in the journal one page looks: bounds the work of a filter that matches nothing."""

_NOW = journal.alias("now")
_OWN = Visibility(area_path=literal(""), agencies=array([subscriptions.c.agency_id]))


def page_end(after: int, head: int) -> int:
    """Up to where one page after `after` may look, when the journal ends at `head`."""
    return min(max(head, after), after + PAGE_WINDOW)


@query
def head(scope: Scope) -> Query:
    """The journal's last committed seq, column `seq`: a number that says nothing of any event."""
    return Query(("notify.head",), lambda: select(journal_head.c.seq), {})


@query
def journal_page(
    scope: Scope,
    *,
    after: int = 0,
    upto: int = 2**63 - 1,
    limit: int = 100,
    types: tuple[str, ...] | None = None,
    area: str | None = None,
    categories: tuple[str, ...] | None = None,
) -> Query:
    """Events in the one order: columns body (the CloudEvents JSON as it came), cursor_1 (seq), type, event_id.

    And what the visibility rule and a filter speak of (routing_key, area_path, category, sensitivity, agencies; the
    same of the entity as it is now: now_area_path ..., with entity_id, now_version and now_seq), so that one reader
    in the gateway can serve every open stream. An event is shown while it is visible both as it was told and as
    its entity is now: of a case that became more sensitive, or moved out of sight, nothing.
    """
    values: dict[str, Any] = {"after": after, "upto": upto, "limit": limit, **parameters(scope)}
    if types is not None:
        values["types"] = list(types)
    if area is not None:
        values |= {"area": area, "area_end": path_end(area)}
    if categories is not None:
        values["categories"] = list(categories)
    key = ("notify.journal_page", shape(scope), types is None, area is None, categories is None)

    def build() -> Select[Any]:
        latest = _latest()
        statement = (
            select(
                *(journal.c.body, journal.c.seq.label("cursor_1"), journal.c.type, journal.c.event_id),
                *(journal.c.routing_key, journal.c.area_path, journal.c.category),
                *(journal.c.sensitivity, journal.c.agencies, journal.c.entity_id),
                *(column.label(f"now_{column.name}") for column in latest.c),
            )
            .join_from(journal, latest, true())
            .where(
                journal.c.seq > cast(bindparam("after"), BigInteger),
                journal.c.seq <= cast(bindparam("upto"), BigInteger),
                predicate(scope, _visibility(journal.c)),
                predicate(scope, _visibility(latest.c)),
            )
            .order_by(journal.c.seq)
            .limit(cast(bindparam("limit"), Integer))
        )
        if types is not None:
            statement = statement.where(type_matches(journal.c.routing_key, bindparam("types")))
        if area is not None:
            statement = statement.where(
                journal.c.area_path >= cast(bindparam("area"), Text),
                journal.c.area_path < cast(bindparam("area_end"), Text),
            )
        if categories is not None:
            statement = statement.where(category_asked_for(journal.c.category, bindparam("categories")))
        return statement

    return Query(key, build, values)


def _visibility(columns: ReadOnlyColumnCollection[str, Any]) -> Visibility:
    return Visibility(columns.area_path, columns.category, columns.sensitivity, columns.agencies)


def _latest() -> FromClause:
    """What the journal knows of an event's entity by now."""
    version, seq = _NOW.c.entity_version.label("version"), _NOW.c.seq
    return (
        select(version, seq, _NOW.c.area_path, _NOW.c.category, _NOW.c.sensitivity, _NOW.c.agencies)
        .where(_NOW.c.entity_id == journal.c.entity_id)
        .order_by(_NOW.c.entity_version.desc(), _NOW.c.seq.desc())
        .limit(literal_column("1"))
        .lateral("latest")
    )


def type_matches(routing_key: ColumnElement[str], patterns: ColumnElement[Any]) -> ColumnElement[bool]:
    """The SQL form of `domain.patterns.matches` for any of `patterns` (text[]); a property test holds them equal."""
    pattern = func.unnest(cast(patterns, ARRAY(Text))).column_valued("pattern")
    one = or_(
        pattern == "*",
        pattern == routing_key,
        (func.right(pattern, 2) == ".*") & func.starts_with(routing_key, func.left(pattern, -1)),
    )
    return select(literal(1)).where(one).exists()


def category_asked_for(category: ColumnElement[str], categories: ColumnElement[Any]) -> ColumnElement[bool]:
    """The SQL form of `domain.patterns.asks_for` for categories (text[]); a property test holds them equal."""
    wanted = func.unnest(cast(categories, ARRAY(Text))).column_valued("wanted")
    one = or_(category == wanted, func.starts_with(category, wanted.op("||")(literal_column("'.'"))))
    return select(literal(1)).where(one).exists()


@query
def subscriptions_of_agency(scope: Scope, *, after: tuple[UUID] | None = None, limit: int = 100) -> Query:
    """The agency's own subscriptions, whoever made them; columns body, cursor_1 (subscription id)."""
    values: dict[str, Any] = {"limit": limit, **parameters(_own(scope))}
    if after is not None:
        values["after"] = after[0]

    def build() -> Select[Any]:
        statement = _subscriptions(scope).order_by(subscriptions.c.subscription_id)
        if after is not None:
            statement = statement.where(subscriptions.c.subscription_id > cast(bindparam("after"), UuidType))
        return statement.limit(cast(bindparam("limit"), Integer))

    return Query(("notify.subscriptions", shape(_own(scope)), after is None), build, values)


@query
def subscription(scope: Scope, *, subscription_id: UUID) -> Query:
    """One of the agency's own subscriptions; column body, no row where it is not there or not yours."""

    def build() -> Select[Any]:
        wanted = subscriptions.c.subscription_id == cast(bindparam("subscription_id"), UuidType)
        return _subscriptions(scope).where(wanted)

    values = {"subscription_id": subscription_id, **parameters(_own(scope))}
    return Query(("notify.subscription", shape(_own(scope))), build, values)


@query
def subscription_deliveries(
    scope: Scope, *, subscription_id: UUID, after: tuple[int] | None = None, limit: int = 100, state: str | None = None
) -> Query:
    """What became of each event for one own subscription, newest first; columns body, cursor_1 (seq)."""
    values: dict[str, Any] = {"subscription_id": subscription_id, "limit": limit, **parameters(_own(scope))}
    if after is not None:
        values["after"] = after[0]
    if state is not None:
        values["state"] = state

    def build() -> Select[Any]:
        d = deliveries.c
        body = json_object(
            event_id=d.event_id,
            type=journal.c.type,
            state=d.state,
            attempts=d.attempts,
            status=d.last_status,
            latency_ms=d.last_latency_ms,
            error=d.last_error,
            next_attempt_at=utc(case((d.state == "pending", d.next_attempt_at))),
            created_at=utc(d.created_at),
            finished_at=utc(d.finished_at),
        )
        statement = (
            select(body_column(body), d.seq.label("cursor_1"))
            .join(subscriptions, subscriptions.c.subscription_id == d.subscription_id)
            .outerjoin(journal, journal.c.seq == d.seq)  # the log may outlive the event
            .where(
                d.subscription_id == cast(bindparam("subscription_id"), UuidType),
                predicate(_own(scope), _OWN),
            )
            .order_by(d.seq.desc())
            .limit(cast(bindparam("limit"), Integer))
        )
        if after is not None:
            statement = statement.where(d.seq < cast(bindparam("after"), BigInteger))
        if state is not None:
            statement = statement.where(d.state == cast(bindparam("state"), Text))
        return statement

    key = ("notify.deliveries", shape(_own(scope)), after is None, state is None)
    return Query(key, build, values)


@query
def quarantine_page(
    scope: Scope, county: str, *, which: Filter = OPEN, after: UUID | None = None, limit: int = 100
) -> Query:
    """What lies in quarantine, for administrators: see `backbone.quarantined.page`."""
    return quarantined.page("notify", scope, county, which, after=after, limit=limit)


@query
def quarantine_entry(scope: Scope, county: str, entry_id: UUID) -> Query:
    """One entry of it: see `backbone.quarantined.entry`."""
    return quarantined.entry("notify", scope, county, entry_id=entry_id)


def _own(scope: Scope) -> Scope:
    """What my agency takes part in and nothing by area: a county's operator does not read others' addresses."""
    return scope if scope.unrestricted else replace(scope, areas=())


def _subscriptions(scope: Scope) -> Select[Any]:
    s = subscriptions.c
    body = json_object(
        subscription_id=s.subscription_id,
        agency_id=s.agency_id,
        url=s.url,
        types=s.types,
        area_path=s.area_path,
        categories=s.categories,
        status=s.status,
        disabled_reason=s.disabled_reason,
        failures=s.failures,
        not_before=utc(s.not_before),
        last_success_at=utc(s.last_success_at),
        created_at=utc(s.created_at),
        version=s.version,
    )
    return select(body_column(body), s.subscription_id.label("cursor_1")).where(
        s.status != literal(Status.DELETED.value), predicate(_own(scope), _OWN)
    )
