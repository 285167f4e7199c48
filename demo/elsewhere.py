"""A system that runs already, such as that of docker-compose.yml: the story is played through its gateway."""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import jwt

from infra.local.errors import CannotStart
from infra.settings import PORTS


class Elsewhere:
    """The system behind one gateway, in the shape of `infra.local.system.System`. Entering raises CannotStart.

    secrets: the directory that `make secrets` has filled; its key signs the tokens. mail_url: where mails can be
    looked at, "" when that is not known.
    """

    def __init__(self, gateway: str, secrets: Path, mail_url: str = "") -> None:
        self.urls = {service: f"{gateway.rstrip('/')}/{service}" for service in PORTS}
        self.mail_url = mail_url
        try:
            self._key = (secrets / "signing-key.pem").read_bytes()
            self._kid = str(json.loads((secrets / "jwks.json").read_bytes())["keys"][0]["kid"])
        except (OSError, ValueError, LookupError) as error:
            raise CannotStart(f"There is no key to sign tokens with in {secrets}: make secrets") from error

    def issue_token(self, sub: str, roles: Iterable[str], unit: str | None = None) -> str:
        """A token that this system's services accept, for twelve hours."""
        now = int(time.time())
        claims = {"iss": "bina", "aud": "bina", "sub": sub, "roles": sorted(set(roles)), "iat": now}
        claims |= {"exp": now + 12 * 3600} | ({} if unit is None else {"unit": unit})
        return jwt.encode(claims, self._key, algorithm="EdDSA", headers={"kid": self._kid})

    def __enter__(self) -> Self:
        token = self.issue_token("hr-portal", ["hr"])
        address = f"{self.urls['enrollment']}/v1/units"
        try:
            answer = httpx.get(address, headers={"Authorization": f"Bearer {token}"}, timeout=30)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise CannotStart(f"No system of Bina answers there: {error}") from error
        if answer.json()["items"]:
            raise CannotStart("There is something in that system already, and the story begins with an empty one.")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing was started, so nothing is stopped."""
