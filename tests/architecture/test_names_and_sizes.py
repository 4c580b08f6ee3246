"""Names say what a module is for, and a file that outgrew one screenful of thought is split."""

import ast
import subprocess

import pytest

from tests.architecture.rooms import ROOMS, ROOT, WHOLE_HOUSE, python_files

NO_NAMES = {"common", "core", "shared", "utils", "util", "helpers", "misc", "base", "lib", "manager"}
MOST_LINES = 450  # about 400 is the habit, this is the wall
NOT_ROOMS = {"infra", "tests", "bench", "scripts", "docs", "requirements"}


def test_no_module_has_a_name_that_says_nothing() -> None:
    named = {file: {file.stem, *file.relative_to(ROOT).parent.parts} for file in python_files(*WHOLE_HOUSE)}
    assert [str(file.relative_to(ROOT)) for file, names in named.items() if names & NO_NAMES] == []


@pytest.mark.parametrize("room", WHOLE_HOUSE)
def test_files_stay_under_the_wall(room: str) -> None:
    lines = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in python_files(room)}
    too_long = {file: count for file, count in lines.items() if count > MOST_LINES}
    assert too_long == {}, "split it: a file becomes a package of the same name"


def test_every_module_says_what_it_is_for() -> None:
    texts = {file: file.read_text() for file in python_files(*ROOMS)}
    silent = [file for file, text in texts.items() if text.strip() and not ast.get_docstring(ast.parse(text))]
    assert [str(file.relative_to(ROOT)) for file in silent] == []


def test_every_folder_with_python_is_a_known_room() -> None:
    """A new room must be written into .importlinter, or its arrows are nobody's."""
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    folders = {line.split("/")[0] for line in listed.splitlines() if "/" in line}
    assert folders - set(ROOMS) - NOT_ROOMS == set()
