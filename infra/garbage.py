"""How often Python looks for circles of garbage in a process of ours."""

import gc

NEW_OBJECTS = 100_000


def collect_rarely() -> None:
    """Leaves what is loaded by now out of every search, and searches after 100,000 new objects instead of 700.

    A batch of events is some 100,000 objects that all live until it is done: searching them again and again took
    a seventh of reporting's processor time and found nothing (docs/performance.md). Nearly everything is freed at
    once, as soon as nothing refers to it; only circles wait. For a process that handles large batches, when all is
    imported; APIs and relays gain nothing by it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS)
