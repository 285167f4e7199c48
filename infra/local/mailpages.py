"""The mail sink's pages: a list, one mail, its HTML in a sandbox, and the same as JSON."""

import json
import threading
from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from jinja2 import Environment, FileSystemLoader

from infra.local.mailbox import Mail, Mailbox
from infra.local.ports import LOOPBACK

_PAGE = 100
_MOST = 10_000
_OWN_PAGES = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'self'"
# A mail's HTML is shown as a picture would be: no script, no form, nothing fetched.
_FOREIGN_HTML = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_HTML, _JSON, _TEXT = "text/html; charset=utf-8", "application/json", "text/plain; charset=utf-8"
_templates = Environment(loader=FileSystemLoader(Path(__file__).parent / "pages"), autoescape=True)

Page = tuple[str, bytes, str]
"""Content type, body, content security policy."""


class MailPages:
    """Serves one mailbox on a loopback port, from a thread."""

    def __init__(self, mailbox: Mailbox, port: int) -> None:
        self._mailbox = mailbox
        self._port = port
        self._server: ThreadingHTTPServer | None = None

    def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        self._server = ThreadingHTTPServer((LOOPBACK, self._port), _handler(self._mailbox))
        threading.Thread(target=self._server.serve_forever, name="mail pages", daemon=True).start()

    def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()


def _handler(mailbox: Mailbox) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers GET only."""

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(address.query).items()}
            page = _route(mailbox, address.path, query)
            status = HTTPStatus.OK if page else HTTPStatus.NOT_FOUND
            kind, body, policy = page or (_TEXT, b"There is no such page.\n", _OWN_PAGES)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Security-Policy", policy)
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Silent: nobody needs a line for each look at a mail."""

    return Handler


def _route(mailbox: Mailbox, path: str, query: dict[str, str]) -> Page | None:  # noqa: PLR0911 - a table of routes
    parts = [part for part in path.split("/") if part]
    match parts:
        case []:
            return _list(mailbox, query)
        case ["api", "messages"]:
            return _list_json(mailbox, query)
        case ["api", "messages", number]:
            return _one(mailbox, number, _one_json)
        case ["messages", number]:
            return _one(mailbox, number, _one_page)
        case ["messages", number, "html"]:
            return _one(mailbox, number, _one_html)
        case ["messages", number, "raw"] if number.isdecimal():
            raw = mailbox.raw(int(number))
            return (_TEXT, raw, _OWN_PAGES) if raw is not None else None
    return None


def _list(mailbox: Mailbox, query: dict[str, str]) -> Page:
    words = query.get("q", "")
    mails = mailbox.find(words, before=_number(query.get("before")), limit=_PAGE)
    older = mails[-1].number if len(mails) == _PAGE else None
    html = _templates.get_template("list.html").render(mails=mails, words=words, older=older, total=len(mailbox))
    return _HTML, html.encode(), _OWN_PAGES


def _list_json(mailbox: Mailbox, query: dict[str, str]) -> Page:
    limit = min(_number(query.get("limit")) or _PAGE, _MOST)
    mails = mailbox.find(query.get("q", ""), before=_number(query.get("before")), limit=limit)
    body = {"total": len(mailbox), "items": [asdict(mail) for mail in mails]}
    return _JSON, json.dumps(body).encode(), _OWN_PAGES


def _one(mailbox: Mailbox, number: str, show: Callable[[Mail], Page | None]) -> Page | None:
    mail = mailbox.get(int(number)) if number.isdecimal() else None
    return show(mail) if mail else None


def _one_json(mail: Mail) -> Page:
    return _JSON, json.dumps(asdict(mail)).encode(), _OWN_PAGES


def _one_page(mail: Mail) -> Page:
    return _HTML, _templates.get_template("mail.html").render(mail=mail).encode(), _OWN_PAGES


def _one_html(mail: Mail) -> Page | None:
    return (_HTML, mail.html.encode(), _FOREIGN_HTML) if mail.html is not None else None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None
