"""An answer on its way out."""

import re
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from flask import Response

_WITHOUT_BODY = frozenset((204, 304))
_PLAIN_PATH = re.compile(r"/[A-Za-z0-9/_.~-]*")


class Answer(Response):
    """Flask's response, without going through headers and a body that are in their last form already."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answers at once where werkzeug would change nothing.

        The body stays a list then, which granian sends in one piece: what is iterated goes from thread to thread.
        """
        if not self._is_ready() or environ["REQUEST_METHOD"] == "HEAD":
            return super().__call__(environ, start_response)
        start_response(self.status, list(self.headers))
        body: list[bytes] = self.response  # type: ignore[assignment]
        return body

    def _is_ready(self) -> bool:
        # Only a body that was given whole has its length among the headers.
        if self.status_code in _WITHOUT_BODY or "Content-Length" not in self.headers:
            return False
        location = self.headers.get("Location")
        return location is None or _PLAIN_PATH.fullmatch(location) is not None
