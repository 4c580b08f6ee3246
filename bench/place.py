"""Where a bench runs: a database and a vhost of its own on the private servers, and durability that is on."""

from __future__ import annotations

import contextlib
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import psycopg2

from infra.local import place
from infra.postgis import roles
from tests.servers import Database, fresh_vhost, settings_for

DURABILITY = ("fsync", "full_page_writes", "synchronous_commit")


class NotDurable(RuntimeError):
    """A durability setting is off: rates measured so would be a lie."""


def settings() -> dict[str, str]:
    """Settings of the private servers: the environment's, else .local/env."""
    given = {name: value for name, value in os.environ.items() if name.startswith("PINGAN_")}
    return given if "PINGAN_ADMIN_DATABASE_URL" in given else place.load_settings() | given


def durability(url: str) -> str:
    """The settings as one line. Raises NotDurable when one of them is off."""
    with contextlib.closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        found = {}
        for name in DURABILITY:
            cursor.execute(f"SHOW {name}")
            row = cursor.fetchone()
            found[name] = str(row[0]) if row else "off"
    off = [name for name, value in found.items() if value == "off"]
    if off:
        raise NotDurable(f"{', '.join(off)} is off; switch it on and measure again")
    return "  ".join(f"{name}={value}" for name, value in found.items())


@contextlib.contextmanager
def database(migrate: bool = True) -> Iterator[Database]:
    """A new database with roles and, unless told otherwise, every schema migrated; dropped afterwards."""
    given = settings()
    name = f"pingan_bench_{int(time.time())}_{os.getpid()}"
    made = Database(name, given)
    with admin(given["PINGAN_ADMIN_DATABASE_URL"]) as run:
        run(f"CREATE DATABASE {name}")
    try:
        durability(made.url("admin"))
        roles.apply(given["PINGAN_ADMIN_DATABASE_URL"], name, given)
        if migrate:
            from backbone import migrations

            for service in roles.SERVICES:
                migrations.upgrade(service, made.url(f"{service}_owner"))
        yield made
    finally:
        with admin(given["PINGAN_ADMIN_DATABASE_URL"]) as run:
            run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


@contextlib.contextmanager
def admin(url: str) -> Iterator[Callable[..., list[tuple[Any, ...]]]]:
    """Runs statements as superuser, each committed by itself; returns rows where there are any."""
    with contextlib.closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True

        def run(statement: str, *parameters: object) -> list[tuple[Any, ...]]:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters or None)
                return cursor.fetchall() if cursor.description else []

        yield run


@contextlib.contextmanager
def platform_parts(files: str) -> Iterator[tuple[Database, dict[str, str]]]:
    """A migrated database and a declared vhost with the settings for processes on them."""
    from backbone import topology

    with database() as made, fresh_vhost(settings()) as vhost:
        topology.declare(vhost)
        yield made, settings_for(made, vhost, pathlib.Path(files))


@contextlib.contextmanager
def process(module: str, environment: dict[str, str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m module` with these settings, ready on its health port; terminated afterwards."""
    env = {
        "PATH": os.environ["PATH"],
        **environment,
        "PINGAN_HEALTH_PORT": str(port),
        "PINGAN_PROCESS": module.split()[0],
    }
    file = pathlib.Path(environment["PINGAN_FILES_DIRECTORY"], f"{module.split()[0]}-{port}.log")
    with file.open("wb") as log:
        child = subprocess.Popen([sys.executable, "-m", *module.split()], env=env, stdout=log, stderr=log)
    try:
        try:
            wait_for(lambda: _ready(port), 30, f"{module} to be ready")
        except TimeoutError as error:
            error.add_note(file.read_text()[-2000:])
            raise
        yield child
    finally:
        child.terminate()
        try:
            child.wait(25)
        except subprocess.TimeoutExpired:
            child.kill()


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Polls until it holds. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.02)


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
