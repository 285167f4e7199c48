"""A mail server that delivers to nobody: it keeps every mail and shows them on a page."""

from pathlib import Path
from types import TracebackType
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from infra.local.errors import CannotStart
from infra.local.mailbox import Mailbox
from infra.local.mailpages import MailPages
from infra.local.ports import LOOPBACK


class _Keep:
    """What aiosmtpd calls for each mail."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep it before saying so."""
        content = envelope.content or b""
        raw = content if isinstance(content, bytes) else content.encode()
        self._mailbox.add(envelope.mail_from or "", envelope.rcpt_tos, raw)
        return "250 kept"


class MailSink:
    """SMTP on one loopback port, a page and JSON (`/api/messages`) on another; mails stay in `directory`."""

    def __init__(self, directory: Path, smtp_port: int, web_port: int) -> None:
        self.mailbox = Mailbox(directory)
        self.smtp_url = f"smtp://{LOOPBACK}:{smtp_port}"
        self.url = f"http://{LOOPBACK}:{web_port}"
        self._smtp = Controller(_Keep(self.mailbox), hostname=LOOPBACK, port=smtp_port, ready_timeout=60)
        self._pages = MailPages(self.mailbox, web_port)

    def start(self) -> None:
        """Start both servers; they work when this returns. Raises CannotStart."""
        try:
            self._pages.start()
            self._smtp.start()
        except (OSError, TimeoutError) as error:
            self._pages.stop()
            raise CannotStart(f"The mail sink can't be started: {error}") from error

    def stop(self) -> None:
        """End both."""
        self._smtp.stop(no_assert=True)
        self._pages.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
