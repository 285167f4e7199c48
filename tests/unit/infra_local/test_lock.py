"""One home, one copy."""

import os
from pathlib import Path

import pytest

from infra.local.errors import CannotStart
from infra.local.lock import HomeLock


def test_a_second_copy_is_told_what_to_do(tmp_path: Path) -> None:
    first = HomeLock(tmp_path)
    first.acquire()
    with pytest.raises(CannotStart, match=rf"already running on .*process {os.getpid()}.*make down.*BINA_HOME"):
        HomeLock(tmp_path).acquire()
    first.release()


def test_the_owner_is_known_while_it_runs(tmp_path: Path) -> None:
    lock = HomeLock(tmp_path)
    assert HomeLock(tmp_path).owner() is None
    lock.acquire()
    assert HomeLock(tmp_path).owner() == os.getpid()
    lock.release()
    assert HomeLock(tmp_path).owner() is None


def test_a_released_home_can_be_taken_again(tmp_path: Path) -> None:
    for _ in range(2):
        lock = HomeLock(tmp_path)
        lock.acquire()
        lock.release()
