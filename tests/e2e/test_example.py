"""The example does what its page says, in a clone of its own, and a real DVC reads what it leaves."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.sandbox import Result, Sandbox, git_sandbox

EXAMPLE = Path(__file__).parents[2] / "examples" / "digits"
LEFT_BY_RUNS = ("data", "models", "results", "tmp", "cache", "dvc.lock", "__pycache__")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sandbox, Result]:
    """A repository that holds the example in a folder, as Redoit's own does, and its first run."""
    top = tmp_path_factory.mktemp("example")
    sandbox = git_sandbox(top / "clone", top / "home")
    target = sandbox.root / "examples" / "digits"
    shutil.copytree(EXAMPLE, target, ignore=shutil.ignore_patterns(*LEFT_BY_RUNS))
    sandbox.write("README.md", "the project around it\n")
    sandbox.commit()
    clone = Sandbox(target, sandbox.env)
    return clone, clone.exp("run", "-j", "2", "-n", "first-look")


@pytest.mark.oracle
def test_the_example_runs_side_by_side_and_becomes_an_experiment(
    ran: tuple[Sandbox, Result], dvc_bin: Path
) -> None:
    clone, first = ran
    for stage in (
        "prepare",
        "featurize",
        "train@forest",
        "train@logistic",
        "evaluate@forest",
        "compare",
    ):
        assert f"Stage '{stage}' ran in" in first.stdout
    assert "first-look" in first.stdout
    assert "accuracy" in first.stdout
    assert (clone.root / "results/forest/confusion.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads(clone.read("results/comparison.json"))["accuracy"] > 0.9
    assert clone.git("status", "--short") == "?? dvc.lock"

    second = clone.exp("run")
    assert "Nothing changed" in second.stdout

    status = clone.command(str(dvc_bin), "status")
    assert "up to date" in status.stdout
    shown = clone.command(str(dvc_bin), "exp", "show", "--csv").stdout
    assert "first-look" in shown


def test_a_change_runs_what_depends_on_it_and_changing_back_runs_nothing(
    ran: tuple[Sandbox, Result], tmp_path: Path
) -> None:
    copy = Sandbox(ran[0].root.parents[1], ran[0].env).copy(tmp_path / "clone")
    clone = Sandbox(copy.root / "examples" / "digits", copy.env)
    params = clone.read("params.yaml")
    clone.write("params.yaml", params.replace("strength: 0.5", "strength: 0.1"))
    changed = clone.exp("repro", "-j", "2").stdout
    again = [
        line.split("'")[1] for line in changed.splitlines() if " ran in " in line and "'" in line
    ]
    assert again == ["train@logistic", "evaluate@logistic", "compare"]
    clone.write("params.yaml", params)
    back = clone.exp("repro", "-j", "2").stdout
    assert " ran in " not in back
    assert back.count("is cached, outputs restored") == 3
