"""A copy of the tree to spoil: the tree itself, which others may be editing, is never touched."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from xml.etree import ElementTree

from infra.local import place
from tests.mutants.guard import ROOT, Guard

HARNESS_S = 400.0
TEST_S = 150  # a busy machine must not make a guard look seen: a time limit is no verdict
# What a mutation that is itself broken looks like, in the test or in a process that the test started.
_BROKEN = re.compile(r"\b(SyntaxError|IndentationError|ImportError|ModuleNotFoundError|NameError|UnboundLocalError)\b")
# A guard in what the template database is made of needs a template of its own, any other shares one.
_MIGRATED = re.compile(r"/migrations/|/tables\.py$|^backbone/(tables|areas_projection|migrations)\.py$|^infra/postgis/")
_TIMEOUT = re.compile(r"Timeout \(?>[0-9.]+s")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`word` is killed, SURVIVED, broken or timeout; `detail` says what was seen."""

    word: str
    seconds: float
    detail: str = ""


class Scratch:
    """One copy of every file that git knows or would take, and the tests run in it."""

    def __init__(self, where: pathlib.Path, settings: dict[str, str]) -> None:
        self.where = where
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PINGAN_")}
        self._environment = kept | settings | {"CI": "1"}

    def make(self) -> None:
        """Copy the tree as it is now."""
        shutil.rmtree(self.where, ignore_errors=True)
        listed = subprocess.run(
            ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True
        )
        for name in filter(None, listed.stdout.decode().split("\0")):
            source, target = ROOT / name, self.where / name
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
        # Some tests ask git which files there are.
        quiet = {"cwd": self.where, "check": True, "capture_output": True}
        subprocess.run(["git", "init", "-q"], **quiet)  # type: ignore[call-overload]
        subprocess.run(["git", "add", "-A"], **quiet)  # type: ignore[call-overload]

    def remove(self) -> None:
        shutil.rmtree(self.where, ignore_errors=True)
        if place.IS_ROOT:  # what tests in it have kept under the name of that checkout
            shutil.rmtree(place.ROOT_STATE / hashlib.sha256(str(self.where).encode()).hexdigest()[:10], True)

    def green(self, tests: Sequence[str], workers: int) -> tuple[bool, str]:
        """Whether these tests pass as the tree is, none of them skipped; and the end of what pytest said."""
        spread = ["-n", str(workers), "--dist", "loadfile"] if workers > 1 else []
        ended = self._pytest([*spread, *tests], HARNESS_S * len(tests))
        said = "" if ended is None else ended.stdout[-4000:]
        return ended is not None and ended.returncode == 0 and " skipped" not in said.splitlines()[-1], said

    def template(self) -> str:
        """The name of the template database of the tree as it is."""
        asks = "from tests.servers import template_name; print(template_name())"
        command = [sys.executable, "-B", "-c", asks]
        said = subprocess.run(
            command, cwd=self.where, env=self._environment, capture_output=True, text=True, check=True
        )
        return said.stdout.strip()

    def judge(self, guard: Guard, template: str) -> Verdict:
        """Run the guard's tests without it; `template` is the database that the tree as it is was migrated to."""
        began = time.monotonic()
        report = self.where / "mutants-report.xml"
        report.unlink(missing_ok=True)
        with self._without(guard):
            named = {} if _MIGRATED.search(guard.file) else {"PINGAN_TEST_TEMPLATE": template}
            ended = self._pytest(["-x", f"--junitxml={report}", *guard.tests], HARNESS_S, named)
        seconds = time.monotonic() - began
        if ended is None:
            return Verdict("killed" if guard.timeout_is_red else "timeout", seconds, "the harness gave up")
        if ended.returncode == 0:
            return Verdict("SURVIVED", seconds, "every named test passed")
        if ended.returncode != 1 or not report.exists():
            return Verdict("broken", seconds, ended.stdout[-1500:])
        return _read(report, guard, seconds)

    @contextlib.contextmanager
    def _without(self, guard: Guard) -> Iterator[None]:
        path = self.where / guard.file
        before, times = path.read_bytes(), path.stat()
        guard.apply(self.where)
        try:
            yield
        finally:
            path.write_bytes(before)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))

    def _pytest(
        self, arguments: list[str], patience_s: float, more: Mapping[str, str] = MappingProxyType({})
    ) -> subprocess.CompletedProcess[str] | None:
        command = [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--timeout={TEST_S}"]
        try:
            return subprocess.run(
                [*command, *arguments],
                cwd=self.where,
                env={**self._environment, "PYTHONDONTWRITEBYTECODE": "1", **more},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=patience_s,
            )
        except subprocess.TimeoutExpired:
            return None


def _read(report: pathlib.Path, guard: Guard, seconds: float) -> Verdict:
    failures = [(case.get("name", ""), node) for case in ElementTree.parse(report).iter("testcase") for node in case]
    red = [(name, node) for name, node in failures if node.tag == "failure"]
    if not red:
        errors = [f"{name}: {node.get('message')}" for name, node in failures if node.tag == "error"]
        return Verdict("broken", seconds, "\n".join(errors)[:1500] or "no test failed, yet pytest did")
    name, node = red[0]
    whole = f"{node.get('message')}\n{node.text}"
    # Captured output follows the traceback: a process that could not even start is a broken mutation.
    captured = "\n".join(out.text or "" for out in ElementTree.parse(report).iter("system-out"))
    found = _BROKEN.search(whole) or _BROKEN.search(captured)
    if found:
        return Verdict("broken", seconds, f"{name}: {found.group(0)}\n{whole[-1200:]}")
    if _TIMEOUT.search(whole) and not guard.timeout_is_red:
        return Verdict("timeout", seconds, f"{name} ran into its time limit")
    return Verdict("killed", seconds, name)
