"""The base of all schemas, with a quick way through for bodies that are right.

marshmallow collects all faults of a body and pays for it on every field. Most bodies have none: those are read
by a flat loop over the same fields, made once a schema. At the first fault the body goes marshmallow's way, which
tells all of them. So there is one contract, and the errors have one source. On the way out it is the same: what
has the type that goes out already is passed on, the rest is marshmallow's.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from marshmallow import RAISE, Schema, ValidationError, fields, missing
from marshmallow.decorators import POST_DUMP, POST_LOAD, PRE_DUMP, PRE_LOAD, VALIDATES, VALIDATES_SCHEMA

from infra.problems import Text

MOST_PARTS = 500
"""Members of an object, and items of an array, that may be looked at for faults; no right body has more."""
TOO_MANY = Text("Paling banyak {n} isian.", "At most {n} members or items.").format(n=MOST_PARTS)

Read = Callable[[Any], Any]

_ABSENT = object()
_HOOKS = (PRE_LOAD, POST_LOAD, VALIDATES, VALIDATES_SCHEMA)
_HOOKS_OUT = (PRE_DUMP, POST_DUMP)


class _Fault(Exception):
    """Something is not right; what, marshmallow says."""


class Strict:
    """Before a field class of marshmallow: reads by `read` alone, without that class's conversions.

    wire: the type that goes out as it is.
    """

    wire: type = str

    def read(self, value: Any) -> Any:
        """The value inside for the value outside; raises ValidationError."""
        raise NotImplementedError

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return self.read(value)


class _Step(NamedTuple):
    """One field: its name outside and inside, how it is read, and what stands for it when it is missing."""

    key: str
    attribute: str
    read: Read
    nullable: bool
    default: Any


class _StepOut(NamedTuple):
    """One field: its name inside and outside, what stands for it when it is missing, the type that passes as it
    is (None where there is no such type), and how everything else is written.
    """

    attribute: str
    key: str
    default: Any
    wire: type | None
    write: Callable[[Any, str, Any], Any]


class Body(Schema):
    """Base of every schema: an unknown field is an error, not something to pass over."""

    _steps: tuple[_Step, ...] | None = None
    _steps_out: tuple[_StepOut, ...] = ()
    _quick: bool | None = None
    _quick_out: bool | None = None

    class Meta:
        """marshmallow's options."""

        unknown = RAISE

    def load(self, data: Any, **options: Any) -> Any:
        """The content inside for the body outside; raises ValidationError with all faults."""
        if not options and self.quick:
            try:
                return self.read_quickly(data)
            except (ValidationError, _Fault):
                pass
        _refuse_heaps(data)
        return super().load(data, **options)

    @property
    def quick(self) -> bool:
        """Whether the flat loop means the same as marshmallow: no hooks, and nothing unknown let through."""
        if self._quick is None:
            plain = not (self.many or self.partial or any(self._hooks[hook] for hook in _HOOKS))
            self._quick = plain and self.unknown == RAISE
        return self._quick

    def read_quickly(self, data: Any) -> dict[str, Any]:
        """The quick way; raises on the first fault."""
        if type(data) is not dict:
            raise _Fault
        if self._steps is None:
            self._steps = tuple(_step(name, field) for name, field in self.load_fields.items())
        found: dict[str, Any] = {}
        known = 0
        for key, attribute, read, nullable, default in self._steps:
            value = data.get(key, _ABSENT)
            if value is _ABSENT:
                _fill(found, attribute, default)
                continue
            known += 1
            found[attribute] = None if value is None and nullable else read(value)
        if known != len(data):
            raise _Fault
        return found

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        """The body outside for what is inside."""
        if type(obj) is dict and not many and self.quick_out:
            return self.write_quickly(obj)
        return super().dump(obj, many=many)

    @property
    def quick_out(self) -> bool:
        """Whether the flat loop writes the same as marshmallow: no hooks, no paths as names, no made defaults."""
        if self._quick_out is None:
            hooked = any(self._hooks[hook] for hook in _HOOKS_OUT)
            steps = [_step_out(name, field) for name, field in self.dump_fields.items()]
            odd = any("." in step.attribute or callable(step.default) for step in steps)
            self._steps_out, self._quick_out = tuple(steps), not (self.many or hooked or odd)
        return self._quick_out

    def write_quickly(self, obj: dict[str, Any]) -> dict[str, Any]:
        """The quick way out."""
        written: dict[str, Any] = {}
        for attribute, key, default, wire, write in self._steps_out:
            value = obj.get(attribute, default)
            if type(value) is wire or (value is None and wire):
                written[key] = value
            elif value is not missing:
                written[key] = write(value, attribute, obj)
        return written


def _refuse_heaps(data: Any) -> None:
    """A body of 1 MiB can have 100,000 faults: telling them all would take seconds and tens of megabytes."""
    if not isinstance(data, dict):
        return
    if len(data) > MOST_PARTS:
        raise ValidationError([TOO_MANY])
    if heaps := [name for name, value in data.items() if isinstance(value, list) and len(value) > MOST_PARTS]:
        raise ValidationError({name: [TOO_MANY] for name in heaps})


def _fill(found: dict[str, Any], attribute: str, default: Any) -> None:
    """What stands for a missing field."""
    if default is _Fault:
        raise _Fault
    if default is not _ABSENT:
        found[attribute] = default() if callable(default) else default


def _step(name: str, field: "fields.Field[Any]") -> _Step:
    default = field.load_default
    if field.required:
        default = _Fault
    elif default is missing:
        default = _ABSENT
    return _Step(field.data_key or name, field.attribute or name, _reader(field), bool(field.allow_none), default)


def _reader(field: "fields.Field[Any]") -> Read:
    """How the field reads a value that is there and may not be None."""
    read = _plain_reader(field)
    validators = tuple(field.validators)
    if not validators:
        return read

    def validated(value: Any) -> Any:
        made = read(value)
        for validator in validators:
            validator(made)
        return made

    return validated


def _plain_reader(field: "fields.Field[Any]") -> Read:
    if isinstance(field, Strict):
        return field.read
    if isinstance(field, fields.List):
        return _list_reader(field)
    if isinstance(field, fields.Nested) and not field.many and field.unknown is None:
        schema = field.schema
        if isinstance(schema, Body) and schema.quick:
            return schema.read_quickly
    # Runs the field's validators as well; running them twice does no harm.
    return field.deserialize


def _list_reader(field: "fields.List[Any]") -> Read:
    read, nullable = _reader(field.inner), bool(field.inner.allow_none)

    def items(value: Any) -> list[Any]:
        if type(value) is not list:
            raise _Fault
        if nullable:
            return [None if item is None else read(item) for item in value]
        return [read(item) for item in value]

    return items


def _step_out(name: str, field: "fields.Field[Any]") -> _StepOut:
    wire = field.wire if isinstance(field, Strict) else None
    key = name if field.data_key is None else field.data_key
    return _StepOut(field.attribute or name, key, field.dump_default, wire, field._serialize)
