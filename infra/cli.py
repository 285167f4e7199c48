"""The commands of a service: `python -m services.<name> <command>`."""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Protocol, cast

from kafka.errors import KafkaError
from pymongo.errors import PyMongoError

from infra.clock import Clock, system_clock
from infra.messaging import deadletters
from infra.messaging.tries import may_pass
from infra.messaging.unsent import resend
from infra.operations.status import Table, as_text, status_of
from infra.settings import Settings, SettingsError
from infra.storage.aggregates import Aggregates
from infra.storage.mongo import connect
from infra.telemetry import logs
from infra.web.server import serve
from infra.wording import counted
from infra.worker import Worker


class App(Protocol):
    """What the `app` module of a service offers."""

    def worker(self, settings: Settings, clock: Clock = system_clock) -> Worker:
        """The worker with all its parts."""

    def groups(self, settings: Settings) -> Sequence[str]:
        """The consumer groups as they are now; the first one is meant where none is named."""

    def aggregates(self, settings: Settings) -> Sequence[Aggregates[Any]]:
        """All aggregates of the service."""

    def tables(self, settings: Settings) -> Sequence[Table]:
        """What only this service can tell of how it stands."""

    def rebuild(self, settings: Settings) -> None:
        """Makes anew what the service derives from the log."""


def main(service: str, arguments: Sequence[str] | None = None) -> int:
    """Runs one command of the service; gives the exit code."""
    options = parser(service).parse_args(arguments)
    try:
        settings = Settings.from_env(service)
        logs.configure(settings)
        app = cast("App", import_module(f"services.{service}.app"))
        command: Callable[[App, Settings, argparse.Namespace], int] = options.run
        return command(app, settings, options)
    except SettingsError as error:
        # Some services have settings of their own, which are read when the command is set up.
        print(error, file=sys.stderr)
        return 2
    except (KafkaError, PyMongoError) as error:
        if not may_pass(error):
            raise
        print(f"Kafka or MongoDB gives no answer: {type(error).__name__}. Try again.", file=sys.stderr)
        return 1


def parser(service: str) -> argparse.ArgumentParser:
    """The command line of a service."""
    top = argparse.ArgumentParser(prog=f"python -m services.{service}")
    commands = top.add_subparsers(required=True, metavar="command")

    def add(to: Any, name: str, run: Callable[..., int], about: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = to.add_parser(name, help=about, description=about)
        made.set_defaults(run=run)
        return made

    add(commands, "api", run_api, "Serve the HTTP API until SIGTERM.")
    add(commands, "worker", run_worker, "Relay events, consume events and run timers until SIGTERM.")
    add(commands, "rebuild", run_rebuild, "Make anew what the service derives from the log.")
    again = add(commands, "resend", run_resend, "Send the events of aggregates again, behind live ones.")
    again.add_argument("ids", nargs="*", help="ids of aggregates; all when none is given")
    add(commands, "fill", run_fill, "Give stored aggregates the defaults of fields that they lack.")
    add(commands, "status", show_status, "Show leases, backlog, lag, dead letters and timers.")
    letters = commands.add_parser("dead-letters", help="Messages that could not be handled.")
    actions = letters.add_subparsers(required=True, metavar="action")
    add(actions, "list", list_letters, "List them: number, time, type, origin, tries, reason.")
    show = add(actions, "show", show_letter, "Show one, with its headers.")
    show.add_argument("number", type=int)
    show.add_argument("--body", action="store_true", help="with the message itself, which may be personal")
    send = add(actions, "send", send_letters, "Send them again to the topic they came from.")
    send.add_argument("numbers", type=int, nargs="*", help="which ones")
    send.add_argument("--all", action="store_true", help="all of them")
    for action in (show, send, actions.choices["list"]):
        action.add_argument("--group", help="consumer group, where the service has several")
    return top


def run_api(app: App, settings: Settings, options: argparse.Namespace) -> int:
    """Serves until SIGTERM."""
    serve(f"services.{settings.service}.app:from_env", settings)
    return 0


def run_worker(app: App, settings: Settings, options: argparse.Namespace) -> int:
    """Works until SIGTERM; 1 when a part died."""
    return app.worker(settings).run()


def run_rebuild(app: App, settings: Settings, options: argparse.Namespace) -> int:
    """Rebuilds and returns when it is done."""
    app.rebuild(settings)
    return 0


def run_resend(app: App, settings: Settings, options: argparse.Namespace) -> int:
    """Marks aggregates as unsent; the relay of the running worker does the rest."""
    query = {"_id": {"$in": options.ids}} if options.ids else {}
    count = sum(resend(aggregates, query, system_clock) for aggregates in app.aggregates(settings))
    print(f"{counted(count, 'aggregate')} will be sent again by the worker")
    return 0


def run_fill(app: App, settings: Settings, options: argparse.Namespace) -> int:
    """Fills what a release added; may run again, and while people write."""
    count = sum(aggregates.fill() for aggregates in app.aggregates(settings))
    print(f"{counted(count, 'field')} filled")
    return 0


def show_status(app: App, settings: Settings, options: argparse.Namespace) -> int:
    """Prints how the service stands; 1 when something could not be looked at."""
    database = connect(settings)
    usual = status_of(settings, database, app.aggregates(settings), app.groups(settings), system_clock)
    tables = [*usual, *app.tables(settings)]
    print(as_text(settings.service, tables))
    return 1 if any(table.trouble for table in tables) else 0


def list_letters(app: App, settings: Settings, options: argparse.Namespace) -> int:
    """Prints one line a letter."""
    count = 0
    for letter in deadletters.read_all(settings, group_of(app, settings, options)):
        origin = f"{letter.topic}/{letter.partition}@{letter.offset}"
        print(f"{letter.number}\t{letter.at}\t{letter.type}\t{origin}\t{letter.tries}\t{letter.reason}")
        count += 1
    print(counted(count, "dead letter"), file=sys.stderr)
    return 0


def show_letter(app: App, settings: Settings, options: argparse.Namespace) -> int:
    """Prints the headers of one letter, and its body on request."""
    for letter in chosen(app, settings, options, [options.number]):
        for name, value in letter.headers:
            print(f"{name}: {value.decode(errors='replace')}")
        print(f"key: {key_of(letter)}\nreason: {letter.reason}")
        if letter.erasable:
            print("body: not kept, for it may have to be erased; send sends the newest record of this key")
        elif options.body:
            print((letter.value or b"").decode(errors="replace"))
        return 0
    print(f"There is no dead letter {options.number}.", file=sys.stderr)
    return 1


def send_letters(app: App, settings: Settings, options: argparse.Namespace) -> int:
    """Sends the chosen letters again and says how many; 1 when there was nothing to send for one of them."""
    if not options.numbers and not options.all:
        print("Say which ones: their numbers, or --all.", file=sys.stderr)
        return 2
    letters = chosen(app, settings, options, None if options.all else options.numbers)
    unsent = deadletters.send_again(settings, letters)
    print(f"{len(letters) - len(unsent)} sent again")
    for letter in unsent:
        print(f"{letter.number} was not: {why_not(letter)}", file=sys.stderr)
    return 1 if unsent else 0


def why_not(letter: deadletters.DeadLetter) -> str:
    """What is in the way of sending the letter again."""
    if letter.erasable:
        return f"{letter.topic} has no record of key {key_of(letter)}"
    return f"it could not be kept whole; it lies at {letter.topic}/{letter.partition}@{letter.offset}"


def key_of(letter: deadletters.DeadLetter) -> str:
    """The key for people to read."""
    if letter.erasable and not letter.key:
        return "(not kept: it was no id)"
    return (letter.key or b"").decode(errors="replace")


def chosen(
    app: App, settings: Settings, options: argparse.Namespace, numbers: Sequence[int] | None
) -> list[deadletters.DeadLetter]:
    """The letters with these numbers, all when None."""
    letters = deadletters.read_all(settings, group_of(app, settings, options))
    return [letter for letter in letters if numbers is None or letter.number in numbers]


def group_of(app: App, settings: Settings, options: argparse.Namespace) -> str:
    """The consumer group that is meant."""
    return options.group or app.groups(settings)[0]
