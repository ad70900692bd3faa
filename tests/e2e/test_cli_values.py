"""``exp metrics`` and ``exp params``: what they print."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.sandbox import Sandbox, dvc_sandbox


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    top = tmp_path_factory.mktemp("values")
    project = dvc_sandbox(top / "repo", top / "home")
    project.write("params.yaml", "lr: 0.1\nn: 2\n")
    project.write(
        "dvc.yaml",
        "stages:\n"
        "  train:\n"
        "    cmd: cp params.yaml m.yaml\n"
        "    params: [lr]\n"
        "    metrics: [m.yaml: {cache: false}]\n",
    )
    project.exp("repro", "-q")
    project.commit("start")
    project.git("tag", "v1")
    project.exp("run", "-q", "-n", "big", "-S", "lr=0.7654321")
    return project


@pytest.fixture
def trained(template: Sandbox, tmp_path: Path) -> Sandbox:
    """A commit, the tag v1 on it, and an experiment ``big`` that is in the workspace."""
    return template.copy(tmp_path / "repo")


def test_metrics_show(trained: Sandbox) -> None:
    assert trained.exp("metrics", "show").stdout == "Path         lr  n\nm.yaml  0.76543  2\n"
    assert trained.exp("metrics", "show", "--precision", "2", "--md").stdout == (
        "| Path   | lr   | n   |\n|--------|------|-----|\n| m.yaml | 0.77 | 2   |\n"
    )
    assert trained.exp("metrics", "show", "-a", "-T").stdout == (
        "Revision   Path         lr  n\n"
        "workspace  m.yaml  0.76543  2\n"
        "main,v1    m.yaml      0.1  2\n"
    )


def test_metrics_diff(trained: Sandbox) -> None:
    expected = "Path    Metric  {:>4}  {:>9}   Change\nm.yaml  lr       0.1    0.76543  0.66543\n"
    assert trained.exp("metrics", "diff").stdout == expected.format("HEAD", "workspace")
    assert trained.exp("metrics", "diff", "v1", "big", "--no-path", "--md").stdout == (
        "| Metric | v1  | big     | Change  |\n"
        "|--------|-----|---------|---------|\n"
        "| lr     | 0.1 | 0.76543 | 0.66543 |\n"
    )
    assert trained.exp("metrics", "diff", "big").stdout == (
        "no metrics differ between big and workspace\n"
    )
    assert trained.exp("metrics", "diff", "big", "--md").stdout == ""
    assert trained.exp("metrics", "diff", "big", "--json").stdout == "{}\n"


def test_params_show_and_diff(trained: Sandbox) -> None:
    assert trained.exp("params", "show").stdout == (
        "Path                lr  n\nparams.yaml  0.7654321  2\n"
    )
    assert trained.exp("params", "show", "--deps").stdout == (
        "Path                lr\nparams.yaml  0.7654321\n"
    )
    shown = json.loads(trained.exp("params", "show", "-T", "--json").stdout)
    assert shown == {
        "workspace": {"data": {"params.yaml": {"data": {"lr": 0.7654321, "n": 2}}}},
        "v1": {"data": {"params.yaml": {"data": {"lr": 0.1, "n": 2}}}},
    }
    lines = trained.exp("params", "diff", "v1", "big", "--all").stdout.splitlines()
    assert [line.split() for line in lines] == [
        ["Path", "Param", "v1", "big"],
        ["params.yaml", "lr", "0.1", "0.7654321"],
        ["params.yaml", "n", "2", "2"],
    ]


def test_paths_are_those_seen_from_the_working_directory(trained: Sandbox) -> None:
    trained.write("sub/own.json", '{"a": 1}')
    assert trained.exp("metrics", "show", "own.json", cwd="sub").stdout == (
        "Path      a\nown.json  1\n"
    )
    shown = json.loads(trained.exp("metrics", "show", "--json", cwd="sub").stdout)
    assert list(shown[""]["data"]) == ["../m.yaml"]
    shown = json.loads(trained.exp("params", "diff", "--json", cwd="sub").stdout)
    assert list(shown) == ["../params.yaml"]


def test_targets_take_all_words_up_to_the_next_option(trained: Sandbox) -> None:
    trained.write("a.json", "{}")
    words = ["metrics", "diff", "v1", "--targets", "m.yaml", "a.json", "--all", "--json"]
    assert list(json.loads(trained.exp(*words).stdout)) == ["m.yaml"]
    assert trained.exp("metrics", "diff", "-R", "--targets", ".", code=0).stdout


def test_what_cannot_be_read_is_told(trained: Sandbox) -> None:
    trained.write("m.yaml", "a: [")
    result = trained.exp("metrics", "show")
    assert result.stdout == "there are no metrics\n"
    assert result.stderr.startswith("warning: m.yaml cannot be read: this is not YAML")
    shown = json.loads(trained.exp("metrics", "show", "--json").stdout)
    assert shown[""]["data"]["m.yaml"]["error"]["type"] == "SyntaxProblem"
    trained.write("dvc.yaml", "stages: 5\n")
    result = trained.exp("metrics", "diff", "v1")
    assert "warning: workspace cannot be read" in result.stderr
    assert result.stdout.splitlines()[1].split() == ["m.yaml", "lr", "0.1", "-", "-"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("show", "no.json"), 1, "error: there is no file 'no.json'"),
        (("diff", "nosuch"), 1, "error: 'nosuch' is neither a commit nor an experiment"),
        (("diff", "v1", "--targets", "m.yml"), 1, 'did you mean "m.yaml"?'),
        (("show", "--json", "--md"), 2, "error: --json and --md cannot be given together"),
        (("show", "--precision", "0"), 2, "error: invalid value for '--precision'"),
    ],
)
def test_mistakes(trained: Sandbox, words: tuple[str, ...], code: int, message: str) -> None:
    assert message in trained.exp("metrics", *words, code=code).stderr


def test_the_workspace_is_shown_without_git(trained: Sandbox) -> None:
    (trained.root / ".git").rename(trained.root / "gone")
    trained.write(".dvc/config", "[core]\n    no_scm = true\n")
    assert "0.76543" in trained.exp("metrics", "show").stdout
    assert "0.7654321" in trained.exp("params", "show").stdout
    assert "not in a Git repository" in trained.exp("metrics", "show", "-a", code=1).stderr
