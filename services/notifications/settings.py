"""Settings that only this service has."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.errors import MessageError
from email.headerregistry import Address
from email.utils import parseaddr

from infra.settings import Settings, SettingsError


@dataclass(frozen=True, kw_only=True)
class MailSettings:
    """url: the mail server. sender: whom mails come from. window: see `Reactions`."""

    url: str
    sender: Address
    window: timedelta

    @classmethod
    def from_env(cls, settings: Settings, env: Mapping[str, str] = os.environ) -> "MailSettings":
        """Reads `BINA_MAIL_FROM` and `BINA_MAIL_WINDOW_SECONDS`. Raises SettingsError with all faults at once."""
        faults = [] if settings.smtp_url else ["BINA_SMTP_URL is not set"]
        sender, window = _sender(env), _window(env)
        if sender is None:
            faults.append("BINA_MAIL_FROM must be a mail address, as in: Bina <bina@example.go.id>")
        if window is None:
            faults.append("BINA_MAIL_WINDOW_SECONDS must be a number from 0 to 3600")
        if faults or sender is None or window is None:
            raise SettingsError(faults)
        return cls(url=settings.smtp_url or "", sender=sender, window=window)


def _sender(env: Mapping[str, str]) -> Address | None:
    name, address = parseaddr(env.get("BINA_MAIL_FROM", "").strip() or "Bina <bina@localhost>")
    try:
        sender = Address(name, addr_spec=address)
    except (ValueError, IndexError, MessageError):
        return None
    return sender if sender.username and sender.domain else None


def _window(env: Mapping[str, str]) -> timedelta | None:
    try:
        seconds = float(env.get("BINA_MAIL_WINDOW_SECONDS", "").strip() or "20")
    except ValueError:
        return None
    return timedelta(seconds=seconds) if math.isfinite(seconds) and 0 <= seconds <= 3600 else None
