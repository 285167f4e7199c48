"""The way out: mail by SMTP."""

import re
import smtplib
import ssl
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from typing import NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

from infra.problems import Language
from services.notifications.wording import MailText

TIMEOUT_SECONDS = 10.0
"""How long to wait for any one answer of the mail server."""

_POLICY = SMTP_POLICY.clone(max_line_length=998)
"""Lines as long as they may be (RFC 5322): the library loses the quotes of a name that it breaks in two."""

_ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", re.ASCII)


class Rejected(Exception):
    """The mail won't be taken, now or later. `problem` is a code."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class Busy(Exception):
    """The server is there but doesn't take this mail now."""


class Unreachable(Exception):
    """No mail gets through at the moment."""


class Channel(Protocol):
    """Takes mails, one after the other."""

    def send(self, message: EmailMessage) -> None:
        """Hands the mail over. Raises Rejected, Busy or Unreachable."""

    def close(self) -> None:
        """Lets go of the connection; the next mail makes a new one."""


class Envelope(NamedTuple):
    """What a mail needs besides its text. id: the delivery's, from which the Message-ID follows."""

    id: str
    sender: Address
    name: str
    address: str
    at: datetime
    language: Language


def compose(envelope: Envelope, text: MailText) -> EmailMessage:
    """The mail. The same delivery always has the same Message-ID, so that mail programs show a repeat once.

    Raises Rejected for an address that can't be one. Names can't add headers: they are folded into one line
    without encoded words, the mail policy refuses line breaks, and other headers than were set are Rejected.
    """
    if not _ADDRESS.fullmatch(envelope.address):
        raise Rejected("bad-address")
    message = EmailMessage(policy=_POLICY)
    try:
        message["From"] = envelope.sender
        message["To"] = Address(_literally(" ".join(envelope.name.split())), addr_spec=envelope.address)
        message["Subject"] = _literally(text.subject)
        message["Date"] = format_datetime(envelope.at)
        message["Message-ID"] = f"<{envelope.id}@{envelope.sender.domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text.plain)
        message.add_alternative(text.html, subtype="html")
        # Last: a new content takes away what was said of the content.
        message["Content-Language"] = envelope.language
        written = BytesHeaderParser(policy=_POLICY).parsebytes(message.as_bytes())
    except (ValueError, LookupError, MessageError) as error:
        raise Rejected("bad-address") from error
    if written.keys() != message.keys():
        raise Rejected("bad-header")
    return message


def _literally(text: str) -> str:
    """Without encoded words (RFC 2047): the library takes them for its own and writes the line breaks in them."""
    return text.replace("=?", "= ?")


class Smtp:
    """Mail by SMTP, over one connection that is kept while there is something to send.

    url: `smtp://[user:password@]host[:port]`, `smtps://` for TLS from the start. With a user, `smtp://` must offer
    STARTTLS: a password never travels in the clear.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._implicit_tls = parts.scheme == "smtps"
        self._host = parts.hostname or "localhost"
        self._port = parts.port or (465 if self._implicit_tls else 587 if parts.username else 25)
        self._login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        self._connection: smtplib.SMTP | None = None

    def send(self, message: EmailMessage) -> None:
        """Hands the mail over. Raises Rejected, Busy or Unreachable."""
        try:
            connection = self._connected()
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise Unreachable(type(error).__name__) from None
        try:
            connection.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            self.close()
            raise _refusal(next(iter(error.recipients.values()))[0], "refused") from None
        except smtplib.SMTPServerDisconnected as error:
            self.close()
            raise Unreachable(type(error).__name__) from None
        except smtplib.SMTPResponseException as error:
            self.close()
            raise _refusal(error.smtp_code, "rejected") from None
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            raise Unreachable(type(error).__name__) from None

    def close(self) -> None:
        """Lets go of the connection; the next mail makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _connected(self) -> smtplib.SMTP:
        if self._connection is not None and _alive(self._connection):
            return self._connection
        self.close()
        self._connection = connection = self._connect()
        return connection

    def _connect(self) -> smtplib.SMTP:
        context = ssl.create_default_context()
        if self._implicit_tls:
            connection: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host, self._port, timeout=TIMEOUT_SECONDS, context=context
            )
        else:
            connection = smtplib.SMTP(self._host, self._port, timeout=TIMEOUT_SECONDS)
        self._connection = connection
        if self._login:
            if not self._implicit_tls:
                connection.starttls(context=context)
            connection.login(*self._login)
        return connection


def _alive(connection: smtplib.SMTP) -> bool:
    try:
        return connection.noop()[0] == 250
    except (OSError, smtplib.SMTPException):
        return False


def _refusal(code: int, problem: str) -> Exception:
    return Rejected(problem) if code >= 500 else Busy(str(code))
