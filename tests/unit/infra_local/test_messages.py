"""What can't be started says what to do about it."""

import pytest

from infra.local.broker import check_profile
from infra.local.errors import CannotStart
from infra.local.mongod import explain


@pytest.mark.parametrize(
    ("library", "package"),
    [("libcurl.so.4", "libcurl4"), ("libssl.so.3", "libssl3"), ("libcrypto.so.3", "libssl3")],
)
def test_a_missing_library_names_the_package_that_has_it(library: str, package: str) -> None:
    output = f"mongod: error while loading shared libraries: {library}: cannot open shared object file"
    assert f"apt-get install {package}" in explain(output)


def test_an_unknown_library_is_named_at_least() -> None:
    assert "libodd.so.1" in explain("mongod: error while loading shared libraries: libodd.so.1: cannot open")


def test_any_other_end_shows_the_last_lines() -> None:
    assert "disk is full" in explain("something\ndisk is full")


def test_another_broker_is_not_supported_yet() -> None:
    check_profile({})
    check_profile({"BROKER": "embedded"})
    with pytest.raises(CannotStart, match="BROKER=kafka isn't supported yet"):
        check_profile({"BROKER": "kafka"})
