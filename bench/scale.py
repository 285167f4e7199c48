"""How much is measured: in full, or just enough to see that it works."""

import msgspec


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """repeats: of each side, in turn. seconds: how long a server is loaded, after `warm` seconds that don't count.

    events: that relay and projection work off. few, many: facts that are stored for figures 4 and 6. probes: of
    the way from a session to the figure. requests: for a percentile. profiles: whether a further round, which
    counts nowhere, is watched by a profiler.
    """

    repeats: int = 3
    seconds: float = 8.0
    warm: float = 2.0
    clients: int = 32
    events: int = 30_000
    few: int = 10_000
    many: int = 1_000_000
    probes: int = 150
    requests: int = 2_000
    profiles: bool = True


FULL = Scale()
QUICK = Scale(seconds=6.0, warm=1.0, events=4_000, few=1_000, many=20_000, probes=20, requests=60)
