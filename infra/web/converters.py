"""Path parameters: `<id:session_id>` is a lower-case UUID, `<code:unit>` a code; anything else is 404."""

from werkzeug.routing import BaseConverter

from infra.web.shapes import CODE_SHAPE, UUID_SHAPE


class IdConverter(BaseConverter):
    """A lower-case UUID, as text."""

    regex = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


class CodeConverter(BaseConverter):
    """1-64 characters without `/`, control characters or blanks around them."""

    regex = r"[^/\s\x00-\x1f\x7f](?:[^/\x00-\x1f\x7f]{0,62}[^/\s\x00-\x1f\x7f])?"


CONVERTERS: dict[str, type[BaseConverter]] = {"id": IdConverter, "code": CodeConverter}

SCHEMAS: dict[type[BaseConverter], dict[str, object]] = {
    IdConverter: {"type": "string", "format": "uuid", "pattern": UUID_SHAPE},
    CodeConverter: {"type": "string", "minLength": 1, "maxLength": 64, "pattern": CODE_SHAPE},
}
