"""A mail on its way out, against a real SMTP server that can be told to misbehave."""

import asyncio
from collections.abc import Iterator
from email import message_from_bytes
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from infra.local.ports import free_port
from services.notifications import channels
from services.notifications.channels import Busy, Envelope, Rejected, Smtp, Unreachable, compose
from services.notifications.wording import MailText
from tests.support import PATIENCE_SECONDS
from tests.unit.notifications.happenings import ENDORSEMENT, NOW

SENDER = Address("Bina", addr_spec="bina@example.go.id")
TEXT = MailText("Mohon konfirmasi – sesi", "Yth. Ibu Ñ,\n", "<p>Yth. Ibu Ñ,</p>")


def envelope(name: str = "Warji Uyainah", address: str = "warji@example.go.id") -> Envelope:
    return Envelope(ENDORSEMENT, SENDER, name, address, NOW, "id")


class Server:
    """Answers each step with what the test says, 250 unless it does."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.mails: list[bytes] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 ok")

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if "hang" in self.answers:
            await asyncio.sleep(60)
        answer = self.answers.get("DATA", "250 ok")
        if answer.startswith("250"):
            self.mails.append(envelope.content)
        return answer


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def smtp(server: Server) -> Iterator[Smtp]:
    port = free_port()
    controller = Controller(server, hostname="127.0.0.1", port=port, ready_timeout=PATIENCE_SECONDS)
    controller.start()
    channel = Smtp(f"smtp://127.0.0.1:{port}")
    yield channel
    channel.close()
    controller.stop()


def test_a_mail_says_who_it_is_from_and_for_and_keeps_its_id(server: Server, smtp: Smtp) -> None:
    """The Message-ID is the delivery's, so that a repeat shows once."""
    smtp.send(compose(envelope('Nur\'aini, S.Sos. "Ibu"'), TEXT))
    smtp.send(compose(envelope(), TEXT))
    first = server.mails[0].decode()
    assert f"Message-ID: <{ENDORSEMENT}@example.go.id>" in first
    assert "Auto-Submitted: auto-generated" in first
    assert "From: Bina <bina@example.go.id>" in first
    assert 'To: "Nur\'aini, S.Sos. \\"Ibu\\"" <warji@example.go.id>' in first
    assert len(server.mails) == 2


@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "a b@example.go.id",
        "a@example.go.id\r\nBcc: x@example.com",
        "a@example.go.id, x@example.com",
        "Warji <a@example.go.id>",
        "é@example.go.id",
        "a@b@c",
    ],
)
def test_what_is_no_single_plain_address_is_never_written_to(address: str) -> None:
    """One mail goes to one person, and an address adds no header."""
    with pytest.raises(Rejected, match="bad-address"):
        compose(envelope(address=address), TEXT)


@pytest.mark.parametrize("address", [".@.", "a..b@x", "a@-", "a@x."])
def test_an_address_that_only_looks_odd_breaks_nothing(address: str) -> None:
    """It is refused here, or left to the mail server to refuse."""
    try:
        assert compose(envelope(address=address), TEXT)["To"].addresses[0].addr_spec == address
    except Rejected as refused:
        assert refused.problem == "bad-address"  # noqa: PT017


def test_names_and_subjects_add_no_header() -> None:
    """They are somebody else's input."""
    message = compose(envelope(name="Warji\r\nBcc: x@example.com"), TEXT)
    assert message["Bcc"] is None
    with pytest.raises(Rejected):
        compose(envelope(), MailText("Halo\r\nBcc: x@example.com", "", ""))


ENCODED = "Budi =?utf-8?q?=0D=0AReply-To:_x=40evil.test=0D=0ABcc:_y=40evil.test=0D=0A=0D=0ABuka_tautan_ini?="
WRITTEN = {"From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted"} | {
    "MIME-Version",
    "Content-Type",
    "Content-Language",
}


@pytest.mark.parametrize(
    "name", [ENCODED, f"{ENCODED} {'é' * 60}", f"{'x' * 70} {ENCODED}", "=?=?utf-8?q?=0A?=?="]
)
def test_odd_names_are_text_like_any_other(name: str) -> None:
    """In one's own name and in another's in the subject: nothing gets out of them or lost."""
    for named, subject in ((name, "Halo"), ("Warji", f"Sesi dengan {name}")):
        message = compose(envelope(name=named), TEXT._replace(subject=subject))
        read = message_from_bytes(message.as_bytes(), policy=default)
        assert (set(read.keys()), len(read.keys())) == (WRITTEN, len(WRITTEN))
        shown = read["To"].addresses[0].display_name, read["To"].addresses[0].addr_spec, read["Subject"]
        assert shown == (named.replace("=?", "= ?"), "warji@example.go.id", subject.replace("=?", "= ?"))


def test_a_mail_with_other_headers_than_were_set_is_never_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the library makes of a name: it fails for good instead of being tried again."""
    monkeypatch.setattr(channels, "_literally", str)
    with pytest.raises(Rejected, match="bad-"):
        compose(envelope(name=ENCODED), TEXT)


def send(smtp: Smtp) -> None:
    message: EmailMessage = compose(envelope(), TEXT)
    smtp.send(message)


@pytest.mark.parametrize(
    ("step", "answer", "expected"),
    [
        ("RCPT", "550 no such mailbox", Rejected),
        ("RCPT", "450 try later", Busy),
        ("DATA", "554 looks like spam", Rejected),
        ("DATA", "451 try later", Busy),
        ("DATA", "421 closing", Busy),
    ],
)
def test_what_the_server_says_decides_whether_to_try_again(
    server: Server, smtp: Smtp, step: str, answer: str, expected: type[Exception]
) -> None:
    """5xx is final, 4xx is not; the next mail goes out on a new connection."""
    server.answers[step] = answer
    with pytest.raises(expected):
        send(smtp)
    server.answers.clear()
    send(smtp)
    assert len(server.mails) == 1


def test_a_server_that_hangs_is_given_up(server: Server, smtp: Smtp, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a time limit, and without an error of another kind."""
    monkeypatch.setattr("services.notifications.channels.TIMEOUT_SECONDS", 0.2)
    server.answers["hang"] = "yes"
    with pytest.raises(Unreachable):
        send(smtp)


def test_nobody_listens() -> None:
    """No mail gets through, which is not the mail's fault."""
    with pytest.raises(Unreachable):
        send(Smtp(f"smtp://127.0.0.1:{free_port()}"))


def test_a_password_never_travels_in_the_clear(smtp: Smtp) -> None:
    """With a user, a server without TLS is not spoken to."""
    careful = Smtp(f"smtp://bina:rahasia@127.0.0.1:{smtp._port}")
    with pytest.raises(Unreachable):
        send(careful)
