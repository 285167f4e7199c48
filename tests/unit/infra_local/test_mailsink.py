"""Mails are kept, found, shown without running anything in them, and still there in the next run."""

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from infra.local.mailbox import Mailbox
from infra.local.mailsink import MailSink
from infra.local.ports import LOOPBACK, free_port
from tests.support import PATIENCE_SECONDS, fetch


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[MailSink]:
    with MailSink(tmp_path, smtp_port=free_port(), web_port=free_port()) as sink:
        yield sink


def send(sink: MailSink, subject: str, to: str = "learner@example.org") -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "bina@example.org", to, subject
    message["Message-ID"] = f"<{subject.encode().hex()}@example.org>"
    message.set_content("Halo & selamat.")
    message.add_alternative("<p>Halo</p><script>alert(1)</script>", subtype="html")
    port = int(sink.smtp_url.rsplit(":", 1)[1])
    with smtplib.SMTP(LOOPBACK, port, timeout=PATIENCE_SECONDS) as server:
        server.send_message(message)


def test_a_mail_can_be_read_as_json(sink: MailSink) -> None:
    send(sink, "Anda diterima")
    listed = fetch(f"{sink.url}/api/messages").json()
    assert listed["total"] == 1
    number = listed["items"][0]["number"]
    mail = fetch(f"{sink.url}/api/messages/{number}").json()
    assert (mail["subject"], mail["to"], mail["text"].strip()) == (
        "Anda diterima",
        ["learner@example.org"],
        "Halo & selamat.",
    )


def test_the_newest_mail_comes_first_and_words_narrow_the_list(sink: MailSink) -> None:
    for subject in ("one", "two", "three"):
        send(sink, subject, to=f"{subject}@example.org")
    subjects = [mail["subject"] for mail in fetch(f"{sink.url}/api/messages").json()["items"]]
    assert subjects == ["three", "two", "one"]
    found = fetch(f"{sink.url}/api/messages", params={"q": "TWO@"}).json()["items"]
    assert [mail["subject"] for mail in found] == ["two"]


def test_pages_escape_what_they_show(sink: MailSink) -> None:
    send(sink, "<b>bold</b>")
    for path in ("/", "/messages/1"):
        page = fetch(sink.url + path)
        assert page.status_code == 200
        assert "&lt;b&gt;bold&lt;/b&gt;" in page.text
        assert "<b>bold" not in page.text


def test_the_html_of_a_mail_may_run_nothing(sink: MailSink) -> None:
    send(sink, "one")
    policy = fetch(f"{sink.url}/messages/1/html").headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none'")


@pytest.mark.parametrize(
    "path", ["/messages/9", "/messages/x", "/api/messages/0", "/messages/1/raw", "/../etc/passwd"]
)
def test_what_is_not_there_is_404(sink: MailSink, path: str) -> None:
    assert fetch(sink.url + path).status_code == 404


def test_mails_outlive_the_run(sink: MailSink, tmp_path: Path) -> None:
    send(sink, "one")
    again = Mailbox(tmp_path)
    assert [mail.subject for mail in again.find()] == ["one"]
    again.add("bina@example.org", ["other@example.org"], b"Subject: two\r\n\r\nText")
    assert [(mail.number, mail.to) for mail in again.find(limit=1)] == [(2, ("other@example.org",))]
