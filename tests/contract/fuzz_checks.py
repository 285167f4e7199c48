"""Two of schemathesis's checks, less what no schema can say: each exception is narrow and has its reason.

Loaded by schemathesis itself (`SCHEMATHESIS_HOOKS`), in place of `positive_data_acceptance` and
`negative_data_rejection`.
"""

from typing import Any

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.openapi.checks import RejectedPositiveData
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

# A good body may meet a record that has changed, or a key that was used before.
BY_STATE = {
    "if-match-required": "428: the record exists already, and the change doesn't say which version it is based on",
    "stale": "412: the change is based on a version that is not the present one",
    "idempotency-key-reused": "422: the key stands for another body",
}
# Fields that are right by themselves and wrong beside another one.
BY_NEIGHBOUR = {
    "?cursor": "a cursor is only good when the list itself gave it",
    "?part": "each figure has parts of its own",
    "?from": "not after `to`, and not more periods before it than a series may have",
    "?to": "not before `from`",
    "?complete": "a list of skills is never complete",
    "/ends_on": "not before `starts_on`",
    "/cursor": "a cursor is only good when the sync itself gave it",
    "/feedback": "only together with a confirmation",
    "/reason": "a dispute must give one",
    "/file": "any file may be sent; whether it is a table shows when it is read",
}
# These judge each of their items for itself: one bad item never loses the others.
ITEM_BY_ITEM = {"POST /v1/sync": ("results", "status"), "PUT /v1/employees": ("items", "outcome")}


@schemathesis.check
def valid_data_is_taken(ctx: Any, response: Any, case: Any) -> None:
    """What the schema allows is not refused, but for BY_STATE and BY_NEIGHBOUR."""
    try:
        positive_data_acceptance(ctx, response, case)
    except RejectedPositiveData:
        if not _is_excused(_body(response)):
            raise


@schemathesis.check
def wrong_data_is_refused(ctx: Any, response: Any, case: Any) -> None:
    """What the schema forbids is refused: the whole request (413: too many items), or the item that is wrong."""
    try:
        negative_data_rejection(ctx, response, case)
    except AcceptedNegativeData:
        if response.status_code == 413:
            return
        items, outcome = ITEM_BY_ITEM.get(case.operation.label, ("", ""))
        answers = _body(response).get(items, ())
        if not any(item[outcome] in ("refused", "rejected") for item in answers):
            raise


def _is_excused(problem: dict[str, Any]) -> bool:
    if problem.get("rule") in BY_STATE:
        return True
    pointers = {error["pointer"] for error in problem.get("errors", ())}
    return bool(pointers) and pointers <= BY_NEIGHBOUR.keys()


def _body(response: Any) -> dict[str, Any]:
    content = response.json()
    return content if isinstance(content, dict) else {}
