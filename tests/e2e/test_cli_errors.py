"""Errors: what they say, that they name what to do, and their exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sandbox import Sandbox

PIPELINE = """\
stages:
  train:
    cmd: echo model > model
    outs: [model]
  evaluate:
    foreach: [us, uk]
    do:
      cmd: echo ${item} > score.${item}
      deps: [model]
      outs:
        - score.${item}
"""


@pytest.mark.parametrize("command", [["run"], ["repro"], ["status"], ["why", "x"], ["dag"]])
def test_outside_of_a_project(
    tmp_path: Path, clean_env: dict[str, str], command: list[str]
) -> None:
    folder = tmp_path / "nowhere"
    folder.mkdir()
    result = Sandbox(folder, clean_env).exp(*command, code=1)
    assert result.stdout == ""
    assert result.stderr == (
        "error: this is not a project\n"
        f"  looked in: {folder} and its parents, for a folder .dvc\n"
        "  run `exp init` in the project's top folder to make one\n"
    )


def test_a_pipeline_without_a_project(repo: Sandbox) -> None:
    repo.write("dvc.yaml", PIPELINE)
    result = repo.exp("run", code=1)
    assert result.stderr.startswith("error: there is a dvc.yaml here, but no project around it\n")
    assert "run `exp init`" in result.stderr


@pytest.fixture
def small(project: Sandbox) -> Sandbox:
    project.write("dvc.yaml", PIPELINE)
    project.commit()
    return project


@pytest.mark.parametrize("command", ["run", "repro", "status", "why", "dag"])
@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("trian", ["trian", "train"]),
        ("evaluate@uu", ["evaluate@uu", "evaluate@u"]),
        ("sub/dvc.yaml", ["sub/dvc.yaml"]),
        ("data.dvc", ["data.dvc"]),
    ],
)
def test_unknown_targets(small: Sandbox, command: str, target: str, words: list[str]) -> None:
    result = small.exp(command, target, code=1)
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    for word in words:
        assert word in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a b", "it has a space"),
        ("a/b", "it has a slash"),
        (".a", "it starts or ends with a dot"),
        ("a..b", "it has '..'"),
        ("", "it is empty"),
        ("x.lock", "it ends with '.lock'"),
    ],
)
def test_names_that_git_would_not_take(small: Sandbox, name: str, why: str) -> None:
    result = small.exp("run", "-n", name, code=1)
    assert why in result.stderr
    assert not (small.root / "model").exists()


def test_a_name_that_is_taken(small: Sandbox) -> None:
    small.exp("run", "-n", "mine")
    before = small.git("for-each-ref", "refs/exps")
    small.write("dvc.yaml", PIPELINE.replace("echo model", "echo other"))
    result = small.exp("run", "-n", "mine", code=1)
    assert "mine" in result.stderr
    assert "-f" in result.stderr
    assert small.read("model") == "model\n"
    assert small.git("for-each-ref", "refs/exps") == before
    small.exp("run", "-n", "mine", "-f")
    assert small.read("model") == "other\n"
    assert len(small.git("for-each-ref", "refs/exps").splitlines()) == 1


def test_a_repository_without_a_commit(repo: Sandbox) -> None:
    repo.exp("init", "--hash", "md5")
    repo.write("dvc.yaml", PIPELINE)
    result = repo.exp("run", code=1)
    assert result.stderr.startswith("error: the Git repository has no commit yet")
    assert "git commit" in result.stderr
    assert not (repo.root / "model").exists()
    repo.exp("repro")


def test_run_without_git(tmp_path: Path, clean_env: dict[str, str]) -> None:
    folder = tmp_path / "bare"
    folder.mkdir()
    bare = Sandbox(folder, clean_env)
    bare.exp("init", "--no-scm")
    bare.write("dvc.yaml", PIPELINE)
    result = bare.exp("run", code=1)
    assert result.stderr.startswith("error: this project is not in a Git repository\n")
    assert "exp repro" in result.stderr


def test_mistakes_in_a_file_have_their_place(small: Sandbox) -> None:
    small.write("dvc.yaml", "stages:\n  a:\n    cmmd: echo\n")
    for command in ("run", "repro", "status", "dag"):
        result = small.exp(command, code=1)
        assert "at:" in result.stderr
        assert "dvc.yaml:3:5" in result.stderr
        assert 'did you mean "cmd"?' in result.stderr
