"""The pages speak of what is there: both READMEs keep step, links lead somewhere, commands exist."""

from __future__ import annotations

import pathlib
import re
import subprocess

import click
import pytest

from cli.__main__ import pingan
from tests.architecture.rooms import ROOT

LISTED = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
PAGES = sorted(ROOT / name for name in LISTED.splitlines() if (ROOT / name).exists())
ENGLISH, CHINESE = ((ROOT / name).read_text() for name in ("README.md", "README.zh-CN.md"))


def headings(text: str) -> list[int]:
    return [len(marks) for marks in re.findall(r"^(#+) ", text, re.MULTILINE)]


def commands(text: str) -> list[str]:
    """Every line of the code blocks, without its comment; drawings are none."""
    blocks = re.findall(r"^```\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line.partition("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if re.match(r"(make|scripts/|python|\.venv)", line)]


def test_both_readmes_have_the_same_headings_commands_settings_and_table_rows() -> None:
    assert headings(ENGLISH) == headings(CHINESE)
    assert commands(ENGLISH) == commands(CHINESE)
    for pattern in (r"PINGAN_[A-Z_]+", r"`(make [a-z -]+|scripts/[a-z.]+)`", r"^\| "):
        assert sorted(re.findall(pattern, ENGLISH, re.M)) == sorted(re.findall(pattern, CHINESE, re.M)), pattern


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: pathlib.Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_exist(page: pathlib.Path) -> None:
    text = page.read_text()
    makefile = (ROOT / "Makefile").read_text()
    for targets in re.findall(r"`make ([a-z0-9 -]+)", text) + re.findall(r"^make ([a-z0-9 -]+)", text, re.MULTILINE):
        for target in targets.split():
            assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target}"
    for words in re.findall(r"(?<![\w/])scripts/pingan((?: [a-z]+(?:-[a-z]+)*)+)", text):
        node: click.Command = pingan
        for word in words.split():
            if not isinstance(node, click.Group):
                break  # an argument
            found = node.get_command(click.Context(node), word)
            assert found is not None, f"scripts/pingan{words}"
            node = found
    for script in re.findall(r"(?<![\w/])scripts/[a-z.-]+", text):
        assert (ROOT / script).exists(), script
