"""One Slurm for all tests of this folder."""

from __future__ import annotations

import pytest

from tests.cluster.slurm import Slurm, why_not


@pytest.fixture(scope="session")
def slurm():
    """Run a Slurm of two nodes; where it is installed and does not start, that is an error."""
    if reason := why_not():
        pytest.skip(reason)
    with Slurm() as running:
        yield running


@pytest.fixture
def nodes(slurm):
    """Give a test nodes it may break: they are resumed and emptied afterwards."""
    yield slurm.nodes
    slurm.run("scancel", "--user=root")
    for name in slurm.nodes:
        if slurm.node_states()[name].startswith(("down", "drain")):
            slurm.run("scontrol", "update", f"nodename={name}", "state=resume", check=False)
    slurm.wait_for(lambda: set(slurm.node_states().values()) == {"idle"}, "idle nodes", 60)
