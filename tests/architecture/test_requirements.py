"""What the running platform imports is named in requirements/runtime.in: development's packages are not there."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("contracts", "backbone", "geo", "services", "gateway", "cli", "simulator", "infra")
OURS = {*ROOMS, "tests", "bench"}


def _named() -> set[str]:
    lines = (ROOT / "requirements" / "runtime.in").read_text().splitlines()
    return {_plain(re.split(r"[<>=\[; ]", line)[0]) for line in lines if line and not line.startswith(("#", "-"))}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _imported() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path in (path for room in ROOMS for path in (ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            else:
                continue
            for name in names:
                found.setdefault(name.partition(".")[0], set()).add(str(path.relative_to(ROOT)))
    return {name: files for name, files in found.items() if name not in sys.stdlib_module_names and name not in OURS}


def test_every_package_the_platform_imports_is_named_in_its_requirements() -> None:
    distributions, named = packages_distributions(), _named()
    missing = {
        module: sorted(files)[:3]
        for module, files in _imported().items()
        if named.isdisjoint(_plain(name) for name in distributions.get(module, ()))
    }
    assert not missing, f"name these in requirements/runtime.in and run `make requirements`: {missing}"
    assert len(_imported()) > 20
