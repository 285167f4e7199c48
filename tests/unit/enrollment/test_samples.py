"""Every version of an endorsement that was ever published is read, for ever, and says the same."""

from pathlib import Path

import pytest

from infra.messaging.envelope import decode
from infra.messaging.subscription import dispatch, on
from services.enrollment.events import ENDORSEMENTS, EndorsementSeen

FOLDER = Path(__file__).parents[3] / "services" / "sessions" / "samples"
STRUCTURED = [("content-type", b"application/cloudevents+json")]


def read(sample: Path) -> EndorsementSeen:
    """As the service reads it, whatever its version."""
    found: list[EndorsementSeen] = []
    handle = dispatch(
        [
            on("endorsement", reader, lambda items: found.extend(seen for _, seen in items), version=version)
            for version, reader in ENDORSEMENTS.items()
        ]
    )
    handle([decode(STRUCTURED, None, sample.read_bytes())])
    (seen,) = found
    return seen


@pytest.mark.parametrize("sample", sorted(FOLDER.glob("endorsement.*.json")), ids=lambda path: path.stem)
def test_every_sample_of_an_endorsement_is_read(sample: Path) -> None:
    """No sample is passed over."""
    assert read(sample).state == sample.stem.split(".")[1].replace("opened", "open")


def test_the_versions_of_one_event_say_the_same() -> None:
    """Of whichever comes first, the same is made."""
    seconds = sorted(FOLDER.glob("endorsement.*.v2.json"))
    assert len(seconds) == 4
    for second in seconds:
        one, other = read(second), read(second.with_name(second.name.replace(".v2.", ".v1.")))
        fields = one.__struct_fields__
        assert [getattr(one, name) for name in fields] == [getattr(other, name) for name in fields]
