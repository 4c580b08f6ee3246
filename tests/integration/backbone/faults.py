"""A TCP proxy between a process and a server: freezes (takes bytes, passes none), cuts, heals."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit


class FaultProxy:
    """Forwards 127.0.0.1:port to the target until told otherwise."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.frozen = False
        self.refusing = False
        self._open: set[socket.socket] = set()
        self._ended = False
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        self._listener.settimeout(0.1)
        while not self._ended:
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            if self.refusing:
                client.close()
                continue
            thread = threading.Thread(target=self._forward, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _forward(self, client: socket.socket) -> None:
        with contextlib.closing(client), contextlib.closing(socket.create_connection(self._target)) as server:
            pair = {client: server, server: client}
            self._open |= set(pair)
            try:
                while not self._ended and not self.refusing:
                    if self.frozen:
                        time.sleep(0.05)
                        continue
                    for ready in select.select(list(pair), [], [], 0.1)[0]:
                        if self.frozen:
                            break
                        data = ready.recv(65536)
                        if not data:
                            return
                        pair[ready].sendall(data)
            except OSError:
                return
            finally:
                self._open -= set(pair)

    def cut(self) -> None:
        """Every connection ends; new ones end at once, until `heal`."""
        self.refusing = True

    def heal(self) -> None:
        self.refusing = self.frozen = False

    def end(self) -> None:
        self._ended = True
        for thread in self._threads:
            thread.join(2)
        self._listener.close()


@contextlib.contextmanager
def proxied(url: str) -> Iterator[tuple[FaultProxy, str]]:
    """A proxy to the server of `url`, and the URL that goes through it."""
    address = urlsplit(url)
    proxy = FaultProxy(str(address.hostname), int(address.port or 0))
    credentials = address.netloc.rpartition("@")[0]
    try:
        yield proxy, address._replace(netloc=f"{credentials}@127.0.0.1:{proxy.port}").geturl()
    finally:
        proxy.end()
