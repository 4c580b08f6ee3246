"""`RetryQuarantined` and `DropQuarantined`: every service answers them for its own quarantine."""

from __future__ import annotations

from backbone import policy, settling
from backbone.database import Session
from backbone.settings import required
from contracts.commands import DropQuarantined, QuarantineEntry, RetryQuarantined
from contracts.refusals import NotAllowed
from contracts.scope import Actor, Role, Sensitivity


def retry(session: Session, actor: Actor, command: RetryQuarantined) -> QuarantineEntry:
    """Back to the consumer's inbox. Raises what `settling.retry` does, NotAllowed, NotVisible."""
    _require_administrator(actor)
    return settling.retry(session, command.entry_id, by=actor.account_id)


def drop(session: Session, actor: Actor, command: DropQuarantined) -> QuarantineEntry:
    """Given up. Raises what `settling.drop` does, NotAllowed, NotVisible."""
    _require_administrator(actor)
    return settling.drop(session, command.entry_id, command.reason, by=actor.account_id)


def _require_administrator(actor: Actor) -> None:
    if not (actor.has(Role.COUNTY_ADMIN) or actor.scope.unrestricted):
        raise NotAllowed(expected=Role.COUNTY_ADMIN)
    county = f"{required('PINGAN_COUNTY_CODE')}/"
    policy.require_visible(actor.scope, area_path=county, sensitivity=Sensitivity.CONFIDENTIAL)
