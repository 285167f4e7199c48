"""Imports of files."""

from flask_smorest.fields import Upload
from marshmallow import fields

from infra.web.fields import Body, Boolean, EffectiveAt, Integer, OneOf, QueryBoolean, String, UuidStr, opt

from .common import Versioned

KINDS = ("employees", "units", "skills")


class ImportArgs(Body):
    """What to do with the file. complete: it lists all there are, so the missing are no longer in service."""

    kind = OneOf(*KINDS, required=True)
    dry_run = QueryBoolean(load_default=False)
    complete = QueryBoolean(load_default=False)
    effective_at = opt(EffectiveAt())


class ImportFile(Body):
    """CSV or XLSX."""

    file = Upload(required=True)


class ImportCountsOut(Body):
    """What became of the rows."""

    rows = Integer(required=True)
    created = Integer(required=True)
    updated = Integer(required=True)
    unchanged = Integer(required=True)
    rejected = Integer(required=True)


class ImportOut(Versioned):
    """An import and how far it is. problem: what stopped it, or what it left undone."""

    id = UuidStr(required=True)
    kind = OneOf(*KINDS, required=True)
    dry_run = Boolean(required=True)
    complete = Boolean(required=True)
    state = OneOf("queued", "running", "done", "failed", required=True)
    progress = fields.Float(required=True)
    counts = fields.Nested(ImportCountsOut(), required=True)
    ignored_columns = fields.List(String(), required=True)
    problem = fields.Dict(keys=fields.String(), allow_none=True, dump_default=None)


import_args = ImportArgs()
import_file = ImportFile()
import_out = ImportOut()
