"""Who may import what, read from the syntax tree, so that imports inside functions count too."""

import fnmatch
import pathlib
import sys

import pytest

from tests.architecture.rooms import ROOMS, ROOT, dotted, imports, is_within, python_files

# Third-party package -> the only modules that may import it (fnmatch on the dotted name).
ONLY_IN = {
    "nameko": ["backbone.entrypoints*", "backbone.runner", "services.*.service", "tests.*"],
    "eventlet": ["backbone.entrypoints*", "backbone.runner", "services.*.service", "tests.*"],
    "kombu": ["backbone.*", "tests.*"],
    "amqp": ["backbone.*", "tests.*"],
    "aio_pika": ["backbone.*", "tests.*"],
    "aiormq": ["backbone.*", "tests.*"],
    "fastapi": ["gateway", "gateway.*", "tests.*"],
    "starlette": ["gateway", "gateway.*", "tests.*"],
    "aiohttp": ["services.notify.sender*", "tests.*"],
    "httpx": ["gateway.auth*", "services.notify.channels*", "simulator.*", "tests.*"],
}
# Beside these, the service's own contracts (adr 0001): one Refusal family, one State enum, not copies of them.
DOMAIN_MAY = ("geo", "contracts.areas", "contracts.refusals")


def misplaced_externals(root: pathlib.Path = ROOT) -> list[str]:
    found = []
    for file in python_files(*ROOMS, root=root):
        for line, name in imports(file, root):
            allowed = ONLY_IN.get(name.split(".")[0])
            if allowed and not any(fnmatch.fnmatch(dotted(file, root), pattern) for pattern in allowed):
                found.append(f"{file.relative_to(root)}:{line} imports {name}")
    return found


def strangers_in_domains(root: pathlib.Path = ROOT) -> list[str]:
    found = []
    for file in python_files("services", root=root):
        service, _, place = dotted(file, root).removeprefix("services.").partition(".")
        if not is_within(place, "domain"):
            continue
        for line, name in imports(file, root):
            homes = (f"services.{service}.domain", f"contracts.{service}", *DOMAIN_MAY)
            at_home = any(is_within(name, home) for home in homes)
            if not at_home and name.split(".")[0] not in sys.stdlib_module_names:
                found.append(f"{file.relative_to(root)}:{line} imports {name}")
    return found


def beyond_queries(root: pathlib.Path = ROOT) -> list[str]:
    """Imports of a service by the gateway that are not its queries."""
    return [
        f"{file.relative_to(root)}:{line} imports {name}"
        for file in python_files("gateway", root=root)
        for line, name in imports(file, root)
        if is_within(name, "services") and name.split(".")[2:3] != ["queries"]
    ]


def test_external_packages_stay_where_they_belong() -> None:
    assert misplaced_externals() == []


def test_domains_import_the_standard_library_geo_areas_refusals_and_their_own_contracts_only() -> None:
    assert strangers_in_domains() == []


def test_the_gateway_imports_only_queries_of_a_service() -> None:
    assert beyond_queries() == []


@pytest.mark.parametrize(
    ("file", "line", "check"),
    [
        ("gateway/planted.py", "from services.grid import commands", beyond_queries),
        ("gateway/planted.py", "def f():\n    import services.grid.commands", beyond_queries),
        ("services/hazards/domain/planted.py", "import kombu", strangers_in_domains),
        ("services/hazards/domain/planted.py", "from contracts import envelope", strangers_in_domains),
        ("services/hazards/domain/planted.py", "from ..tables import cases", strangers_in_domains),
        ("services/hazards/planted.py", "import kombu", misplaced_externals),
        ("services/notify/planted.py", "from fastapi import FastAPI", misplaced_externals),
    ],
)
def test_a_planted_violation_is_seen(tmp_path: pathlib.Path, file: str, line: str, check) -> None:  # type: ignore[no-untyped-def]
    planted = tmp_path / file
    planted.parent.mkdir(parents=True)
    planted.write_text(f'"""Planted."""\n\n{line}\n')
    assert len(check(tmp_path)) == 1
