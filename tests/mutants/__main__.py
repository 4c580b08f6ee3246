"""`make mutants` (M=name for one): prints `killed`, `SURVIVED` or `line gone` for each guard, and the sum.

The named tests run once as the tree is, and must be green; then once without each guard, and one must fail by an
assertion. Two copies of the tree share one PostgreSQL and one RabbitMQ of their own (instance `mutants`).
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
import time
from collections import Counter

os.environ.setdefault("PINGAN_INSTANCE", "mutants")

from infra.local import lifecycle, place
from tests.mutants.guard import Guard
from tests.mutants.guards import GUARDS
from tests.mutants.scratch import Scratch

COPIES = 2


def chosen(words: list[str]) -> list[Guard]:
    """The guards whose name contains one of `words`; all without any."""
    return [guard for guard in GUARDS if not words or any(word in guard.name for word in words)]


def main(words: list[str]) -> int:
    guards = chosen(words)
    if not guards:
        sys.exit(f"no guard is called like {' '.join(words)}")
    began = time.monotonic()
    gone = {guard.name: guard.line_is_gone() or ", ".join(guard.missing_tests()) for guard in guards}
    for name, reason in gone.items():
        if reason:
            say(name, "line gone", 0.0, reason)
    standing = [guard for guard in guards if not gone[guard.name]]
    lifecycle.infra_up()
    try:
        words_seen = run(standing, place.load_settings())
    finally:
        lifecycle.infra_down()
    words_seen["line gone"] = len(guards) - len(standing)
    others = "".join(f", {count} {word}" for word, count in words_seen.items() if count and word not in _SUM)
    print(f"{words_seen['killed']} killed, {words_seen['SURVIVED']} survived{others}, {time.monotonic() - began:.0f} s")
    return 0 if words_seen["killed"] == len(guards) else 1


_SUM = ("killed", "SURVIVED")


def run(guards: list[Guard], settings: dict[str, str]) -> Counter[str]:
    """Judge guards in two copies at a time; how often each word fell."""
    copies = [Scratch(place.state() / f"mutants-{n}", settings) for n in range(min(COPIES, len(guards)))]
    seen: Counter[str] = Counter()
    try:
        for copy in copies:
            copy.make()
        tests = sorted({test for guard in guards for test in guard.tests})
        began = time.monotonic()
        green, said = copies[0].green(tests, len(copies))
        if not green:
            print(said)
            print("the named tests must be green before a guard is taken out", flush=True)
            seen["not judged"] = len(guards)
            return seen
        print(f"{len(tests)} named tests are green, {time.monotonic() - began:.0f} s", flush=True)
        template = copies[0].template()
        waiting: queue.SimpleQueue[Guard] = queue.SimpleQueue()
        # Long ones first, so that the two copies end together: tests that start processes take longest.
        for guard in sorted(guards, key=lambda each: "integration" not in each.tests[0]):
            waiting.put(guard)
        threads = [threading.Thread(target=_judge, args=(copy, template, waiting, seen)) for copy in copies]
        for thread in threads:
            thread.start()
        try:
            for thread in threads:
                thread.join()
        except KeyboardInterrupt:
            print("interrupted; ending the tests at work", flush=True)
            _empty(waiting)
            for thread in threads:
                thread.join()
            raise
    finally:
        for copy in copies:
            copy.remove()
    return seen


def _empty(waiting: queue.SimpleQueue[Guard]) -> None:
    with contextlib.suppress(queue.Empty):
        while True:
            waiting.get_nowait()


def _judge(copy: Scratch, template: str, waiting: queue.SimpleQueue[Guard], seen: Counter[str]) -> None:
    while True:
        try:
            guard = waiting.get_nowait()
        except queue.Empty:
            return
        verdict = copy.judge(guard, template)
        seen[verdict.word] += 1
        say(guard.name, verdict.word, verdict.seconds, verdict.detail)


def say(name: str, word: str, seconds: float, detail: str) -> None:
    print(f"{word:10}{seconds:6.1f} s  {name:44} {detail}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
