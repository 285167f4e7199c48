"""What MongoDB's failures mean: which may pass, and which only say that something was there before."""

from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    CursorNotFound,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)

DUPLICATE = 11000
# MongoDB's own words for "the same again may succeed": its labels, and the codes of its specification of retryable
# reads, which bear none (host or primary away or about to go, no majority yet, out of time).
LABELS = ("TransientTransactionError", "RetryableWriteError", "UnknownTransactionCommitResult")
CODES = frozenset({6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436})


def may_pass(error: Exception) -> bool:
    """Whether it is of the surroundings (no connection, time or majority), so that the same again may succeed."""
    if not isinstance(error, PyMongoError):
        return False
    # A cursor is forgotten when the server starts anew between two batches of a long answer.
    if isinstance(error, ConnectionFailure | CursorNotFound | WriteConcernError):
        return True
    if isinstance(error, BulkWriteError) and error.details.get("writeConcernErrors"):
        return True
    if isinstance(error, OperationFailure) and error.code in CODES:
        return True
    return error.timeout or any(error.has_error_label(label) for label in LABELS)


def only_duplicates(error: BulkWriteError) -> bool:
    """Whether what was not written is there already, and what was written is kept by a majority."""
    written = not error.details.get("writeConcernErrors")
    return written and all(failure["code"] == DUPLICATE for failure in error.details["writeErrors"])
