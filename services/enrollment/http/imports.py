"""`/imports`."""

import csv
import hashlib
import io
from typing import Any

from flask import Response

from infra.problems import FieldError, Text, check_same_request, invalid
from infra.web.auth import current_actor
from infra.web.blueprint import Blueprint, body_limit
from infra.web.conditional import with_etag
from infra.web.context import language
from infra.web.errors import problem
from infra.web.paging import list_of, piece

from ..context import Context
from ..domain.imports import Import
from ..importing.store import Imports, Rejects, StoredImport
from ..schemas import imports as schemas
from ..schemas.common import NoArgs
from .common import Shown, activity_out, audited, new, right

MOST_BYTES = 10 * 1024 * 1024
CSV_FILE = {"type": "string"}
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def shown(stored: StoredImport) -> Shown:
    """An import as its readers see it."""
    state = stored.state
    return {
        "id": state.id,
        "kind": state.kind,
        "dry_run": state.dry_run,
        "complete": state.complete,
        "state": state.state,
        "progress": state.progress,
        "counts": state.counts,
        "ignored_columns": state.ignored_columns,
        "problem": problem(state.problem.refusal()) if state.problem else None,
        "version": stored.version,
        "effective_at": stored.effective_at,
        "updated_at": stored.updated_at,
    }


def blueprint(context: Context) -> Blueprint:
    """The resource over this context."""
    blp = Blueprint("imports", __name__, url_prefix="/imports", description="Files taken in as jobs.")
    _read(blp, context)
    _write(blp, context)
    return audited(blp)


def _read(blp: Blueprint, context: Context) -> None:
    """Routes that show."""
    imports = Imports(context.store)

    @blp.route("")
    @right("imports.read")
    @blp.arguments(NoArgs(), location="query")
    @blp.response(200, list_of(schemas.ImportOut))
    def listing(args: dict[str, Any]) -> Shown:
        """List imports, the latest first."""
        items, after = imports.page(args["limit"], args["cursor"])
        return {"items": [shown(stored) for stored in items], "next": after}

    @blp.route("/<id:import_id>")
    @right("imports.read")
    @blp.response(200, schemas.import_out)
    def get(import_id: str) -> Any:
        """Show an import and how far it is."""
        stored = imports.get(import_id)
        return with_etag(shown(stored), stored.version)

    @blp.route("/<id:import_id>/rejects.csv")
    @right("imports.rejects")
    @blp.response(200, CSV_FILE, content_type="text/csv")  # type: ignore[arg-type]
    def rejects(import_id: str) -> Response:
        """Fetch the rejected rows as CSV: their own columns, then row, field and reason."""
        imports.get(import_id)
        found = imports.rejects(import_id)
        name = f'attachment; filename="rejects-{import_id}.csv"'
        body = _csv(found)
        return Response(body, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": name})

    @blp.route("/<id:import_id>/activity")
    @right("imports.read")
    @blp.arguments(NoArgs(), location="query")
    @blp.response(200, activity_out)
    def history(args: dict[str, Any], import_id: str) -> Shown:
        """Tell who did what to an import."""
        imports.get(import_id)
        return piece(imports.activity(import_id), args)


def _write(blp: Blueprint, context: Context) -> None:
    """Routes that change."""
    imports = Imports(context.store)

    @blp.route("", methods=["POST"])
    @right("imports.write")
    @body_limit(MOST_BYTES)
    @blp.arguments(schemas.import_args, location="query")
    @blp.arguments(schemas.import_file, location="files")
    @blp.response(202, schemas.import_out)
    def create(args: dict[str, Any], files: dict[str, Any]) -> Any:
        """Import a CSV or XLSX file of employees, units or skills."""
        actor = current_actor()
        if args["complete"] and args["kind"] == "skills":
            text = Text("Hanya untuk pegawai dan unit.", "Only for employees and units.")
            raise invalid(FieldError("?complete", text))
        content: bytes = files["file"].read()
        post = new("POST /imports", repr(sorted(args.items())).encode() + hashlib.sha256(content).digest())
        stored = imports.known(post.id)
        if stored is not None:
            check_same_request(stored.request, post.request)
        else:
            when = context.when(args["effective_at"])
            state = Import(
                id=post.id,
                kind=args["kind"],
                dry_run=args["dry_run"],
                complete=args["complete"],
                default_at=when.effective_at,
                dated=when.dated,
                requested_by=actor.sub,
            )
            stored = imports.add(state, content, post, when)
        place = f"/v1/imports/{stored.state.id}"
        return with_etag(shown(stored), stored.version, status=202, location=place)


def _csv(found: Rejects) -> str:
    """Delimited as the file was, so that it can be corrected and sent again; with a mark for spreadsheets."""
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out, delimiter=found.delimiter)
    headings = found.headings
    writer.writerow([*map(_safe, headings), "row", "field", "reason"])
    say = 1 if language() == "en" else 0
    for reject in found.rows:
        cells = [*reject.cells, *[""] * (len(headings) - len(reject.cells))][: len(headings)]
        writer.writerow([*map(_safe, cells), reject.row, reject.field, reject.reason[say]])
    return out.getvalue()


def _safe(cell: str) -> str:
    """A spreadsheet takes such a cell for a formula; an apostrophe keeps it a text."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
