"""Which failures of MongoDB may pass."""

from typing import Any

import pytest
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    ExecutionTimeout,
    InvalidOperation,
    NotPrimaryError,
    OperationFailure,
    ServerSelectionTimeoutError,
    WriteConcernError,
    WTimeoutError,
)

from infra.storage.failures import may_pass, only_duplicates

DUPLICATE = {"code": 11000}


def bulk(*write_errors: dict[str, Any], unconfirmed: bool = False) -> BulkWriteError:
    concern = [{"code": 64, "errmsg": "waiting for replication timed out"}] if unconfirmed else []
    return BulkWriteError({"writeErrors": list(write_errors), "writeConcernErrors": concern})


@pytest.mark.parametrize(
    "error",
    [
        AutoReconnect("away"),
        ServerSelectionTimeoutError("away"),
        NotPrimaryError("not primary"),
        ExecutionTimeout("operation exceeded time limit", 50),
        WTimeoutError("waiting for replication timed out", 64),
        WriteConcernError("not enough members", 100),
        OperationFailure("interrupted", 11602),
        OperationFailure("operation exceeded time limit", 262),
        OperationFailure("conflict", 112, {"errorLabels": ["TransientTransactionError"]}),
        OperationFailure("committed?", 8, {"errorLabels": ["UnknownTransactionCommitResult"]}),
        bulk(unconfirmed=True),
        bulk(DUPLICATE, unconfirmed=True),
    ],
    ids=repr,
)
def test_what_is_of_the_surroundings_may_pass(error: Exception) -> None:
    """No connection, no primary, no time, no majority, a conflict of transactions: the same again may succeed."""
    assert may_pass(error)


@pytest.mark.parametrize(
    "error",
    [
        DuplicateKeyError("there", 11000),
        OperationFailure("document failed validation", 121),
        bulk(DUPLICATE),
        InvalidOperation("a bug"),
        ValueError("a bug"),
    ],
    ids=repr,
)
def test_what_is_of_the_matter_itself_stays(error: Exception) -> None:
    """The same again fails again."""
    assert not may_pass(error)


def test_only_what_is_there_already_is_no_failure() -> None:
    """Another one among them is, and so is a write that no majority has confirmed."""
    assert only_duplicates(bulk(DUPLICATE, DUPLICATE))
    assert not only_duplicates(bulk(DUPLICATE, {"code": 121}))
    assert not only_duplicates(bulk(DUPLICATE, unconfirmed=True))
    assert not only_duplicates(bulk(unconfirmed=True))
