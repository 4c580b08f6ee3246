"""A database with a small county on duty."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from backbone.database import engine
from tests.integration.patrol.duty import Duty
from tests.servers import Database


@pytest.fixture
def patrol(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """An engine of role patrol_app."""
    monkeypatch.setenv("PINGAN_COUNTY_CODE", "330499")
    bind = engine(database.url("patrol_app"))
    yield bind
    bind.dispose()


@pytest.fixture
def duty(patrol: Engine) -> Duty:
    return Duty(patrol)
