"""How Apache Kafka is prepared, seen by a `java` that only writes down what it is told."""

import uuid
from pathlib import Path

import pytest

from infra.local import apache_kafka
from infra.local.apache_kafka import ApacheKafka

JAVA = """#!/bin/sh
if [ "$*" = -version ]; then echo 'openjdk version "21"' >&2; exit; fi
for word; do echo "$word"; done >>"$TOLD"
"""


def test_a_cluster_whose_name_begins_with_a_dash_is_not_taken_for_an_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One name in 64 does. Kafka's tool refuses such a name as a word of its own after `-t`."""
    java = tmp_path / "java"
    java.write_text(JAVA)
    java.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TOLD", str(tmp_path / "told"))
    monkeypatch.setattr(apache_kafka, "jars", lambda: tmp_path)
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=0xF8 << 120))
    broker = ApacheKafka(tmp_path / "data")
    broker.start()
    broker.stop()
    assert "--cluster-id=-AAAAAAAAAAAAAAAAAAAAA" in (tmp_path / "told").read_text().splitlines()
