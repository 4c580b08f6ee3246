"""One platform for all tests of the gateway: real database, real broker, real processes."""

from collections.abc import Iterator

import pytest

from tests.integration.gateway.platform import Platform, running


@pytest.fixture(scope="session")
def platform(servers: dict[str, str], template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    with running(servers, template, tmp_path_factory.mktemp("gateway")) as made:
        yield made
