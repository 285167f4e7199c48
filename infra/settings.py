"""Settings of one service, read once from the environment and checked as a whole."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")

PORTS = {"enrollment": 8001, "sessions": 8002, "notifications": 8003, "reporting": 8004}
PROCESSES = {"sessions": 2}
"""How many serve the API where it isn't set and not one: an interpreter uses one core, and phones post all day."""
DEVELOPMENT = "development"


class SettingsError(Exception):
    """The environment is not fit to start; the message names every fault, one a line."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("The settings are not right:\n" + "\n".join(f"- {fault}" for fault in faults))
        self.faults = faults


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a service must know of the place it runs in. Nothing here has a secret as its default.

    jwks: file path or http(s) address of the public keys. broker_profile: `embedded` for the in-memory broker of
    one machine, `kafka` for Apache Kafka. topic_prefix: put before every topic and group, so that several
    copies can share a broker. partitions: of every topic; can't be lowered later, and limits how many workers of
    one service share the work. processes, threads: that serve the API; each process has so many threads.
    smtp_url: None where the service sends no mail.
    """

    service: str
    env: str
    home: Path
    mongodb_uri: str
    kafka_bootstrap: str
    smtp_url: str | None
    jwks: str
    jwt_issuer: str
    jwt_audience: str
    host: str
    port: int
    worker_port: int
    processes: int
    threads: int
    database: str
    broker_profile: str
    topic_prefix: str
    partitions: int
    replication: int

    @property
    def development(self) -> bool:
        """Whether development keys are accepted."""
        return self.env == DEVELOPMENT

    @classmethod
    def from_env(cls, service: str, env: Mapping[str, str] = os.environ) -> "Settings":
        """Reads `BINA_...`; each may be given as `BINA_..._FILE`, the file that holds it, so that no secret stands
        in the environment. Raises SettingsError with all faults at once.
        """
        read = _Reader(env)
        own = f"BINA_{service.upper()}"
        port = read.number(f"{own}_PORT", PORTS.get(service, 8000), 0, 65535)
        settings = cls(
            service=service,
            env=read.text("BINA_ENV", ""),
            home=Path(read.text("BINA_HOME", ".bina")),
            mongodb_uri=read.address("BINA_MONGODB_URI", ("mongodb", "mongodb+srv")),
            kafka_bootstrap=read.bootstrap("BINA_KAFKA_BOOTSTRAP"),
            smtp_url=read.optional_address("BINA_SMTP_URL", ("smtp", "smtps")),
            jwks=read.text("BINA_JWKS", None),
            jwt_issuer=read.text("BINA_JWT_ISSUER", "bina"),
            jwt_audience=read.text("BINA_JWT_AUDIENCE", "bina"),
            host=read.text("BINA_HOST", "127.0.0.1"),
            port=port,
            worker_port=read.number(f"{own}_WORKER_PORT", port + 1000 if port else 0, 0, 65535),
            processes=read.number(f"{own}_PROCESSES", PROCESSES.get(service, 1), 1, 64),
            threads=read.number("BINA_THREADS", 32, 1, 512),
            database=read.text(f"{own}_DATABASE", f"bina_{service}"),
            broker_profile=read.choice("BINA_BROKER", "embedded", ("embedded", "kafka")),
            topic_prefix=read.text("BINA_TOPIC_PREFIX", ""),
            partitions=read.number("BINA_PARTITIONS", 4, 1, 256),
            replication=read.number("BINA_REPLICATION", 1, 1, 7),
        )
        faults = read.faults + key_faults(settings)
        if faults:
            raise SettingsError(faults)
        return settings


def key_faults(settings: Settings) -> list[str]:
    """What is wrong with the key file; nothing is fetched, an address is looked at when the API starts."""
    jwks = settings.jwks
    if not jwks:
        return []
    if is_address(jwks):
        scheme_is_safe = jwks.startswith("https://") or settings.development
        return [] if scheme_is_safe else ["BINA_JWKS must be https:// unless BINA_ENV=development"]
    try:
        keys = json.loads(Path(jwks).read_bytes())["keys"]
        kids = [str(key.get("kid", "")) for key in keys]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        return [f"BINA_JWKS: {jwks} can't be read as a set of keys ({type(fault).__name__})"]
    return [] if settings.development else development_faults(kids)


def development_faults(kids: list[str]) -> list[str]:
    """Anybody can have the development key: it may open nothing but a development system."""
    if any(is_development_key(kid) for kid in kids):
        return ["BINA_JWKS holds the development key, which is accepted only where BINA_ENV=development"]
    return []


def is_development_key(kid: str) -> bool:
    """Whether the key id marks a key that is made for development."""
    return kid.startswith(DEVELOPMENT)


def is_address(jwks: str) -> bool:
    """Whether the keys are fetched over HTTP, not read from a file."""
    return jwks.startswith(("http://", "https://"))


class _Reader:
    """Reads variables and collects what is wrong with them instead of stopping at the first."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self.faults: list[str] = []

    def text(self, name: str, default: str | None) -> str:
        value = self._given(name) or default
        if value is None:
            self.faults.append(f"{name} is not set")
            return ""
        return value

    def _given(self, name: str) -> str:
        value, file = (self._env.get(key, "").strip() for key in (name, f"{name}_FILE"))
        if not file:
            return value
        if value:
            self.faults.append(f"{name} and {name}_FILE are both set")
        try:
            return Path(file).read_text().strip()
        except (OSError, ValueError) as fault:
            self.faults.append(f"{name}_FILE: {file} can't be read ({type(fault).__name__})")
            return ""

    def number(self, name: str, default: int, least: int, most: int) -> int:
        value = self._parsed(name, str(default), int, f"a whole number from {least} to {most}")
        if value is not None and not least <= value <= most:
            self.faults.append(f"{name} must be a whole number from {least} to {most}, not {value}")
        return value or 0

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        value = self.text(name, default)
        if value not in choices:
            self.faults.append(f"{name} must be one of {', '.join(choices)}, not {value}")
        return value

    def address(self, name: str, schemes: tuple[str, ...]) -> str:
        return self._checked_address(name, self.text(name, None), schemes)

    def optional_address(self, name: str, schemes: tuple[str, ...]) -> str | None:
        return self._checked_address(name, self.text(name, ""), schemes) or None

    def bootstrap(self, name: str) -> str:
        value = self.text(name, None)
        if value and not all(":" in part for part in value.split(",")):
            self.faults.append(f"{name} must be host:port, several with commas between them")
        return value

    def _checked_address(self, name: str, value: str, schemes: tuple[str, ...]) -> str:
        # The value may hold a password, so the message doesn't repeat it.
        if value and urlsplit(value).scheme not in schemes:
            self.faults.append(f"{name} must be an address that starts with {schemes[0]}://")
        return value

    def _parsed(self, name: str, default: str, parse: Callable[[str], T], expected: str) -> T | None:
        value = self.text(name, default)
        try:
            return parse(value)
        except ValueError:
            self.faults.append(f"{name} must be {expected}, not {value}")
            return None
