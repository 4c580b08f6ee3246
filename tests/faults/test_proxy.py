"""The fault proxy does to a connection what its faults say, and nothing else."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.faults.proxy import FaultProxy, proxied
from tests.platform import eventually


def _echo(listener: socket.socket) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    with connection:
        try:
            while data := connection.recv(65536):
                connection.sendall(data)
        except OSError:
            return


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    """In front of a server that answers with what it hears."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_echo, args=(listener,), daemon=True).start()
        with proxied(f"tcp://user:secret@127.0.0.1:{listener.getsockname()[1]}/x") as (proxy, url):
            assert url == f"tcp://user:secret@127.0.0.1:{proxy.port}/x"
            yield proxy
        listener.shutdown(socket.SHUT_RDWR)


def dial(proxy: FaultProxy, timeout_s: float = 10) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout_s)


def hear(connection: socket.socket, size: int) -> bytes:
    heard = b""
    while len(heard) < size and (more := connection.recv(65536)):
        heard += more
    return heard


def ask(connection: socket.socket, words: bytes) -> bytes:
    connection.sendall(words)
    return hear(connection, len(words))


def is_silent(connection: socket.socket) -> bool:
    connection.settimeout(0.3)
    try:
        return connection.recv(1) is None
    except TimeoutError:
        return True
    finally:
        connection.settimeout(10)


def test_bytes_pass_whole_and_in_order(proxy: FaultProxy) -> None:
    much = bytes(range(256)) * 20_000
    with dial(proxy) as connection:
        threading.Thread(target=connection.sendall, args=(much,), daemon=True).start()
        assert hear(connection, len(much)) == much


def test_an_end_is_passed_on(proxy: FaultProxy) -> None:
    with dial(proxy) as connection:
        assert ask(connection, b"one") == b"one"
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b""


def test_a_delay_is_added_to_each_direction(proxy: FaultProxy) -> None:
    with dial(proxy) as connection:
        proxy.delay(0.2)
        started = time.monotonic()
        assert ask(connection, b"late") == b"late"
        assert time.monotonic() - started >= 0.4


def test_a_cut_resets_what_is_open_and_what_comes_until_healed(proxy: FaultProxy) -> None:
    with dial(proxy) as connection:
        assert ask(connection, b"one") == b"one"
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            connection.recv(1)
    with pytest.raises(ConnectionResetError), dial(proxy) as refused:
        refused.recv(1)
    proxy.heal()
    with dial(proxy) as connection:
        assert ask(connection, b"again") == b"again"


def test_what_is_frozen_passes_after_healing_the_end_too(proxy: FaultProxy) -> None:
    with dial(proxy) as connection:
        assert ask(connection, b"one") == b"one"
        proxy.freeze()
        connection.sendall(b"waits")
        connection.shutdown(socket.SHUT_WR)
        assert is_silent(connection)
        proxy.heal()
        assert hear(connection, 6) == b"waits"


@pytest.mark.parametrize("direction", ["up", "down"])
def test_what_is_swallowed_never_comes_and_its_connection_stays_silent(proxy: FaultProxy, direction: str) -> None:
    with dial(proxy) as connection:
        assert ask(connection, b"one") == b"one"
        proxy.swallow(up=direction == "up", down=direction == "down")
        connection.sendall(b"gone")
        assert is_silent(connection)
        proxy.heal()
        connection.sendall(b"gone too")
        assert is_silent(connection)
        assert proxy.up.swallowed + proxy.down.swallowed == len("gone" + "gone too")
        with dial(proxy) as another:
            assert ask(another, b"two") == b"two"


def test_nobody_hears_that_the_other_hung_up_while_bytes_are_swallowed(proxy: FaultProxy) -> None:
    with dial(proxy) as connection:
        assert ask(connection, b"one") == b"one"
        proxy.swallow()
    with dial(proxy):
        eventually(lambda: proxy.accepted == 2, 10, "the second connection")
        assert proxy.connections == 2
        proxy.reset()
    eventually(lambda: proxy.connections == 0, 10, "the reset")
