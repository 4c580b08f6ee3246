"""For every test: where sockets are forbidden, and the private servers' fixtures (tests/servers.py)."""

import pathlib

import pytest

pytest_plugins = ["tests.servers"]

TESTS = pathlib.Path(__file__).parent
WITHOUT_SOCKETS = ("unit", "architecture", "contracts")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Pure tests may not open a connection (unix socket pairs stay: every event loop needs one)."""
    for item in items:
        if item.path.is_relative_to(TESTS) and item.path.relative_to(TESTS).parts[0] in WITHOUT_SOCKETS:
            item.add_marker(pytest.mark.disable_socket)
