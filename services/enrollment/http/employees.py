"""`/employees` and their guide approvals."""

from collections.abc import Sequence
from typing import Any

from infra.actor import Actor
from infra.problems import Refused, Text, unknown
from infra.storage.aggregates import Stored
from infra.web.auth import current_actor
from infra.web.blueprint import Blueprint, json_body, load_item
from infra.web.conditional import with_etag
from infra.web.errors import problem
from infra.web.paging import list_of, piece

from .. import words
from ..commands import employees as commands
from ..commands import guides
from ..commands.employees import Result
from ..commands.saving import found
from ..context import Context
from ..domain import access, nip
from ..domain.employees import Employee
from ..domain.fields import EmployeeInput
from ..domain.guides import Ground
from ..schemas import employees as schemas
from ..schemas.common import NoArgs
from .common import Shown, activity, activity_out, audited, listed, right, with_times
from .filters import employee_filter

MOST = 500
TOO_MANY = Text("Paling banyak {n} pegawai sekaligus.", "At most {n} employees at once.")
ONE_OR_MANY = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {
                "oneOf": [
                    schemas.employee_in,
                    {"type": "array", "maxItems": MOST, "items": schemas.employee_in},
                ]
            }
        }
    },
}


def people(context: Context, actor: Actor, found_: Sequence[Stored[Employee]]) -> list[Shown]:
    """Employees as this reader sees them: NIP, mail and telephone only for HR and oneself."""
    grounds = guides.grounds(context, {stored.state.id: stored.state for stored in found_})
    return [_shown(actor, stored, grounds[stored.state.id]) for stored in found_]


def _shown(actor: Actor, stored: Stored[Employee], grounds: Sequence[Ground]) -> Shown:
    state, now = stored.state, stored.state.now
    contacts = access.sees_contacts(actor, state.id)
    return with_times(
        stored,
        id=state.id,
        name=state.name,
        status=now.status,
        unit=now.unit,
        position=now.position,
        position_kind=now.position_kind,
        echelon=now.echelon,
        supervisor_id=now.supervisor_id,
        active=now.active,
        skills=[
            {"competency": code, "level": skill.level, "since": skill.since, "source": skill.source}
            for code, skill in sorted(state.levels().items())
        ],
        may_guide=[{"ground": each.ground, "competency": each.competency} for each in grounds],
        nip=state.nip if contacts else None,
        email=state.email if contacts else None,
        phone=state.phone if contacts else None,
    )


def visible(context: Context, actor: Actor, employee_id: str) -> Stored[Employee]:
    """The employee; 404 for whom the actor must not know of."""
    stored = found(context.store.employees.get(employee_id), words.EMPLOYEE)
    if access.is_own(actor, employee_id):
        return stored
    if not context.sight(actor).of_employee(employee_id, stored.state.now.unit):
        raise unknown(words.EMPLOYEE)
    return stored


def blueprint(context: Context) -> Blueprint:
    """The resource over this context."""
    blp = Blueprint("employees", __name__, url_prefix="/employees", description="The people.")
    _read(blp, context)
    _write(blp, context)
    return audited(blp)


def _read(blp: Blueprint, context: Context) -> None:
    """Routes that show."""
    store = context.store

    @blp.route("")
    @right("employees.list")
    @blp.arguments(schemas.employee_args, location="query")
    @blp.response(200, list_of(schemas.EmployeeOut))
    def listing(args: dict[str, Any]) -> Shown:
        """List employees of a unit and all below it, by name, or those who may guide."""
        actor = current_actor()
        query = employee_filter(context, actor, args)
        items, after = listed(store.employees, query, args, [("unit", 1), ("_id", 1)])
        return {"items": people(context, actor, items), "next": after}

    @blp.route("/<id:employee_id>")
    @right("employees.read")
    @blp.response(200, schemas.employee_out)
    def get(employee_id: str) -> Any:
        """Show an employee."""
        actor = current_actor()
        stored = visible(context, actor, employee_id)
        return with_etag(people(context, actor, [stored])[0], stored.version, cacheable=False)

    @blp.route("/<id:employee_id>/activity")
    @right("employees.read")
    @blp.arguments(NoArgs(), location="query")
    @blp.response(200, activity_out)
    def history(args: dict[str, Any], employee_id: str) -> Shown:
        """Tell who did what to an employee's record."""
        actor = current_actor()
        visible(context, actor, employee_id)
        return activity(store.employees, employee_id, words.EMPLOYEE, args, notes=access.sees_reasons(actor))


def _write(blp: Blueprint, context: Context) -> None:
    """Routes that change."""
    store = context.store

    @blp.route("", methods=["PUT"])
    @right("employees.write")
    @blp.doc(requestBody=ONE_OR_MANY)
    @blp.response(200, schemas.results_out)
    def put() -> Shown:
        """Create or change one employee or up to 500; the key is the NIP."""
        actor = current_actor()
        body = json_body()
        if isinstance(body, list) and len(body) > MOST:
            raise Refused("too-large", TOO_MANY.format(n=MOST), status=413)
        if not isinstance(body, list):
            return {"items": _results(context, actor, [_input(load_item(schemas.employee_in, body))], [""])}
        places = [f"/{index}" for index in range(len(body))]
        return {"items": _results(context, actor, [_one_of_many(item) for item in body], places)}

    @blp.route("/search", methods=["POST"])
    @right("employees.list")
    @blp.arguments(NoArgs(), location="query")
    @blp.arguments(schemas.search_in)
    @blp.response(200, list_of(schemas.EmployeeOut))
    def search(args: dict[str, Any], body: dict[str, Any]) -> Shown:
        """Find an employee by NIP, which must not stand in an address."""
        actor = current_actor()
        sight = context.sight(actor)
        known = store.by_nip([nip.normalise(body["nip"])]).values()
        seen = [stored for stored in known if sight.of_employee(stored.state.id, stored.state.now.unit)]
        return piece(people(context, actor, seen), args)


def _one_of_many(item: Any) -> EmployeeInput | Refused:
    """One of a list; what its shape shows to be wrong rejects this one alone."""
    try:
        return _input(load_item(schemas.employee_in, item))
    except Refused as refused:
        return refused


def _input(body: dict[str, Any]) -> EmployeeInput:
    return EmployeeInput(**body | {"active": body["active"] is not False})


def _results(
    context: Context, actor: Actor, inputs: Sequence[EmployeeInput | Refused], places: Sequence[str]
) -> list[Shown]:
    """One result for each, in order. places: where each stands in the body, as JSON pointers."""
    good = [given for given in inputs if isinstance(given, EmployeeInput)]
    results = iter(commands.put_employees(context, actor, good, None) if good else [])
    items = []
    for index, (given, place) in enumerate(zip(inputs, places, strict=True)):
        if isinstance(given, Refused):
            result = Result(outcome="rejected", id=None, version=None, refused=given)
        else:
            result = next(results)
        items.append(
            {
                "index": index,
                "id": result.id,
                "outcome": result.outcome,
                "version": result.version,
                "problem": problem(result.refused.below(place)) if result.refused else None,
            }
        )
    return items
