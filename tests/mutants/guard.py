"""One guard of the platform: the line that is it, the line without it, and the tests that must turn red."""

from __future__ import annotations

import pathlib
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Guard:
    """`old` stands exactly once in `file`; with `new` in its place at least one of `tests` (node ids) must fail.

    A test that runs into its time limit counts only where `timeout_is_red` says that hanging is the failure.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    timeout_is_red: bool = False

    def line_is_gone(self, root: pathlib.Path = ROOT) -> str:
        """Why this entry of the list is no longer true; empty when it is."""
        path = root / self.file
        found = path.read_text().count(self.old) if path.is_file() else 0
        if found != 1:
            return f"{self.old.strip()[:60]!r} stands {found} times in {self.file}"
        return "" if self.old != self.new else "nothing is changed"

    def missing_tests(self, root: pathlib.Path = ROOT) -> list[str]:
        """Named tests that are not there."""
        missing = []
        for test in self.tests:
            file, _, function = test.partition("::")
            path, name = root / file, function.partition("[")[0]
            if not path.is_file() or f"def {name}(" not in path.read_text():
                missing.append(test)
        return missing

    def apply(self, root: pathlib.Path) -> None:
        """Take the guard out of the tree at `root`."""
        path = root / self.file
        path.write_text(path.read_text().replace(self.old, self.new, 1))
