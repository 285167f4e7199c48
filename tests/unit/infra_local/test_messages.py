"""What can't be started says what to do about it."""

from pathlib import Path

import pytest

from infra.local.brokers import choose_broker
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


def test_an_unknown_broker_is_named_with_the_choices() -> None:
    assert choose_broker({}).profile == "embedded"
    with pytest.raises(CannotStart, match="BROKER=rabbit is not known"):
        choose_broker({"BROKER": "rabbit"})


def test_apache_kafka_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Java there is a plain message with two ways out, and no trace."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CannotStart, match="needs Java 17") as told:
        choose_broker({"BROKER": "kafka"})
    assert "BINA_KAFKA_BOOTSTRAP" in str(told.value)


def test_fetching_apache_kafka_says_what_it_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With Java and without Maven it is the same; with neither jars nor Maven, that is: later it does without."""
    java = tmp_path / "java"
    java.write_text("""#!/bin/sh\necho 'openjdk version "21"'\n""")
    java.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(CannotStart, match="needs Maven") as told:
        choose_broker({"BROKER": "kafka"}, data=tmp_path / "kafka")
    assert "BINA_KAFKA_BOOTSTRAP" in str(told.value)
