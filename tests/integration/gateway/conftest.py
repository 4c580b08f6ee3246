"""One platform for all tests of the gateway: real database, real broker, real processes."""

import pathlib
from collections.abc import Iterator

import pytest

from tests.integration.gateway.platform import Platform
from tests.servers import cloned_database, fresh_vhost, settings_for


@pytest.fixture(scope="session")
def platform(servers: dict[str, str], template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    from backbone import topology

    directory = tmp_path_factory.mktemp("gateway")
    files = pathlib.Path(directory) / "files"
    files.mkdir()
    with cloned_database(servers, template) as database, fresh_vhost(servers) as vhost:
        topology.declare(vhost)
        made = Platform(settings_for(database, vhost, files), directory)
        made.settings["TEST_ADMIN_DATABASE_URL"] = database.url("admin")
        try:
            made.make_accounts()
            made.start("relay", "backbone.relay")
            made.start("grid", "backbone.runner services.grid.service")
            made.start("hazards", "backbone.runner services.hazards.service")
            made.start("notify", "backbone.runner services.notify.service")
            made.start("patrol", "backbone.runner services.patrol.service")
            made.start("worker", "backbone.jobs services.grid.jobs")
            made.start("gateway", "gateway")
            made.wait_ready()
            made.import_county()
            yield made
        finally:
            made.stop()
