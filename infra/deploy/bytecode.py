"""Bytecode that is the same in every build of the image.

`python -m infra.deploy.bytecode DIRECTORY...` writes that of every module below. `--of MODULE...` imports these
and writes that of all that were needed for it and have none yet.
"""

import importlib
import importlib.util
import marshal
import sys
from collections.abc import Iterator
from pathlib import Path

_VALID_WHATEVER_THE_SOURCE = (1).to_bytes(4, "little")
# Later formats note of each object whether others refer to it, which depends on all that the process has done.
_WITHOUT_REFERENCES = 2


def write(source: Path) -> None:
    """Write the bytecode of one module where Python looks for it."""
    content = source.read_bytes()
    code = compile(content, str(source), "exec", dont_inherit=True, optimize=0)
    target = _target(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Nothing else refers to what has just been read, so now it can be written with references, which is smaller.
    code = marshal.loads(marshal.dumps(code, _WITHOUT_REFERENCES))  # noqa: S302 - its own
    target.write_bytes(
        importlib.util.MAGIC_NUMBER
        + _VALID_WHATEVER_THE_SOURCE
        + importlib.util.source_hash(content)
        + marshal.dumps(code)
    )


def _target(source: Path) -> Path:
    return Path(importlib.util.cache_from_source(str(source), optimization=""))


def needed_by(modules: list[str]) -> Iterator[Path]:
    """The sources of these modules and of all that they import, in the order of their names."""
    for name in modules:
        importlib.import_module(name)
    files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    yield from sorted(Path(file) for file in files if file and file.endswith(".py"))


def main(arguments: list[str]) -> None:
    """See above."""
    if arguments[0] == "--of":
        sources = [source for source in needed_by(arguments[1:]) if not _target(source).exists()]
    else:
        sources = [source for directory in arguments for source in sorted(Path(directory).rglob("*.py"))]
    for source in sources:
        write(source)


if __name__ == "__main__":
    main(sys.argv[1:])
