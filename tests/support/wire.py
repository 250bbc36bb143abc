"""Stands between a program and a server, and counts the messages of the protocol that pass in both directions."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Self

from devstack.ports import LOOPBACK

LENGTH = 4


class WireTap:
    """A proxy on a loopback port; before each message goes on, it may be told to do something.

    :param server_port: where the server listens.
    :param split: how messages are told apart: :func:`postgres_messages`, or :func:`turns` for what goes back and forth.
    :param at: the number of the message, from 1, before which ``strike`` is called; that message then goes nowhere
        when the program that sent it, or was to get it, is gone. 0: never.
    :param strike: called once, in the thread that carries the message.
    """

    def __init__(
        self,
        server_port: int,
        *,
        split: "Split | None" = None,
        at: int = 0,
        strike: Callable[[], None] = lambda: None,
    ) -> None:
        self._server_port = server_port
        self._split = split or postgres_messages
        self._at = at
        self._strike = strike
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self.messages = 0

    def __enter__(self) -> Self:
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A strike that is under way is waited for.
        with self._lock:
            self.cut()

    def cut(self) -> None:
        """Close all connections, as if the server were gone, and take no new ones."""
        for each in (self._listener, *self._open):
            _close(each)

    @property
    def struck(self) -> bool:
        """Whether the message to strike at ever came."""
        return 0 < self._at <= self.messages

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection((LOOPBACK, self._server_port))
                for connection in (client, server):
                    # Message by message, the kernel would wait for more of them.
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open += [client, server]
                for source, target, opens in ((client, server, True), (server, client, False)):
                    threading.Thread(target=self._carry, args=(source, target, opens), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, opens: bool) -> None:
        try:
            with suppress(OSError):
                for message in self._split(source, opens):
                    with self._lock:
                        self.messages += 1
                        if self.messages == self._at:
                            self._strike()
                    target.sendall(message)
        finally:
            _close(source)
            _close(target)


Split = Callable[[socket.socket, bool], Iterator[bytes]]
"""Reads messages from a connection, told whether it is the side that opened it."""


def postgres_messages(source: socket.socket, opens: bool) -> Iterator[bytes]:
    """Read whole messages of PostgreSQL's protocol: a type, the length, the content. The first of a client has no type.

    The client must ask for no encryption (``sslmode=disable``).
    """
    buffer = b""
    head = 0 if opens else 1
    while data := source.recv(65536):
        buffer += data
        while len(buffer) >= head + LENGTH:
            size = head + int.from_bytes(buffer[head : head + LENGTH])
            if len(buffer) < size:
                break
            yield buffer[:size]
            buffer = buffer[size:]
            head = 1


def turns(source: socket.socket, opens: bool) -> Iterator[bytes]:
    """Read what one side says until it stops to listen: a command of SMTP, an answer, a mail's content."""
    while data := source.recv(1 << 20):
        yield data


def _close(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
