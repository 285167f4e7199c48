"""The name under which the broker in a container starts: by it the relays see that a log is another one."""

import base64
import subprocess
from pathlib import Path

START = Path(__file__).parents[3] / "infra/deploy/kafka/start"


def cluster_of(volume: Path) -> str:
    """The cluster that a broker on this volume is started as."""
    env = {"PATH": "/usr/bin:/bin", "KAFKA_LOG_DIRS": str(volume)}
    started = subprocess.run(
        ["bash", START, "sh", "-c", 'echo "$CLUSTER_ID"'], env=env, capture_output=True, text=True, check=True
    )
    return started.stdout.strip()


def test_each_empty_volume_becomes_a_cluster_of_its_own(tmp_path: Path) -> None:
    """In the form that Kafka demands: 16 bytes, and nothing that looks like an option."""
    names = {cluster_of(tmp_path) for _ in range(40)}
    assert len(names) == 40
    assert {len(base64.urlsafe_b64decode(f"{name}==")) for name in names} == {16}
    assert not any("-" in name for name in names)


def test_a_volume_keeps_the_cluster_that_it_was_made_for(tmp_path: Path) -> None:
    """Also one that was made before there was this script: the broker would refuse another name."""
    told = "#\n#Thu Nov 26 04:35:50 UTC 2026\nnode.id=1\nversion=1\ncluster.id=5L6g3nShT-eMCtK--X86sw\n"
    (tmp_path / "meta.properties").write_text(told)
    assert cluster_of(tmp_path) == "5L6g3nShT-eMCtK--X86sw"
