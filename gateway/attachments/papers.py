"""PDF documents: one that opens, without a password, and with nothing in it that acts or carries other files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from gateway.problems import Problem

PATIENCE_S = 20.0
_JUDGE = [sys.executable, "-I", str(Path(__file__).with_name("paper_judge.py"))]


def pages_of(content: bytes) -> int:
    """How many pages; blocks for half a second or more. Raises Problem broken_file, encrypted_pdf, active_pdf."""
    try:
        # Our own program; of the environment nothing is needed, and no secret goes in.
        ended = subprocess.run(_JUDGE, input=content, capture_output=True, timeout=PATIENCE_S, env={})
    except subprocess.TimeoutExpired:
        raise _too_laborious() from None
    word, _, rest = ended.stdout.decode(errors="replace").partition(" ")
    if word == "pages":
        return int(rest)
    if word == "encrypted":
        raise Problem("encrypted_pdf", expected="a document without a password")
    if word == "active":
        raise Problem("active_pdf", expected="a document without scripts, programs, forms that send, or files inside")
    if word == "broken":
        raise Problem("broken_file", rest)
    raise _too_laborious()


def _too_laborious() -> Problem:
    return Problem("broken_file", "Reading it took more time or memory than any document needs.")
