"""Judges one PDF, as a program of its own: `python -I paper_judge.py < file` says `pages 3`, `encrypted`, `active` or
`broken why`, and ends.

A document of 20 MiB can keep its reader busy for minutes and unpack to gigabytes: here that ends this program, by
limits that the system keeps, and nothing else. So it imports nothing of ours.
"""

from __future__ import annotations

import io
import re
import resource
import sys
from collections.abc import Iterator
from typing import Any

CPU_S, MEMORY = 10, 512 * 1024**2
MOST_PAGES = 300
MOST_OBJECTS = 20_000
_ACTING_KEYS = frozenset({"/JS", "/JavaScript", "/XFA", "/EmbeddedFiles", "/EF", "/RichMediaContent"})
_ACTIONS = frozenset(
    {"/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/GoToE", "/Rendition", "/RichMediaExecute"}
)
# In the bytes too: another reader may find objects that the table of this file does not name.
_RAW = re.compile(rb"/(JavaScript|Launch|EmbeddedFiles?|RichMedia|XFA)\b")


def verdict(content: bytes) -> str:
    """Every object is looked at, those inside compressed object streams too; escapes in a name do not hide it."""
    from pypdf import PdfReader

    if _RAW.search(content) is not None:
        return "active"
    reader = PdfReader(io.BytesIO(content), strict=False)
    if reader.is_encrypted:
        return "encrypted"
    pages = len(reader.pages)
    if not 1 <= pages <= MOST_PAGES:
        return f"broken not 1 to {MOST_PAGES} pages"
    return "active" if any(_acts(each) for each in _objects(reader)) else f"pages {pages}"


def _objects(reader: Any) -> Iterator[Any]:
    from pypdf.generic import IndirectObject

    named = {(number, generation) for generation, found in reader.xref.items() for number in found}
    named |= {(number, 0) for number in reader.xref_objStm}
    if len(named) > MOST_OBJECTS:
        raise ValueError(f"more than {MOST_OBJECTS} objects")
    yield reader.trailer
    for number, generation in sorted(named):
        yield reader.get_object(IndirectObject(number, generation, reader))


def _acts(node: Any) -> bool:
    """Whether one object, without those it refers to, acts."""
    from pypdf.generic import ArrayObject, DictionaryObject

    todo = [node]
    while todo:
        each = todo.pop()
        if isinstance(each, DictionaryObject):
            if not _ACTING_KEYS.isdisjoint(each) or str(each.raw_get("/S") if "/S" in each else "") in _ACTIONS:
                return True
            todo += [each.raw_get(key) for key in each]
        elif isinstance(each, ArrayObject):
            todo += list(each)
    return False


def main() -> None:
    """One document from standard input, one line to standard output."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        said = verdict(sys.stdin.buffer.read())
    except Exception as error:  # noqa: BLE001 - readers raise what they like on broken input
        said = f"broken {type(error).__name__}: {str(error)[:100]}"
    sys.stdout.write(said)


if __name__ == "__main__":
    main()
