"""Reporting's worker in a process: consumer, projection and follower of the tree, on the word."""

import json
import os
import sys
import threading

from bench.gate import Gate
from infra.clock import system_clock
from infra.garbage import collect_rarely
from infra.settings import Settings
from infra.storage.mongo import connect
from services.reporting.generations import parts_of
from services.reporting.store import Store


def main() -> int:
    """argv: the generation, which names collections and consumer group; which partitions this worker gets;
    how many records there are in each partition.
    """
    generation = int(sys.argv[1])
    settings = Settings.from_env("reporting", os.environ)
    gate, stop = Gate(json.loads(sys.argv[2]), json.loads(sys.argv[3])), threading.Event()
    gate.install()
    parts = parts_of(settings, Store(connect(settings), generation), system_clock)
    threads = [threading.Thread(target=part.run, args=(stop,)) for part in parts]
    for thread in threads:
        thread.start()
    collect_rarely()
    gate.pass_through()
    stop.set()
    for thread in threads:
        thread.join()
    return 0


if __name__ == "__main__":
    sys.exit(main())
