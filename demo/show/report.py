"""The tables at the end: the city's figures, one office, what was refused, and the recount's verdict."""

from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from demo.ledger import Ledger
from demo.play.callers import Caller
from demo.play.cast import Cast
from demo.play.mails import Post
from demo.recount.compare import Line
from demo.story.skills import MASTERED
from demo.story.words import LETTERS
from infra.wording import counted


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)


def figures(console: Console, rows: Sequence[tuple[str, list[Any]]], reporting: str) -> None:
    """The figures of the city, one column a period, and below them the address of each one's evidence."""
    table = _table("The city's figures")
    table.add_column("figure", no_wrap=True)
    for period, _ in rows:
        table.add_column(period, justify="right", no_wrap=True)
    newest = rows[-1][1]
    by_period = [{(row["id"], row["part"]): row for row in found} for _, found in rows]
    for row in newest:
        table.add_row(row["name"], *(_shown(found.get((row["id"], row["part"]))) for found in by_period))
    console.print()
    console.print(table)
    console.print("The records behind them, for whoever has the leader's token (&unit=<code>: of a smaller place)")
    for row in newest:
        # The batch was trained in the first of the periods.
        period = rows[0 if row["id"] == "training_funnel" else -1][0]
        part = f"&part={row['part']}" if row["part"] else ""
        address = f"{reporting}/v1/kpis/{row['id']}/evidence?period={period}{part}"
        console.print(f"  {address}", highlight=False, soft_wrap=True)


def _shown(row: Any) -> str:
    """A figure for people: the value, and what was divided by what."""
    if row is None or row["value"] is None:
        return "-"
    value = Decimal(str(row["value"]))
    if row["measure"] == "ratio":
        return f"{value:.1%}  ({row['numerator']:,} of {row['denominator']:,})"
    if row["denominator"] is None:
        return f"{row['numerator']:,}"
    # Minutes over 60 tell the reader nothing beside the hours.
    behind = "" if row["measure"] == "hours" else f"  ({row['numerator']:,} / {row['denominator']:,})"
    return f"{value:,.2f}{behind}"


def office(console: Console, cast: Cast, reporting: Caller, period: str) -> None:
    """What became of the office where nobody could draft a letter."""
    told = cast.story.office
    unit = cast.story.city.units[told.unit]
    staff = cast.story.city.staff(told.unit)
    before = sum(cast.story.levels.get((person.nip, LETTERS), 0) >= MASTERED for person in staff)
    found = reporting.get("reporting", "/gaps", unit=told.unit, period=period)["items"]
    gap = next(item for item in found if item["competency"] == LETTERS)
    first, second = told.learners
    third = told.next_learner
    meetings = Counter(meeting.pair.key for meeting in cast.story.meetings)
    early, late, cascade = (meetings[pair.key] for pair in cast.story.office_pairs)
    urls = cast.services.urls
    console.print(f"\n[bold]One office: {unit.name} ({unit.code})[/bold]")
    lines = (
        f"{len(staff)} staff, {before} could draft a letter; {gap['needed']} are needed.",
        f"{told.guide.name} of the district mentored {first.name} ({early} sessions) and {second.name} ({late}).",
        f"{told.head.name}, the head, endorsed both. Now {gap['have']} can, {gap['missing']} are missing.",
        f"{first.name} became a guide and mentors {third.name} ({cascade} sessions so far).",
        f"Evidence: {urls['reporting']}/v1/kpis/gaps_closed/evidence?period={period}&unit={unit.code}",
        f"          {urls['reporting']}/v1/gaps?period={period}&unit={unit.code}",
        f"          {urls['sessions']}/v1/employees/{cast.id(first.nip)}/progress",
    )
    for line in lines:
        console.print(f"  {line}", highlight=False, soft_wrap=True)


def refusals(console: Console, ledger: Ledger) -> None:
    """What was refused, by rule, and whether the story had foreseen it."""
    table = _table("Refused, and why")
    for heading in ("rule", "times", "who", "what"):
        table.add_column(heading, justify="right" if heading == "times" else "left")
    for rule, times in sorted(ledger.refused_by_rule().items()):
        some = next(refusal for refusal in ledger.refusals if refusal.rule == rule)
        table.add_row(rule, str(times), some.who, some.what)
    console.print()
    console.print(table)
    console.print(
        f"Besides, {counted(ledger.sent_again, 'item')} came before the pairing was known and was sent again; "
        f"{ledger.repeats_unchanged} came twice and changed nothing.",
        highlight=False,
    )
    for surprise in ledger.surprises():
        console.print(f"[red]{surprise.what}: {surprise.expected} was expected, {surprise.rule} came[/red]")


def mails(console: Console, post: Post, mail_url: str) -> None:
    """Mails by kind, and where to read them."""
    kinds = Counter({kind: n for (kind, state), n in sorted(post.deliveries.items()) if state == "sent"})
    told = ", ".join(f"{kind} {count}" for kind, count in kinds.items())
    console.print("\n[bold]Mails[/bold]")
    console.print(f"  {post.by_state('sent'):,} sent: {told}", highlight=False)
    console.print(
        f"  {post.by_state('withdrawn'):,} not by themselves: answered before, or told in another mail; "
        f"{post.by_state('waiting'):,} on their way, {post.by_state('failed'):,} failed",
        highlight=False,
    )
    console.print(f"  read them at {mail_url}" if mail_url else "  they went to BINA_SMTP_URL", highlight=False)


def verdict(console: Console, lines: Sequence[Line], people: tuple[int, int]) -> bool:
    """For each place and period whether all figures agree, each that does not in full; whether all do."""
    table = _table("Recounted from what was posted")
    for heading in ("unit", "period", "figures", "agree"):
        table.add_column(heading, justify="left" if heading in ("unit", "period") else "right")
    groups: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        groups.setdefault((line.unit, line.period), []).append(line)
    for (unit, period), group in groups.items():
        agree = sum(line.agrees for line in group)
        table.add_row(unit, period, str(len(group)), f"{'' if agree == len(group) else '[red]'}{agree}")
    console.print()
    console.print(table)
    for line in lines:
        if not line.agrees:
            _disagreement(console, line)
    right, credited = people
    good = all(line.agrees for line in lines) and right == credited
    agreeing = sum(line.agrees for line in lines)
    console.print(f"Credited JP, person by person: {right} of {credited} agree.", highlight=False)
    counted = sum(line.counted for line in lines)
    console.print(
        f"[bold {'green' if good else 'red'}]{agreeing} of {len(lines)} figures agree in value, numerator and "
        f"denominator, {counted} of them counted record by record, too.[/]",
        highlight=False,
    )
    return good


def city_lines(console: Console, lines: Sequence[Line]) -> None:
    """The recount of the city's own figures one by one: as told, as recounted, whether they agree."""
    table = _table("The city's figures, recounted one by one")
    for heading in ("figure", "period", "told", "recounted", "records", "agrees"):
        table.add_column(heading, justify="right" if heading in ("told", "recounted", "records") else "left")
    for line in lines:
        name = f"{line.id} {line.part or ''}".strip()
        records = f"{line.told.evidence if line.told else '-'} / {line.mine.evidence}"
        verdict = "[green]yes[/green]" if line.agrees else "[red]no[/red]"
        table.add_row(name, line.period, f"{line.told_value}", f"{line.mine.value}", records, verdict)
    console.print()
    console.print(table)


def _disagreement(console: Console, line: Line) -> None:
    where = f"{line.id} {line.part or ''} of {line.unit} in {line.period}"
    console.print(
        f"[red]{where}: told {line.told} = {line.told_value}, recounted {line.mine} = {line.mine.value}[/red]"
    )
