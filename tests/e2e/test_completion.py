"""What the shell offers: stages, experiments, revisions and params of the project at hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sandbox import Sandbox, dvc_sandbox


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    top = tmp_path_factory.mktemp("completion")
    project = dvc_sandbox(top / "repo", top / "home")
    project.write("params.yaml", "train:\n  lr: 1\n  layers: [1]\nseed: 1\n")
    project.write("conf.json", '{"depth": 1}')
    stage = "    cmd: echo 1 > out\n    params: [train]\n    outs: [out]\n"
    project.write(
        "dvc.yaml",
        f"stages:\n  train:\n{stage}  each:\n    foreach: [a, b]\n    do:\n      cmd: echo ${{item}}\n",
    )
    project.write(
        "sub/dvc.yaml",
        "plots: [l.csv, name: {y: {l.csv: a}}]\nstages:\n  inner:\n    cmd: echo 1\n",
    )
    project.commit("start")
    project.git("tag", "v1")
    project.exp("run", "-q", "-n", "bold-try", "-S", "train.lr=2", "train")
    return project


def offered(sandbox: Sandbox, line: str, cwd: str = "") -> list[str]:
    """What bash is offered for the last word of ``line``; files are ``file,…``."""
    words = line.split(" ")
    result = sandbox.exp(
        cwd=cwd,
        _EXP_COMPLETE="bash_complete",
        COMP_WORDS=line,
        COMP_CWORD=str(len(words) - 1),
    )
    return [row.removeprefix("plain,") for row in result.stdout.splitlines() if row]


@pytest.mark.parametrize(
    ("line", "cwd", "expected"),
    [
        ("exp run tr", "", ["train", "file,tr"]),
        ("exp repro ea", "", ["each", "each@a", "each@b", "file,ea"]),
        ("exp why sub", "", ["sub/dvc.yaml:inner", "file,sub"]),
        ("exp status in", "sub", ["inner", "file,in"]),
        ("exp apply b", "", ["bold-try"]),
        ("exp remove x", "", []),
        ("exp diff b", "", ["bold-try"]),
        ("exp metrics diff v", "", ["v1"]),
        ("exp params diff v1 w", "", ["workspace"]),
        ("exp plots diff b", "", ["bold-try"]),
        ("exp plots show s", "", ["sub/l.csv", "file,s"]),
        ("exp plots show n", "sub", ["name", "file,n"]),
        ("exp plots templates conf", "", ["confusion", "confusion_normalized"]),
        ("exp run -S tr", "", ["train.lr=", "train.layers="]),
        ("exp run -S ++se", "", ["++seed="]),
        ("exp run -S ~se", "", ["~seed"]),
        ("exp run -S conf.json:", "", ["conf.json:depth="]),
        ("exp run -S no.json:", "", []),
    ],
)
def test_offers(tried: Sandbox, line: str, cwd: str, expected: list[str]) -> None:
    assert offered(tried, line, cwd) == expected


def test_mistakes_in_files_offer_nothing(tried: Sandbox, tmp_path: Path) -> None:
    broken = tried.copy(tmp_path / "broken")
    broken.write("dvc.yaml", "stages: [")
    broken.write("params.yaml", "a: [")
    assert offered(broken, "exp run tr") == ["file,tr"]
    assert offered(broken, "exp run -S a") == []
