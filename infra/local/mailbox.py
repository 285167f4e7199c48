"""The mails that the local system sent: each is a file, a summary of each is kept in memory."""

import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from infra.clock import to_wire


@dataclass(frozen=True)
class Summary:
    """One mail in the list. number: 1, 2, ... in order of arrival. received_at: RFC 3339."""

    number: int
    received_at: str
    sender: str
    to: tuple[str, ...]
    subject: str
    message_id: str


@dataclass(frozen=True)
class Mail(Summary):
    """One mail as a person reads it; text and html are None where the mail has no such part."""

    text: str | None
    html: str | None


class Mailbox:
    """All mails of one directory, also those of earlier runs. Safe to use from several threads."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._lock = threading.Lock()
        files = sorted(directory.glob("*.eml"), key=lambda file: int(file.stem))
        self._summaries = [_summary(int(file.stem), _parse(file.read_bytes()), _mtime(file)) for file in files]

    def add(self, sender: str, recipients: Sequence[str], content: bytes) -> Summary:
        """Keep one mail as it came. The envelope's addresses count, not those in its head."""
        # The envelope goes into the file, so that a later run shows the same.
        envelope = f"X-Envelope-From: {sender}\r\nX-Envelope-To: {', '.join(recipients)}\r\n".encode()
        message = _parse(envelope + content)
        with self._lock:
            number = self._summaries[-1].number + 1 if self._summaries else 1
            path = self._directory / f"{number}.eml"
            draft = path.with_suffix(".draft")
            draft.write_bytes(envelope + content)
            draft.rename(path)
            summary = _summary(number, message, to_wire(datetime.now(UTC)))
            self._summaries.append(summary)
        return summary

    def find(self, words: str = "", before: int | None = None, limit: int = 100) -> list[Summary]:
        """Newest first: those whose recipients or subject contain `words`, with a number below `before`."""
        wanted = words.casefold()
        with self._lock:
            newest_first = reversed(self._summaries)
            matching = (
                summary
                for summary in newest_first
                if (before is None or summary.number < before)
                and wanted in f"{' '.join(summary.to)} {summary.subject}".casefold()
            )
            return [summary for summary, _ in zip(matching, range(limit), strict=False)]

    def __len__(self) -> int:
        return len(self._summaries)

    def get(self, number: int) -> Mail | None:
        """One mail with its content."""
        raw = self.raw(number)
        if raw is None:
            return None
        message = _parse(raw)
        with self._lock:
            summary = next(known for known in self._summaries if known.number == number)
        return Mail(**asdict(summary), text=_part(message, "plain"), html=_part(message, "html"))

    def raw(self, number: int) -> bytes | None:
        """One mail as it came."""
        path = self._directory / f"{number}.eml"
        return path.read_bytes() if path.exists() else None


def _parse(content: bytes) -> EmailMessage:
    return BytesParser(policy=policy.default).parsebytes(content)


def _summary(number: int, message: EmailMessage, received_at: str) -> Summary:
    recipients = str(message["X-Envelope-To"] or "")
    return Summary(
        number=number,
        received_at=received_at,
        sender=str(message["X-Envelope-From"] or ""),
        to=tuple(address.strip() for address in recipients.split(",") if address.strip()),
        subject=str(message["Subject"] or ""),
        message_id=str(message["Message-ID"] or "").strip(),
    )


def _part(message: EmailMessage, kind: str) -> str | None:
    body = message.get_body(preferencelist=(kind,))
    return str(body.get_content()) if body is not None else None


def _mtime(path: Path) -> str:
    return to_wire(datetime.fromtimestamp(path.stat().st_mtime, UTC))
