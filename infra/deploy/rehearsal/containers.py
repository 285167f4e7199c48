"""What Docker and the kernel say of the containers that run, and how large our image is."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infra.deploy.rehearsal import NotSo
from infra.deploy.rehearsal.compose import COMPOSE, output

MOST_MEGABYTES = 250
WRITES = ("kafka",)
"""Its image writes its configuration when it starts (docs/decisions/0060)."""

PUBLIC = ("jwks.json",)
SHORTEST = 16
"""Characters of a line of a secret file that is looked for."""


@dataclass(frozen=True)
class Seen:
    """One container. told: `docker inspect`; kernel: /proc/1/status and the line of /proc/1/mounts on /."""

    told: Mapping[str, Any]
    kernel: str

    @property
    def service(self) -> str:
        """Its name in docker-compose.yml."""
        return str(self.told["Config"]["Labels"]["com.docker.compose.service"])

    def faults(self, secrets: Iterable[str]) -> list[str]:
        """What it has and should not have; a secret is not repeated."""
        status = dict(line.split(":\t", 1) for line in self.kernel.splitlines() if ":\t" in line)
        root = next(line.split()[3] for line in self.kernel.splitlines() if line.split()[1:2] == ["/"])
        whole = json.dumps(self.told)
        wrong = {
            "runs as root": "0" in status["Uid"].split(),
            "has capabilities": any(int(status[name], 16) for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb")),
            "may gain privileges": status["NoNewPrivs"] != "1",
            "can write to its root": "ro" not in root.split(",") and self.service not in WRITES,
            "has a secret in what docker inspect tells": any(secret in whole for secret in secrets),
        }
        return [f"{self.service} {what}" for what, is_so in wrong.items() if is_so]


def secrets_of(directory: Path) -> list[str]:
    """What must stay in the files of `make secrets`: passwords, and each line of a key."""
    found = []
    for path in directory.iterdir():
        if path.name in PUBLIC:
            continue
        for line in path.read_text().splitlines():
            # Of an address the password alone: the rest of it is no secret.
            secret = (urlsplit(line).password or "") if "://" in line else line
            found += [secret] if len(secret) >= SHORTEST else []
    return found


def containers(secrets: Path) -> str:
    """Looks at all that run. Raises NotSo with every fault of every one."""
    ids = output(*COMPOSE, "ps", "--quiet").split()
    seen = [Seen(told, _kernel(told["Id"])) for told in json.loads(output("docker", "inspect", *ids))]
    looked_for = secrets_of(secrets)
    if faults := [fault for each in seen for fault in each.faults(looked_for)]:
        raise NotSo("; ".join(faults))
    return (
        f"Containers: none of {len(seen)} runs as root, has a capability or can gain one, or writes to its root "
        f"(but {', '.join(WRITES)}); "
        f"none of {len(looked_for)} passwords and lines of keys is in what docker inspect tells"
    )


def image(name: str) -> str:
    """Raises NotSo when it is larger than docs/deploy.md says."""
    megabytes = int(output("docker", "image", "inspect", "--format", "{{.Size}}", name)) / 1e6
    if megabytes > MOST_MEGABYTES:
        raise NotSo(f"{name} has {megabytes:.0f} MB, and at most {MOST_MEGABYTES} were promised")
    return f"Image: {name} has {megabytes:.0f} MB, of at most {MOST_MEGABYTES}"


def _kernel(container: str) -> str:
    return output("docker", "exec", container, "sh", "-c", "cat /proc/1/status; grep ' / ' /proc/1/mounts")
