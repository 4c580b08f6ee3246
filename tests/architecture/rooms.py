"""What the house rules are about: the Python files of each room, and what each file imports."""

import ast
import pathlib
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROOMS = ("cli", "simulator", "gateway", "services", "backbone", "contracts", "geo")
WHOLE_HOUSE = (*ROOMS, "infra", "tests", "bench", "scripts")


def python_files(*rooms: str, root: pathlib.Path = ROOT) -> list[pathlib.Path]:
    return sorted(file for room in rooms for file in (root / room).rglob("*.py") if "node_modules" not in file.parts)


def dotted(file: pathlib.Path, root: pathlib.Path = ROOT) -> str:
    """services/grid/domain/areas.py -> services.grid.domain.areas; a package's __init__ is the package."""
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(file: pathlib.Path, root: pathlib.Path = ROOT) -> Iterator[tuple[int, str]]:
    """(line, absolute dotted name) of every import, also inside functions; `from a import b` gives a.b."""
    package = dotted(file, root).split(".")
    if file.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(ast.parse(file.read_text(), str(file))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(package + ".")
