"""Which broker is started: the embedded one, or Apache Kafka where `BROKER=kafka` asks for it."""

from collections.abc import Mapping
from pathlib import Path

from infra.local.apache_kafka import ApacheKafka
from infra.local.broker import EmbeddedBroker
from infra.local.errors import CannotStart


def choose_broker(
    env: Mapping[str, str],
    *,
    data: Path | None = None,
    log: Path | None = None,
    advertised: str | None = None,
) -> EmbeddedBroker | ApacheKafka:
    """The broker that `BROKER` names, not yet started. Raises CannotStart for a name that isn't known.

    data: where Apache Kafka keeps its log; the embedded broker keeps nothing. advertised: see there.
    """
    wanted = env.get("BROKER") or "embedded"
    if wanted == "embedded":
        return EmbeddedBroker(log=log, advertised=advertised)
    if wanted == "kafka":
        return ApacheKafka(data, log=log, advertised=advertised)
    raise CannotStart(f"BROKER={wanted} is not known: it is `embedded` (also when left out) or `kafka`.")
