"""Versions: what is based on an old one is refused, unless it changes nothing."""

from collections.abc import Callable

import pytest

from tests.component.enrollment.programme import Programme


@pytest.fixture(autouse=True)
def city(programme: Programme) -> None:
    """Every test starts with the small city."""
    programme.city()


def unit_of_two_versions(programme: Programme) -> str:
    """A unit that was renamed."""
    path = f"/v1/units/{programme.unit('DISHUB', 'CITY')}"
    programme.hr.put(path, {"name": "Perhubungan", "kind": "agency", "parent": "CITY"}, version=1).expect(200)
    return path


def batch_of_two_versions(programme: Programme) -> str:
    """A batch that was opened."""
    return f"/v1/batches/{programme.batch()}"


def participant_of_two_versions(programme: Programme) -> str:
    """A participant who was accepted."""
    one = programme.nominate(programme.batch(), programme.person())
    programme.move("participants", one, "accepted")
    return f"/v1/participants/{one}"


def pairing_of_two_versions(programme: Programme) -> str:
    """A pairing to which the learner has consented."""
    programme.competency()
    learner = programme.person()
    one = programme.propose(programme.person(), learner)
    programme.move("pairings", one, "accepted", by=programme.by(learner))
    return f"/v1/pairings/{one}"


@pytest.mark.parametrize(
    ("make", "to"),
    [
        (unit_of_two_versions, "closed"),
        (batch_of_two_versions, "closed"),
        (participant_of_two_versions, "withdrawn"),
        (pairing_of_two_versions, "ended"),
    ],
)
def test_a_step_based_on_an_old_version_is_refused(
    programme: Programme, make: Callable[[Programme], str], to: str
) -> None:
    """412 with what is stored; repeating one's own last step is 200, whatever version it names."""
    path = make(programme)
    stored = programme.hr.get(path).expect(200)
    refused = programme.hr.post(f"{path}/transitions", {"to": to}, version=1).expect(412).body
    assert (refused["rule"], refused["current"]) == ("stale", stored.body)
    done = programme.hr.post(f"{path}/transitions", {"to": to}, version=2).expect(200)
    again = programme.hr.post(f"{path}/transitions", {"to": to}, version=2).expect(200)
    assert done.version == again.version == 3


@pytest.mark.parametrize("tag", ['"1"', '"9"', "2", "*", "draft"])
def test_equal_content_is_unchanged_whatever_if_match_says(programme: Programme, tag: str) -> None:
    """Other content is refused with what is stored, unless exactly one version is named, the present one."""
    path, said = unit_of_two_versions(programme), {"If-Match": tag}
    equal = {"name": "Perhubungan", "kind": "agency", "parent": "CITY"}
    assert programme.hr.put(path, equal, headers=said).expect(200).version == 2
    refused = programme.hr.put(path, {**equal, "name": "Lain"}, headers=said).expect(412).body
    assert (refused["rule"], refused["current"]["version"]) == ("stale", 2)
