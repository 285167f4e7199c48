"""Refusals in two languages: what a rule or an edge check says when it says no.

Pure: the web layer turns a `Refused` into an RFC 9457 answer, a consumer into a dead letter.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

Language = Literal["id", "en"]


class Text(NamedTuple):
    """One sentence in Indonesian and English; `{names}` are filled in by `format`."""

    id: str
    en: str

    def format(self, **values: object) -> "Text":
        """The same sentence with its placeholders filled."""
        return Text(self.id.format(**values), self.en.format(**values))

    def say(self, language: Language) -> str:
        """The sentence in one language."""
        return self.en if language == "en" else self.id


class FieldError(NamedTuple):
    """What is wrong with one input: a JSON pointer into the body, or `?name` for a query parameter."""

    pointer: str
    detail: Text


class Refused(Exception):
    """The request can't be carried out; nothing was changed.

    rule: name of the refusing rule, never translated. status: HTTP status it maps to. errors: the fields to
    blame. current: the resource as it is now, where the client must look at it first. retry: whether the same
    request may succeed later without a change.
    """

    def __init__(
        self,
        rule: str,
        detail: Text,
        *,
        status: int = 409,
        errors: Sequence[FieldError] = (),
        current: Mapping[str, Any] | None = None,
        retry: bool | None = None,
    ) -> None:
        super().__init__(rule)
        self.rule = rule
        self.detail = detail
        self.status = status
        self.errors = tuple(errors)
        self.current = current
        self.retry = retry

    def below(self, pointer: str) -> "Refused":
        """The same refusal of an item that stands at the pointer in its request's body."""
        errors = [FieldError(pointer + error.pointer, error.detail) for error in self.errors]
        return Refused(
            self.rule, self.detail, status=self.status, errors=errors, current=self.current, retry=self.retry
        )


def unknown(what: Text) -> Refused:
    """404: it doesn't exist, or the caller must not know that it does."""
    detail = Text(f"{what.id} tidak ditemukan.", f"{what.en} was not found.")
    return Refused("unknown", detail, status=404)


def forbidden(detail: Text) -> Refused:
    """403: the caller has no right to do this."""
    return Refused("forbidden", detail, status=403)


def invalid(*errors: FieldError) -> Refused:
    """422: the body or query alone shows that it is wrong."""
    detail = Text("Ada isian yang tidak sah.", "Some of the input is not valid.")
    return Refused("invalid", detail, status=422, errors=errors)


def stale(current: Mapping[str, Any]) -> Refused:
    """412: the change was based on an older version than `current`."""
    detail = Text(
        "Data sudah berubah sejak Anda membacanya; periksa keadaan sekarang lalu ulangi.",
        "It has changed since you read it; look at the current state and try again.",
    )
    return Refused("stale", detail, status=412, current=current)


def needs_version(current: Mapping[str, Any]) -> Refused:
    """428: content would change, so the request must say on which version it is based."""
    detail = Text(
        "Sertakan If-Match dengan versi yang Anda ubah.",
        "Send If-Match with the version that you are changing.",
    )
    return Refused("if-match-required", detail, status=428, current=current)


def check_same_request(stored_hash: str | None, request_hash: str | None) -> None:
    """422 `idempotency-key-reused` where the key was used with another body before."""
    if stored_hash != request_hash:
        detail = Text(
            "Idempotency-Key ini sudah dipakai untuk permintaan lain.",
            "This Idempotency-Key was already used for another request.",
        )
        raise Refused("idempotency-key-reused", detail, status=422, errors=[FieldError("", detail)])
