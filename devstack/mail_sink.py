"""A mail server that delivers nowhere: it keeps every message as a file that any mail program opens.

Run it as a process with ``python -m devstack.mail_sink PORT FOLDER``, or use :class:`MailSink` within a test, where
a *script* decides what the server answers.
"""

import argparse
import email.policy
import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from devstack.ports import LOOPBACK, free_port

HANG_UP: Final = "hang up"
"""Answer of a script: break the connection instead of answering. After DATA the message has been kept."""


@dataclass(frozen=True)
class Command:
    """What the client just said. ``recipient`` is known from RCPT on, ``content`` at DATA."""

    verb: Literal["MAIL", "RCPT", "DATA"]
    sender: str
    recipient: str = ""
    content: bytes = b""


Script = Callable[[Command], str | None]
"""Decides the answer: ``None`` accepts, a line such as ``"451 4.7.1 Try later"`` refuses, or ``HANG_UP``."""


def accept_all(_command: Command) -> None:
    """Refuse nothing."""


def messages(folder: Path) -> list[EmailMessage]:
    """Read what has been kept in ``folder``, in order of arrival."""
    parser = BytesParser(EmailMessage, policy=email.policy.default)
    return [parser.parsebytes(file.read_bytes()) for file in message_files(folder)]


def message_files(folder: Path) -> list[Path]:
    """Return the files of the messages kept in ``folder``, in order of arrival."""
    return sorted(folder.glob("*.eml"))


class MailSink:
    """A mail server on a loopback port that keeps messages in ``folder``.

    ``script`` and ``credentials`` may be exchanged while the server runs. With credentials (user, password)
    clients must log in. ``connections`` counts how often a client has said hello.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        script: Script = accept_all,
        credentials: tuple[str, str] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = port or free_port()
        self.script = script
        self.connections = 0
        self.credentials = credentials
        self._kept = len(message_files(folder))
        self._controller: Controller | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def connection(self) -> str:
        """The Airflow connection that sends here, as JSON."""
        extra = {"disable_ssl": True, "disable_tls": True, "from_email": "airflow@hoa-ops.example"}
        return json.dumps({"conn_type": "smtp", "host": LOOPBACK, "port": self.port, "extra": extra})

    @property
    def messages(self) -> list[EmailMessage]:
        """What has been kept so far, in order of arrival."""
        return messages(self.folder)

    def start(self) -> None:
        """Listen, in a thread of its own."""
        self._controller = Controller(
            _Handler(self),
            hostname=LOOPBACK,
            port=self.port,
            authenticator=self._authenticate,
            auth_require_tls=False,
        )
        self._controller.start()

    def stop(self) -> None:
        """Stop listening; a later start uses the same port."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def keep(self, content: bytes) -> None:
        """Write one message to its file, which appears complete or not at all, after its attachments."""
        self._kept += 1
        for attachment in BytesParser(EmailMessage, policy=email.policy.default).parsebytes(content).iter_attachments():
            name = Path(attachment.get_filename("attachment")).name
            (self.folder / f"{self._kept:05}-{name}").write_bytes(attachment.get_content())
        unfinished = self.folder / f"{self._kept:05}.part"
        unfinished.write_bytes(content)
        unfinished.rename(unfinished.with_suffix(".eml"))

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, login: object
    ) -> AuthResult:
        expected = self.credentials and tuple(part.encode() for part in self.credentials)
        given = (login.login, login.password) if isinstance(login, LoginPassword) else None
        # handled=False leaves the refusal itself to the library.
        return AuthResult(success=expected is not None and given == expected, handled=False)


class _Handler:
    """Translates the library's hooks into questions to the script."""

    def __init__(self, sink: MailSink) -> None:
        self._sink = sink

    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self._sink.connections += 1
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self._sink.credentials and not session.authenticated:
            return "530 5.7.0 Authentication required"
        reply = self._answer(server, Command("MAIL", address))
        if reply is None:
            envelope.mail_from = address
        return reply or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        reply = self._answer(server, Command("RCPT", envelope.mail_from or "", address))
        if reply is None:
            envelope.rcpt_tos.append(address)
        return reply or "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        content = envelope.original_content or b""
        command = Command("DATA", envelope.mail_from or "", ", ".join(envelope.rcpt_tos), content)
        reply = self._answer(server, command)
        if reply in {None, HANG_UP}:
            self._sink.keep(content)
        return reply or "250 OK"

    def _answer(self, server: Any, command: Command) -> str | None:
        reply = self._sink.script(command)
        if reply == HANG_UP:
            server.transport.abort()
        return reply


def main() -> None:
    """Keep messages until stopped by a signal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    os.umask(0o077)
    with MailSink(arguments.folder, port=arguments.port):
        threading.Event().wait()


if __name__ == "__main__":
    main()
