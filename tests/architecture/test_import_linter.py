"""The .importlinter file itself: it holds on this tree, and a planted violation in a copy breaks it."""

import pathlib
import shutil
import subprocess
import sys

import pytest

from tests.architecture.rooms import ROOMS, ROOT

LINT = pathlib.Path(sys.executable).with_name("lint-imports")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The rooms and their arrows, to plant in."""
    place = tmp_path_factory.mktemp("house")
    unwanted = shutil.ignore_patterns("node_modules", "__pycache__", "console")
    for room in ROOMS:
        shutil.copytree(ROOT / room, place / room, ignore=unwanted)
    shutil.copy(ROOT / ".importlinter", place)
    return place


def lint(place: pathlib.Path) -> "subprocess.CompletedProcess[str]":
    command = [str(LINT), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, env={"PYTHONPATH": str(place)})


@pytest.fixture(scope="module")
def untouched(copy: pathlib.Path) -> str:
    """What the linter says of the tree as it is."""
    return lint(copy).stdout


@pytest.mark.timeout(180)
def test_the_arrows_hold(untouched: str) -> None:
    assert " 0 broken" in untouched, untouched[-3000:]


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("gateway/planted.py", "import services.grid.commands"),
        ("services/hazards/domain/planted.py", "import kombu"),
        ("services/patrol/planted_elsewhere.py", "X = 1"),  # a file without a place in the layers
        ("services/patrol/tables/planted.py", "import services.patrol.commands"),
        ("services/notify/commands/planted.py", "import services.grid.queries"),
        ("backbone/planted.py", "import services.grid.tables"),
        ("simulator/planted.py", "import backbone.outbox"),
    ],
)
def test_a_planted_violation_breaks_them(copy: pathlib.Path, untouched: str, file: str, line: str) -> None:
    planted = copy / file
    module = planted.parent.with_suffix(".py")
    if module.exists():  # the layer is a module yet: plant in it
        before = module.read_text()
        module.write_text(before + f"\n{line}\n")
        try:
            done = lint(copy)
        finally:
            module.write_text(before)
    else:
        planted.write_text(f'"""Planted."""\n\n{line}\n')
        try:
            done = lint(copy)
        finally:
            planted.unlink()
    assert done.returncode == 1, done.stdout[-3000:] + done.stderr[-1000:]
    reasons = {each for each in done.stdout.splitlines() if each.startswith("- ")}
    assert reasons - set(untouched.splitlines()), "broken, but not by what was planted"
