"""A project says the same whether it is read from the work tree or from a commit of it."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from redoit.errors import RedoitError
from redoit.git import Git
from redoit.git_objects import GitObjects
from redoit.project import Layout
from redoit.spec import Files, Index, WorkFiles, read_index
from redoit.spec.tree_files import TreeFiles
from tests.compat.spec_cases import CASES
from tests.compat.spec_generator import generate
from tests.compat.spec_oracle import write_project
from tests.sandbox import git_sandbox


def read(layout: Layout, files: Files) -> Index | str:
    """What ``files`` say, or the error."""
    try:
        index, states = read_index(layout, files, {})
    except RedoitError as error:
        return error.render()
    again, _ = read_index(layout, files, states)
    assert again == index, "what was kept is not what was read"
    return index


@pytest.mark.parametrize(
    "project", [*CASES.values(), *map(generate, range(40))], ids=[*CASES, *map(str, range(40))]
)
def test_commit_and_work_tree_say_the_same(project: dict[str, str], tmp_path: Path) -> None:
    root = Path(write_project(tmp_path / "repo", project))
    repo = git_sandbox(root, tmp_path / "home")
    repo.git("add", "-A")
    repo.git("commit", "-q", "--allow-empty", "-m", "all")
    layout = Layout(str(root))
    with contextlib.closing(GitObjects(Git(str(root)))) as objects:
        tree = objects.commit(repo.git("rev-parse", "HEAD")).tree
        ours = read(layout, TreeFiles(str(root), objects, tree))
    assert ours == read(layout, WorkFiles(str(root)))
