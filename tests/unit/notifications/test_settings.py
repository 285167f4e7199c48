"""Settings that only this service has."""

from datetime import timedelta
from typing import Any, cast

import pytest

from infra.settings import Settings, SettingsError
from services.notifications.settings import MailSettings


class WithMail:
    smtp_url = "smtp://localhost:1025"


class WithoutMail:
    smtp_url = None


def read(settings: Any, **env: str) -> MailSettings:
    return MailSettings.from_env(cast("Settings", settings), env)


def test_what_is_not_said_has_a_plain_default() -> None:
    """A sender on this machine, and twenty seconds."""
    mail = read(WithMail())
    assert (mail.url, str(mail.sender)) == ("smtp://localhost:1025", "Bina <bina@localhost>")
    assert mail.window == timedelta(seconds=20)


def test_a_sender_with_a_name() -> None:
    """As people write it."""
    assert read(WithMail(), BINA_MAIL_FROM="Bina Kota <bina@example.go.id>").sender.domain == "example.go.id"


@pytest.mark.parametrize("window", ["-1", "soon", "nan", "inf", "3601"])
@pytest.mark.parametrize("sender", ["nobody", "Bina <a@>", "@b"])
def test_all_faults_are_told_at_once(window: str, sender: str) -> None:
    """So that one start is enough to learn of them."""
    with pytest.raises(SettingsError) as caught:
        read(WithoutMail(), BINA_MAIL_FROM=sender, BINA_MAIL_WINDOW_SECONDS=window)
    assert len(caught.value.faults) == 3
