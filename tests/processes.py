"""Services as processes of their own, as they run in production; some things can be done only to such."""

import sys

import httpx
from prometheus_client.parser import text_string_to_metric_families

from infra.local.process import Process
from infra.settings import Settings


def process_of(settings: Settings, *command: str, **more: str) -> Process:
    """`python -m services.<name> <command>` with these settings, and more in its environment; not started yet."""
    own = f"BINA_{settings.service.upper()}"
    env = {
        "BINA_ENV": settings.env,
        "BINA_HOME": str(settings.home),
        "BINA_MONGODB_URI": settings.mongodb_uri,
        "BINA_KAFKA_BOOTSTRAP": settings.kafka_bootstrap,
        "BINA_BROKER": settings.broker_profile,
        "BINA_JWKS": settings.jwks,
        "BINA_TOPIC_PREFIX": settings.topic_prefix,
        "BINA_SMTP_URL": settings.smtp_url or "",
        f"{own}_DATABASE": settings.database,
        f"{own}_PORT": str(settings.port),
        f"{own}_WORKER_PORT": str(settings.worker_port),
        **more,
    }
    name = f"{settings.service} {command[0]}"
    log = settings.home / f"{name} {settings.worker_port}.log"
    return Process(name, [sys.executable, "-m", f"services.{settings.service}", *command], log=log, env=env)


def is_ready(port: int) -> bool:
    """Whether the API or worker at this port says so."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def handled(settings: Settings) -> float:
    """How many events the worker process with these settings has handled so far; 0 before it can be asked."""
    try:
        text = httpx.get(f"http://127.0.0.1:{settings.worker_port}/metrics").text
    except httpx.TransportError:
        return 0.0
    samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
    return sum(sample.value for sample in samples if sample.name == "bina_events_handled_total")
