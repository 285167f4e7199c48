"""Where the parts of one copy listen: ports from the environment or their defaults, checked beforehand."""

from collections.abc import Mapping
from dataclasses import dataclass

from infra.local.errors import CannotStart
from infra.local.ports import LOOPBACK, is_free, keep, preferred_port
from infra.settings import PORTS

# A worker's health and metrics are this far above its API.
_WORKER_OFFSET = 1000
_SMTP_PORT, _MAIL_PORT = 1025, 8025


@dataclass(frozen=True)
class Ports:
    """api, worker: by service. smtp, mail: of the mail sink."""

    api: Mapping[str, int]
    worker: Mapping[str, int]
    smtp: int
    mail: int

    @classmethod
    def choose(cls, env: Mapping[str, str]) -> "Ports":
        """APIs get exactly the port that was asked for; the others move out of the way of what runs already.

        Raises CannotStart naming every port that is taken and the variable that changes it.
        """
        api = {service: _port(env, f"BINA_{service.upper()}_PORT", default) for service, default in PORTS.items()}
        taken = [
            f"  port {port} is taken: set BINA_{service.upper()}_PORT to another one"
            for service, port in api.items()
            if not is_free(port)
        ]
        if taken:
            raise CannotStart("Something listens already where a service shall:\n" + "\n".join(taken))
        worker = {
            service: _movable(env, f"BINA_{service.upper()}_WORKER_PORT", port + _WORKER_OFFSET)
            for service, port in api.items()
        }
        return cls(
            api,
            worker,
            _movable(env, "BINA_MAIL_SMTP_PORT", _SMTP_PORT),
            _movable(env, "BINA_MAIL_PORT", _MAIL_PORT),
        )

    def environment(self) -> dict[str, str]:
        """The variables that tell the services."""
        apis = {f"BINA_{service.upper()}_PORT": str(port) for service, port in self.api.items()}
        workers = {f"BINA_{service.upper()}_WORKER_PORT": str(port) for service, port in self.worker.items()}
        return apis | workers

    def url(self, service: str) -> str:
        """The address of its API."""
        return f"http://{LOOPBACK}:{self.api[service]}"


def _port(env: Mapping[str, str], name: str, default: int) -> int:
    value = env.get(name) or str(default)
    if not value.isdecimal() or not 0 < int(value) < 65536:
        raise CannotStart(f"{name}={value} is not a port (1 to 65535).")
    return keep(int(value))


def _movable(env: Mapping[str, str], name: str, default: int) -> int:
    """The port of the environment as it is, else the default or a free one."""
    if env.get(name):
        return _port(env, name, default)
    return preferred_port(default)
