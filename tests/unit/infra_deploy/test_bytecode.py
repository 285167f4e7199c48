"""The image's bytecode is the same in every build, and Python takes it."""

import subprocess
import sys
from pathlib import Path

_SOURCE = """
NAMES = {"one", "two", "three"}
def greet(name: str = "a name that is no identifier") -> tuple[str, float]:
    return f"a name that is no identifier: {name}", 1.5
if "x" in {"p", "q", "r"}: ...
"""


def _written(directory: Path, *before: str) -> bytes:
    """The bytecode of a module, by a process that has done other things before."""
    program = (
        f"import {', '.join(('marshal', *before))}; from infra.deploy.bytecode import main; main(['{directory}'])"
    )
    env = {"PYTHONHASHSEED": "0", "PYTHONPYCACHEPREFIX": str(directory.parent / "bytecode")}
    subprocess.run([sys.executable, "-c", program, str(directory)], env=env, check=True)
    (written,) = (directory.parent / "bytecode").rglob("thing*.pyc")
    return written.read_bytes()


def test_it_is_the_same_whatever_was_done_before(tmp_path: Path) -> None:
    """So the layers of two builds are equal."""
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "thing.py").write_text(_SOURCE)
    alone = _written(modules)
    (modules / "another.py").write_text(_SOURCE * 3)
    assert _written(modules, "json", "decimal", "http.client") == alone


def test_python_takes_it(tmp_path: Path) -> None:
    """Even when the source has another time, or other content: it is valid as it is."""
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "thing.py").write_text(_SOURCE)
    _written(modules)
    (modules / "thing.py").write_text("raise SystemExit('the source is read')")
    env = {"PYTHONPYCACHEPREFIX": str(tmp_path / "bytecode"), "PYTHONPATH": str(modules)}
    done = subprocess.run(
        [sys.executable, "-B", "-c", "import thing; print(thing.greet('you')[1])"],
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "1.5\n"


def test_with_of_it_is_that_of_all_that_is_needed(tmp_path: Path) -> None:
    """A module, and what that imports."""
    (tmp_path / "first.py").write_text("import second")
    (tmp_path / "second.py").write_text("")
    (tmp_path / "third.py").write_text("")
    subprocess.run(
        [sys.executable, "-B", "-m", "infra.deploy.bytecode", "--of", "first"],
        env={"PYTHONPYCACHEPREFIX": str(tmp_path / "bytecode"), "PYTHONPATH": f"{tmp_path}:{Path.cwd()}"},
        check=True,
    )
    written = {path.name.split(".")[0] for path in (tmp_path / "bytecode").rglob("*.pyc")}
    assert {"first", "second"} <= written
    assert "third" not in written
