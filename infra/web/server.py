"""granian in front of the app."""

from infra.settings import Settings


def serve(target: str, settings: Settings) -> None:
    """Serves the app that `target` (`module:factory`) makes, until SIGTERM. The app is built in the process that serves it."""
    from granian import Granian
    from granian.constants import Interfaces

    Granian(
        target,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=settings.threads,
        backlog=1024,
        backpressure=settings.threads * 4,
        factory=True,
        websockets=False,
        log_access=False,
        workers_kill_timeout=10,
    ).serve()
