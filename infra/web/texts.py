"""Fields of text: a line, prose, codes, addresses, ids, words of a list.

Users import them from `infra.web.fields`.
"""

import re
from typing import Any

from marshmallow import ValidationError, fields, validate

from infra.letters import TOO_MANY_MARKS, composed, overloaded
from infra.problems import Text
from infra.web.bodies import Strict
from infra.web.shapes import BLANK_OR_PROSE_SHAPE, CODE_SHAPE, LINE_SHAPE, PROSE_SHAPE, UNWANTED, UUID_SHAPE

# Lone surrogates, too, which no pattern of a schema can name.
_UNWANTED = rf"{UNWANTED}\ud800-\udfff"
_CONTROL = re.compile(rf"[\x00-\x1f\u2028\u2029{_UNWANTED}]")
_CONTROL_IN_PROSE = re.compile(rf"[\x00-\x08\x0b-\x1f{_UNWANTED}]")
_UUID = re.compile(UUID_SHAPE)
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL = re.compile(rf"[^@\s\"<>,;:()\[\]\\]{{1,64}}@(?:{_LABEL}\.)+[a-z]{{2,63}}", re.IGNORECASE | re.ASCII)

NO_STRING = Text("Harus teks.", "Must be text.")
BLANK = Text("Tidak boleh kosong.", "Must not be blank.")
CONTROL = Text("Berisi karakter yang tidak diperbolehkan.", "Contains characters that are not allowed.")
TOO_LONG = Text("Paling banyak {max} karakter.", "At most {max} characters.")
TRIMMED = Text("Tidak boleh diawali atau diakhiri spasi.", "Must not begin or end with a blank.")
NO_SLASH = Text("Tidak boleh berisi '/'.", "Must not contain '/'.")
NO_UUID = Text("Harus UUID dengan huruf kecil.", "Must be a lower-case UUID.")
NO_EMAIL = Text("Bukan alamat surel yang sah.", "Is not a valid mail address.")


def wrong(text: Text) -> ValidationError:
    """A validation error whose message speaks both languages; for fields and `@validates_schema` hooks."""
    return ValidationError([text])


class String(Strict, fields.String):
    """One line of text without control characters, NFC, not blank, at most `max` characters."""

    control = _CONTROL
    shape = LINE_SHAPE

    def __init__(self, *, max: int = 200, **kwargs: Any) -> None:  # noqa: A002 - as marshmallow names it
        self.max = max
        told = {"maxLength": max, "minLength": 1, "pattern": self.shape}
        kwargs["metadata"] = {**told, **kwargs.get("metadata", {})}
        super().__init__(**kwargs)

    def read(self, value: Any) -> str:
        """The text as it is, but NFC."""
        return self.told(self.plain(value))

    def told(self, text: str) -> str:
        """The text that `plain` gave, in composed letters; a blank is refused."""
        if not text.strip():
            raise wrong(BLANK)
        if overloaded(text):
            raise wrong(TOO_MANY_MARKS)
        return composed(text)

    def plain(self, value: Any) -> str:
        """The text, perhaps blank."""
        if not isinstance(value, str):
            raise wrong(NO_STRING)
        if len(value) > self.max:
            raise wrong(TOO_LONG.format(max=self.max))
        if self.control.search(value):
            raise wrong(CONTROL)
        return value


class Free(String):
    """Prose: line breaks and tabs are fine; a carriage return before a line break is dropped.

    Optional prose that is blank is prose not given: forms and phones send `""` for a field that was left empty.
    """

    control = _CONTROL_IN_PROSE
    shape = PROSE_SHAPE
    _bears_blank = False

    def __init__(self, *, max: int = 4000, **kwargs: Any) -> None:  # noqa: A002 - as marshmallow names it
        super().__init__(max=max, **kwargs)

    def bear_blank(self) -> None:
        """Reads a blank as None from now on; `opt` says so."""
        self._bears_blank = True
        self.metadata = {**self.metadata, "minLength": 0, "pattern": BLANK_OR_PROSE_SHAPE}

    def read(self, value: Any) -> Any:
        """The prose; None for a blank that is borne."""
        text = self.plain(value)
        if self._bears_blank and not text.strip():
            return None
        return self.told(text)

    def plain(self, value: Any) -> str:
        """The prose with plain line breaks, perhaps blank."""
        return super().plain(value.replace("\r\n", "\n") if isinstance(value, str) else value)


class Code(String):
    """A key that people choose: 1-64 characters, no `/`, no blanks around it."""

    shape = CODE_SHAPE

    def __init__(self, *, max: int = 64, **kwargs: Any) -> None:  # noqa: A002 - as marshmallow names it
        super().__init__(max=max, **kwargs)

    def read(self, value: Any) -> str:
        """The code, unchanged."""
        code = super().read(value)
        if code != code.strip():
            raise wrong(TRIMMED)
        if "/" in code:
            raise wrong(NO_SLASH)
        return code


class Email(String):
    """A mail address as people have them; ASCII domain."""

    def __init__(self, *, max: int = 254, **kwargs: Any) -> None:  # noqa: A002 - as marshmallow names it
        kwargs["metadata"] = {"format": "email", **kwargs.get("metadata", {})}
        super().__init__(max=max, **kwargs)

    def read(self, value: Any) -> str:
        """The address, unchanged."""
        address = super().read(value)
        if not _EMAIL.fullmatch(address):
            raise wrong(NO_EMAIL)
        return address


class UuidStr(Strict, fields.String):
    """A lower-case UUID with its hyphens, kept as text."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["metadata"] = {"format": "uuid", "pattern": UUID_SHAPE, **kwargs.get("metadata", {})}
        super().__init__(**kwargs)

    def read(self, value: Any) -> str:
        """The id, unchanged."""
        if not isinstance(value, str) or not _UUID.fullmatch(value):
            raise wrong(NO_UUID)
        return value


class OneOf(Strict, fields.String):
    """One of a few words."""

    def __init__(self, *choices: str, **kwargs: Any) -> None:
        super().__init__(validate=validate.OneOf(choices), **kwargs)

    def read(self, value: Any) -> str:
        """The word; whether it is one of them is checked by the validator."""
        if not isinstance(value, str):
            raise wrong(NO_STRING)
        return value
