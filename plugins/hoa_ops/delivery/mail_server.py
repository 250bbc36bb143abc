"""One reused connection to the mail server, and what its answers mean for a message."""

from __future__ import annotations

import smtplib
from contextlib import suppress
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from hoa_ops.connections import smtp
from hoa_ops.delivery.attachments import draw_attachment
from hoa_ops.errors import HoaOpsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hoa_ops.delivery.attachments import Attachment


class MailServerError(HoaOpsError):
    """The server cannot be reached, or refuses the login or the sender rather than a message."""


class Verdict(StrEnum):
    """What became of one message."""

    SENT = "sent"
    DEFERRED = "deferred"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True)
class Answer:
    """The server's answer to one message.

    :param response: code and text for the person who looks into it; may contain the address, so it is never logged.
    """

    verdict: Verdict
    response: str


class MailServer:
    """The mail server of an Airflow Connection.

    The provider's hook opens and authenticates the connection; the message is handed over here, because the hook
    retries without back-off, takes a refused recipient for success and may send twice.

    :param conn_id: id of the Airflow Connection (SMTP).
    """

    def __init__(self, conn_id: str) -> None:
        self._conn_id = conn_id
        self._client: smtplib.SMTP | None = None
        self._sender = ""

    def open(self) -> None:
        """Connect and log in, unless that is done.

        :raises MailServerError: when there is no such server or it refuses the login.
        """
        if self._client is not None:
            return
        hook = smtp(self._conn_id)
        try:
            hook.get_conn()
        except Exception as error:  # noqa: BLE001 - sockets, TLS, login and the hook raise unrelated types
            if hook._smtp_client is not None:  # noqa: SLF001 - a refused login leaves it connected
                hook.__exit__(None, None, None)  # type: ignore[no-untyped-call]
            raise MailServerError(
                f"the mail server of Connection {self._conn_id!r} cannot be used ({type(error).__name__}): check the "
                f"server and the Connection; unsent messages stay in the outbox"
            ) from None
        self._client = hook._smtp_client  # type: ignore[assignment]  # noqa: SLF001 - the hook offers no other way to it
        if not _is_address(hook.from_email):
            self.close()
            raise MailServerError(
                f"Connection {self._conn_id!r} has no sender address: set its “From email” to a bare address such as "
                f"no-reply@example.com; unsent messages stay in the outbox"
            )
        self._sender = hook.from_email or ""

    def close(self) -> None:
        """Close the connection, if it is open."""
        if self._client is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._client.quit()
            self._client = None

    def hand_over(self, message: Mapping[str, Any]) -> Answer:
        """Give one message of the outbox to the server.

        :param message: a row of the outbox.
        :raises MailServerError: when the server refuses the sender or cannot be reached; no message is to blame.
        """
        self.open()
        try:
            mail = self.compose(message, draw_attachment(message))
        except Exception as error:  # noqa: BLE001 - the standard library raises unrelated types for odd addresses
            return Answer(Verdict.FAILED, f"cannot be composed as an e-mail: {type(error).__name__}: {error}")
        return self._send(mail, message["recipient_address"])

    def compose(self, message: Mapping[str, Any], attachment: Attachment | None = None) -> EmailMessage:
        """Write a row of the outbox as a mail: text and HTML, with a Message-ID that stays the row's forever.

        :raises ValueError: when a header has a line break or NUL, or the address is not valid.
        """
        mail = EmailMessage(policy=SMTP)
        for header in ("sender_name", "recipient_name", "recipient_address", "subject"):
            if any(character in message[header] for character in "\r\n\0"):
                raise ValueError(f"{header} has a line break or NUL")
        domain = self._sender.rpartition("@")[2] or "localhost"
        mail["From"] = Address(message["sender_name"], addr_spec=self._sender or "unset@localhost")
        mail["To"] = Address(message["recipient_name"], addr_spec=message["recipient_address"])
        mail["Subject"] = message["subject"]
        mail["Date"] = message["created_at"]
        mail["Message-ID"] = f"<{message['id']}@{domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message["text_body"])
        mail.add_alternative(message["html_body"], subtype="html")
        if attachment is not None:
            mail.add_attachment(attachment.content, maintype="application", subtype="pdf", filename=attachment.filename)
        return mail

    def _send(self, mail: EmailMessage, recipient: str) -> Answer:
        client = self._client
        assert client is not None  # noqa: S101 - narrows the type
        handed_over = _HandOver(client)
        try:
            client.send_message(mail, self._sender, [recipient])
        except smtplib.SMTPRecipientsRefused as error:
            return _answer(*next(iter(error.recipients.values())))
        except smtplib.SMTPSenderRefused as error:
            self.close()
            raise MailServerError(
                f"the mail server refuses the sender {self._sender} ({error.smtp_code}): correct the Connection "
                f"{self._conn_id!r} or the server's permissions; unsent messages stay in the outbox"
            ) from None
        except smtplib.SMTPResponseException as error:
            return _answer(error.smtp_code, error.smtp_error)
        except smtplib.SMTPNotSupportedError as error:
            return Answer(Verdict.FAILED, f"the mail server does not support this address: {error}")
        except (smtplib.SMTPException, OSError) as error:
            if handed_over.started:
                return Answer(Verdict.UNCERTAIN, f"connection lost after DATA ({type(error).__name__})")
            return Answer(Verdict.DEFERRED, f"connection lost before DATA ({type(error).__name__})")
        finally:
            handed_over.end()
            if client.sock is None:
                # The server has hung up, which it may do after any answer; the next message needs a new connection.
                self._client = None
        return Answer(Verdict.SENT, "250")


class _HandOver:
    """Notes when the client starts to transfer a message: from there on the server may have it."""

    def __init__(self, client: smtplib.SMTP) -> None:
        self.started = False
        self._client = client
        self._transfer = client.data
        client.data = self._note  # type: ignore[method-assign]

    def _note(self, msg: Any) -> tuple[int, bytes]:
        self.started = True
        return self._transfer(msg)

    def end(self) -> None:
        self._client.data = self._transfer  # type: ignore[method-assign]


def _is_address(text: str | None) -> bool:
    try:
        return bool(Address(addr_spec=text or "").domain)
    except Exception:  # noqa: BLE001 - the standard library raises unrelated types for what is no address
        return False


def _answer(code: int, text: bytes | str) -> Answer:
    said = text.decode(errors="replace") if isinstance(text, bytes) else text
    return Answer(Verdict.FAILED if code >= 500 else Verdict.DEFERRED, f"{code} {said}")  # noqa: PLR2004 - SMTP classes
