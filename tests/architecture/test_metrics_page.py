"""docs/metrics.md names every metric and every health check there is, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

from backbone.settings import SCHEMAS
from gateway.health import Watch
from infra.local.processes import PLATFORM
from tests.architecture.rooms import ROOMS, ROOT, dotted, python_files

KINDS = ("Counter", "Gauge", "Histogram", "Summary")
PAGE = (ROOT / "docs" / "metrics.md").read_text()


def rows(title: str) -> list[list[str]]:
    """The cells of the table under a title, without its two head lines."""
    section = PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def called(node: ast.AST, *names: str) -> bool:
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in names


def metrics() -> Iterator[tuple[str, str, list[str]]]:
    """(name, kind, labels) of every metric that the rooms make."""
    for file in python_files(*ROOMS):
        for node in ast.walk(ast.parse(file.read_text())):
            if called(node, *KINDS) and isinstance(node, ast.Call) and len(node.args) > 1:
                name = node.args[0]
                if isinstance(name, ast.Constant) and str(name.value).startswith("pingan_"):
                    kind = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
                    labels = ast.literal_eval(node.args[2]) if len(node.args) > 2 else []
                    yield str(name.value), str(kind).lower(), list(labels)


def checks() -> dict[str, set[str]]:
    """Names in the dict given to serve_health, by module; the gateway's are made when it starts."""
    found: dict[str, set[str]] = {}
    for file in python_files(*ROOMS):
        tree = ast.parse(file.read_text())
        given = [node.args[1] for node in ast.walk(tree) if isinstance(node, ast.Call) and called(node, "serve_health")]
        for argument in given:
            if isinstance(argument, ast.Name):
                argument = next(_assigned(tree, argument.id))
            if isinstance(argument, ast.Dict):
                found[dotted(file)] = {str(key.value) for key in argument.keys if isinstance(key, ast.Constant)}
    found["gateway"] = set(Watch(dict.fromkeys(SCHEMAS), lambda: True).states())  # type: ignore[arg-type]
    return found


def _assigned(tree: ast.AST, name: str) -> Iterator[Any]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and [getattr(target, "id", "") for target in node.targets] == [name]:
            yield node.value


def test_every_metric_is_on_the_page_with_its_kind_and_labels() -> None:
    written = sorted((quoted(row[0])[0], row[1], quoted(row[2])) for row in rows("Metrics"))
    assert written == sorted(metrics())
    assert len(written) > 30


def test_every_process_is_on_the_page_with_its_checks() -> None:
    written: dict[str, set[str]] = {}
    processes: list[str] = []
    for row in rows("Health checks"):
        processes = quoted(row[0]) or processes
        for process in processes:
            written.setdefault(process, set()).update(quoted(row[1]))
    served = checks()
    modules = {process.name: process.module.split()[0] for process in PLATFORM}
    assert written == {name: served.get(module) or served[f"{module}.__main__"] for name, module in modules.items()}
