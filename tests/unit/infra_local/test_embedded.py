"""The embedded parts are the real thing: transactions, majority reads, topics; and data that was kept is found."""

import os
import signal
import uuid
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient
from pymongo import MongoClient
from pymongo.read_concern import ReadConcern

from infra.local.broker import EmbeddedBroker, answers
from infra.local.mongod import Mongod
from infra.local.supervisor import Backing, Supervisor
from tests.support import PATIENCE_SECONDS, eventually


def test_mongod_keeps_its_data_though_its_port_changes(tmp_path: Path) -> None:
    ports = set()
    for run in range(2):
        with (
            Mongod(tmp_path / "data", cache_gb=0.25) as mongod,
            MongoClient[dict[str, Any]](mongod.address) as client,
        ):
            ports.add(mongod.port)
            things = client.get_database("test", read_concern=ReadConcern("majority"))["things"]
            with client.start_session() as session, session.start_transaction():
                things.insert_one({"_id": run}, session=session)
            assert things.count_documents({}) == run + 1
    assert len(ports) == 2


def test_mongod_removes_what_was_not_to_be_kept() -> None:
    with Mongod(cache_gb=0.25) as mongod:
        directory = mongod.data
        assert directory.exists()
    assert not directory.exists()


@pytest.mark.usefixtures("kafka_bootstrap")
def test_the_broker_of_this_run_takes_and_gives(kafka_bootstrap: str) -> None:
    topic = f"t{uuid.uuid4().hex[:12]}.things"
    admin = KafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}})
    admin.close()
    producer = KafkaProducer(bootstrap_servers=kafka_bootstrap, enable_idempotence=False)
    eventually(lambda: producer.partitions_for(topic))
    producer.send(topic, b"one", partition=0).get(timeout=PATIENCE_SECONDS)
    producer.close()
    consumer = KafkaConsumer(
        bootstrap_servers=kafka_bootstrap, auto_offset_reset="earliest", fetch_max_wait_ms=100
    )
    consumer.assign([TopicPartition(topic, 0)])
    records = eventually(lambda: consumer.poll(timeout_ms=200))
    assert [record.value for batch in records.values() for record in batch] == [b"one"]
    consumer.close()


def test_mongod_and_the_broker_are_started_again(tmp_path: Path) -> None:
    """At the same addresses: the data are there, and the broker is an empty one."""
    with (
        Mongod(tmp_path, cache_gb=0.25) as mongod,
        EmbeddedBroker() as broker,
        MongoClient[dict[str, Any]](mongod.address) as client,
    ):
        things, cluster = client["test"]["things"], broker.cluster_id
        things.insert_one({"_id": "kept"})
        said = list[str]()
        supervisor = Supervisor([], said.append, [Backing(mongod), Backing(broker)])
        supervisor.start()
        try:
            os.kill(mongod.process.pid or 0, signal.SIGKILL)
            os.kill(broker.process.pid or 0, signal.SIGKILL)
            eventually(lambda: len(said) >= 2 and mongod.process.running and broker.process.running)
            things.insert_one({"_id": "new"})
            assert things.count_documents({}) == 2
            eventually(lambda: answers(broker.address))
            assert broker.cluster_id != cluster
        finally:
            supervisor.stop()


def test_each_broker_is_another_cluster() -> None:
    first, second = EmbeddedBroker(), EmbeddedBroker()
    assert first.cluster_id != second.cluster_id
