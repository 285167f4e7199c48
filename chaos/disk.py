"""What a broker answers whose disk is broken: to requests of Kafka's protocol, each without its length."""

from typing import Any

from kafka.errors import KafkaStorageError
from kafka.protocol.producer import ProduceRequest, ProduceResponse

_API, _VERSION, _ID = slice(0, 2), slice(2, 4), slice(4, 8)
_API_VERSIONS = (18).to_bytes(2, "big")
_NO_CLIENT = b"\xff\xff"
_Topic = ProduceResponse.TopicProduceResponse


def written_to(request: bytes, words: str) -> set[str]:
    """The topics with such an end of the name to which the request writes; none when it does something else."""
    if int.from_bytes(request[_API], "big") != ProduceRequest.API_KEY:
        return set()
    return {topic.name for topic in _asked(request).topic_data if topic.name.endswith(words)}


def refusal(request: bytes) -> bytes:
    """KAFKA_STORAGE_ERROR for everything that the request would write."""
    answer = ProduceResponse(
        version=_version(request),
        responses=[
            _Topic(name=topic.name, partition_responses=[_broken(each) for each in topic.partition_data])
            for topic in _asked(request).topic_data
        ],
    )
    answer.with_header(int.from_bytes(request[_ID], "big"))
    return bytes(answer.encode(header=True))


def question(request: bytes) -> bytes:
    """What can be asked instead under the same number, and changes nothing: what the broker understands."""
    return _API_VERSIONS + bytes(2) + request[_ID] + _NO_CLIENT


def _asked(request: bytes) -> ProduceRequest:
    return ProduceRequest.decode(request, version=_version(request), header=True)


def _version(request: bytes) -> int:
    return int.from_bytes(request[_VERSION], "big")


def _broken(partition: Any) -> Any:
    return _Topic.PartitionProduceResponse(
        index=partition.index, error_code=KafkaStorageError.errno, base_offset=-1
    )
