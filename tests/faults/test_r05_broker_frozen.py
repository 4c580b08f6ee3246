"""R5: RabbitMQ stands still for 60 s (SIGSTOP), or takes nothing for 60 s (its memory alarm), under load.

Writes are answered 2xx, or 503 with Retry-After, before the client's patience ends; reads go on; the relay gives the
silent broker up within ten seconds; afterwards everybody is back without being started anew. 0 lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from infra.local import servers, supervisor
from infra.local.processes import PLATFORM
from tests.faults import clients
from tests.faults.clients import Run
from tests.faults.judging import judge, until_drained
from tests.faults.killing import ON_A_TEST_INSTANCE, Killer, pids, platform_is_whole
from tests.faults.oracle import OUTBOXES, Oracle, watching
from tests.faults.report import Notes
from tests.faults.scale import SEED, scaled
from tests.platform import Platform, eventually

AWAY_S = max(15, scaled(60, short=15))  # the relay's patience, and a little
REPORTS_PER_S = 20
GIVEN_UP_WITHIN_S = 10
LOOKING_S = 4  # reading the metric, on a machine that may be busy, adds to the figure
BACK_WITHIN_S = 60
DRAINED_WITHIN_S = 60

GIVEN_UP = re.compile(rb'^pingan_outbox_publish_failures_total\{reason="(?:timeout|lost)"\} (\S+)$', re.MULTILINE)
UNPUBLISHED = "SELECT " + " + ".join(
    f"(SELECT count(*) FROM {service}.outbox WHERE published_at IS NULL)" for service in OUTBOXES
)


@contextlib.contextmanager
def frozen() -> Iterator[None]:
    """The broker's process is stopped, its sockets stay open."""
    pid = int(supervisor.states()["rabbitmq"]["pid"])
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def memory_alarm() -> Iterator[None]:
    """The broker reads nothing more from those who publish."""
    _watermark("0.0000001")
    try:
        yield
    finally:
        _watermark("0.4")


def _watermark(fraction: str) -> None:
    command = servers.rabbitmqctl_command("set_vm_memory_high_watermark", fraction)
    subprocess.run(command, cwd="/", check=True, capture_output=True, timeout=60)


def given_up() -> float:
    """How often relays have lost the broker, or waited in vain for its confirm."""
    total = 0.0
    for process in PLATFORM:
        if process.module == "backbone.relay":
            with urllib.request.urlopen(f"http://127.0.0.1:{process.health_port}/metrics", timeout=5) as answer:
                total += sum(float(value) for value in GIVEN_UP.findall(answer.read()))
    return total


@ON_A_TEST_INSTANCE
@pytest.mark.slow
@pytest.mark.timeout(AWAY_S + BACK_WITHIN_S + DRAINED_WITHIN_S + 240)
@pytest.mark.parametrize("fault", [frozen, memory_alarm], ids=["frozen", "memory alarm"])
def test_a_broker_that_stands_still_delays_and_loses_nothing(
    platform: Platform, notes: Notes, fault: Callable[[], contextlib.AbstractContextManager[None]]
) -> None:
    eventually(platform.is_ready, BACK_WITHIN_S, "every process to be ready")
    before = pids()
    with watching(platform.settings["PINGAN_ADMIN_DATABASE_URL"]) as oracle:
        run = Run()
        notes.say(f"seed {SEED}, {AWAY_S} s")
        asyncio.run(_report_and_suffer(platform, oracle, run, notes, fault))
        asyncio.run(until_drained(oracle, DRAINED_WITHIN_S))
        judge(run, Killer(notes), oracle, notes)
    assert pids() == before, "a process was started anew"
    platform_is_whole(platform)


async def _report_and_suffer(
    platform: Platform,
    oracle: Oracle,
    run: Run,
    notes: Notes,
    fault: Callable[[], contextlib.AbstractContextManager[None]],
) -> None:
    async with clients.load(platform, run, REPORTS_PER_S):
        await _until(lambda: run.answers_since(0.0), BACK_WITHIN_S, "every kind of request to be answered")
        losses = await asyncio.to_thread(given_up)
        standing = fault()
        await asyncio.to_thread(standing.__enter__)
        began = time.monotonic()
        try:
            await _see_it_given_up(oracle, notes, losses, began)
            await asyncio.sleep(began + AWAY_S - time.monotonic())
        finally:
            await asyncio.to_thread(standing.__exit__, None, None, None)
        healed_at = run.now
        await _until(lambda: run.answers_since(healed_at), BACK_WITHIN_S, "every kind of request to be answered again")
        notes.say(f"every kind of request was answered {run.now - healed_at:.1f} s after the broker went on")


async def _see_it_given_up(oracle: Oracle, notes: Notes, losses: float, began: float) -> None:
    """The relay waits for the broker ten seconds at most; it may happen that no event was written for it to publish."""
    waits_since: float | None = None
    while time.monotonic() < began + AWAY_S:
        if await asyncio.to_thread(given_up) > losses:
            notes.say(f"the relay gave the broker up after {time.monotonic() - began:.1f} s")
            return
        now = time.monotonic()
        if await asyncio.to_thread(oracle.query, UNPUBLISHED) == [(0,)]:
            waits_since = None
        else:
            waits_since = waits_since or now
            assert now - waits_since < GIVEN_UP_WITHIN_S + LOOKING_S, "the relay still waits"
        await asyncio.sleep(0.1)
    notes.say("the relay had nothing to publish meanwhile")


async def _until(condition: Callable[[], bool], within_s: float, what: str) -> None:
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, f"waited {within_s:.0f} s in vain for {what}"
        await asyncio.sleep(0.1)
