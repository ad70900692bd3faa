"""``exp save``, ``list``, ``rename``, ``remove``, ``branch`` and ``apply`` against DVC's, on copies of one project."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compat.oracle import Oracle, differences, workspace
from tests.sandbox import Sandbox, dvc_sandbox

pytestmark = pytest.mark.oracle

PIPELINE = """\
stages:
  work:
    cmd: cat in.txt params.yaml > out.txt; mkdir -p model; cp in.txt model/a; cp params.yaml model/b
    deps: [in.txt]
    params: [x]
    outs: [out.txt, model]
  score:
    cmd: echo "{\\"size\\":$(wc -c < out.txt)}" > score.json
    deps: [out.txt]
    metrics: [score.json: {cache: false}]
"""


class Twins:
    """Two copies of a project: what ``exp`` does in one, DVC does in the other."""

    def __init__(self, template: Sandbox, top: Path, dvc: Oracle) -> None:
        self._dvc = dvc
        self.ours, self.dvcs = template.copy(top / "ours"), template.copy(top / "dvcs")

    def dvc(self, *arguments: str, on: Sandbox | None = None) -> str:
        project = on or self.dvcs
        return self._dvc(*arguments, cwd=project.root, env=project.env).stdout

    def both(self, *arguments: str) -> None:
        """The same command line to both."""
        self.ours.exp(*arguments)
        self.dvc("exp", *arguments)

    def check(self) -> None:
        """Both have the same files, the same experiments with the same trees and messages, the same branches."""
        assert differences(workspace(self.ours.root), workspace(self.dvcs.root)) == []
        assert refs(self.ours) == refs(self.dvcs)


def refs(project: Sandbox) -> dict[str, list[str]]:
    """Experiments and branches → subject and files of their commits.

    DVC lets its own ``.dvc/tmp/repro.dat`` into what it records.
    """
    form = "--format=%(refname) %(subject)"
    found = {}
    for line in project.git("for-each-ref", form, "refs/exps", "refs/heads").splitlines():
        ref, subject = line.split(" ", 1)
        if "/exec/" not in ref and "/apply/" not in ref:
            files = project.git("ls-tree", "-r", ref).splitlines()
            found[ref] = [subject, *(file for file in files if ".dvc/tmp/" not in file)]
    return found


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A project that has run, with one commit more."""
    top = tmp_path_factory.mktemp("template")
    project = dvc_sandbox(top / "template", top / "home")
    project.write("dvc.yaml", PIPELINE)
    project.write("in.txt", "data\n")
    project.write("params.yaml", "x: 1\n")
    project.write("gone.txt", "going\n")
    project.exp("repro", "-q")
    project.commit("first")
    return project


def _experiment(project: Sandbox, number: int) -> None:
    """Changes that an experiment of this number has."""
    project.write("params.yaml", f"x: {number}\n")
    if number == 3:
        (project.root / "gone.txt").unlink()
        project.write("new.txt", "new\n")
        project.git("add", "new.txt")


@pytest.fixture(scope="module", params=["ours", "dvc"])
def made(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    template: Sandbox,
    dvc: Oracle,
) -> Sandbox:
    """Experiments ``two`` and ``three`` on the second commit and ``zero`` on the first, by ``exp`` or by DVC."""
    project = template.copy(tmp_path_factory.mktemp("made") / "repo")
    for number, name in ((0, "zero"), (2, "two"), (3, "three")):
        if number == 2:
            project.git("checkout", "-q", "-f", "HEAD")
            project.write("second.txt", "")
            project.commit("second")
        _experiment(project, number)
        if request.param == "ours":
            project.exp("run", "-q", "-n", name)
        else:
            dvc("exp", "run", "-q", "-n", name, cwd=project.root, env=project.env)
    project.git("reset", "-q", "--hard")
    dvc("checkout", "-q", cwd=project.root, env=project.env)
    return project


@pytest.fixture
def twins(made: Sandbox, tmp_path: Path, dvc: Oracle) -> Twins:
    return Twins(made, tmp_path, dvc)


@pytest.mark.parametrize(
    "arguments",
    [
        ["-n", "x"],
        ["-n", "x", "-m", "words"],
        ["-n", "x", "-I", "note.txt"],
        ["work", "-n", "x", "-m", "m"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("what", ["clean", "param", "data"])
def test_save(
    template: Sandbox, tmp_path: Path, dvc: Oracle, arguments: list[str], what: str
) -> None:
    twins = Twins(template, tmp_path, dvc)
    for project in (twins.ours, twins.dvcs):
        project.write("note.txt", "mine\n")
        if what != "clean":
            _experiment(project, 3)
        if what == "data":
            project.write("in.txt", "edited\n")
            (project.root / "out.txt").unlink()
            project.write("out.txt", "by hand\n")
    twins.both("save", *arguments)
    twins.check()


@pytest.mark.parametrize(
    "arguments",
    [["-A"], [], ["--rev", "HEAD~1"], ["--rev", "HEAD", "-n", "2"], ["--rev", "HEAD", "-n", "-1"]],
    ids=" ".join,
)
def test_list(twins: Twins, arguments: list[str]) -> None:
    for shape in ([], ["--name-only"], ["--sha-only"]):
        printed = twins.ours.exp("list", *arguments, *shape).stdout.splitlines()
        assert sorted(printed) == sorted(
            twins.dvc("exp", "list", *arguments, *shape, on=twins.ours).splitlines()
        )


@pytest.mark.parametrize(
    "arguments",
    [
        ["rename", "two", "deux"],
        ["rename", "two", "three", "-f"],
        ["remove", "two"],
        ["remove", "two", "zero"],
        ["remove", "-A"],
        ["remove", "--rev", "HEAD"],
        ["remove", "--rev", "HEAD", "-n", "2"],
        ["remove", "two", "--keep"],
        ["remove", "--rev", "HEAD~1", "--keep"],
        ["branch", "two"],
        ["branch", "zero", "topic"],
    ],
    ids=" ".join,
)
def test_changes_of_refs(twins: Twins, arguments: list[str]) -> None:
    twins.both(*arguments)
    twins.check()


@pytest.mark.parametrize(
    "order", [["two"], ["three"], ["zero"], ["three", "two"], ["two", "zero", "three"]]
)
def test_apply(twins: Twins, order: list[str]) -> None:
    for name in order:
        twins.both("apply", name)
        found, wanted = workspace(twins.ours.root), workspace(twins.dvcs.root)
        # Whether DVC removes what the experiment lacks depends on how the index came to be.
        assert ("gone.txt" in found, "second.txt" in found) == (name != "three", True)
        for path in ("gone.txt", "second.txt"):
            found.pop(path, None)
            wanted.pop(path, None)
        assert differences(found, wanted) == []
    assert "up to date" in twins.dvc("status", on=twins.ours)


def test_dvc_takes_what_is_applied_for_its_own(twins: Twins) -> None:
    """After ``exp apply``, DVC has nothing to run, and the next experiment of either is the same."""
    twins.both("apply", "three")
    assert "didn't change" in twins.dvc("repro", on=twins.ours)
    shown = twins.dvc("exp", "show", "--csv", on=twins.ours)
    assert all(name in shown for name in ("two", "three"))
