"""``exp apply``: what it restores, what it refuses to overwrite, and what it keeps."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.sandbox import Result, Sandbox, dvc_sandbox

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


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    top = tmp_path_factory.mktemp("apply")
    project = dvc_sandbox(top / "repo", top / "home")
    project.write("dvc.yaml", PIPELINE)
    project.write("in.txt", "data\n")
    project.write("params.yaml", "x: 1\n")
    project.write("gone.txt", "going\n")
    project.write("deep/er/gone.txt", "going\n")
    project.write("tool.sh", "#!/bin/sh\n")
    project.commit("start")
    project.exp("run", "-q", "-n", "one")
    project.write("params.yaml", "x: 2\n")
    (project.root / "gone.txt").unlink()
    shutil.rmtree(project.root / "deep")
    (project.root / "tool.sh").chmod(0o755)
    project.write("added.txt", "new\n")
    project.exp("run", "-q")
    project.exp("remove", "-q", "--rev", "HEAD", "--keep")
    project.exp("save", "-q", "-n", "two", "-I", "added.txt")
    names = project.exp("list", "--name-only").stdout.split()
    project.exp("remove", "-q", *(name for name in names if name not in ("one", "two")))
    return project


@pytest.fixture
def two(template: Sandbox, tmp_path: Path) -> Sandbox:
    """Experiments ``one`` (x: 1, as HEAD has it) and ``two`` (x: 2), which is in the workspace.

    ``two`` also has ``added.txt`` and ``tool.sh`` (executable), and lacks ``gone.txt``.
    """
    return template.copy(tmp_path / "repo")


def said(result: Result) -> list[str]:
    text = re.sub(r"\([0-9a-f]{7}\)", "(SHA)", result.stdout + result.stderr)
    return re.sub(r"\d{8}-\d{6}", "TIME", text).splitlines()


def held(project: Sandbox) -> dict[str, str]:
    """Every file but those of Git and of DVC's folder."""
    found = {}
    for folder, folders, files in os.walk(project.root):
        folders[:] = [name for name in folders if name not in (".git", ".dvc")]
        for name in (*files, *folders):
            path = Path(folder, name)
            key = str(path.relative_to(project.root))
            if path.is_symlink():
                found[key] = f"-> {os.readlink(path)}"
            elif path.is_file():
                mark = "x " if os.access(path, os.X_OK) else ""
                found[key] = mark + path.read_text()
    return found


def kept(project: Sandbox) -> dict[str, str]:
    """Path → content of everything in backups."""
    top = project.root / ".dvc" / "tmp" / "redoit" / "backup"
    files = [path for path in top.glob("*/**/*") if path.is_file() or path.is_symlink()]
    return {"/".join(path.relative_to(top).parts[1:]): path.read_text() for path in files}


def test_there_and_back(two: Sandbox) -> None:
    second = held(two)
    index = (two.root / ".git" / "index").read_bytes()
    assert said(two.exp("apply", "one")) == [
        "Applied 'one' (SHA): 5 files written, 2 outputs from the cache"
    ]
    first = held(two)
    assert first["out.txt"] == "data\nx: 1\n" and first["model/b"] == "x: 1\n"
    assert first["gone.txt"] == first["deep/er/gone.txt"] == "going\n"
    assert first["tool.sh"] == "#!/bin/sh\n"
    assert first["added.txt"] == "new\n"  # it knows nothing of it
    assert two.exp("status").stdout == "Up to date: all 2 stages\n"
    assert said(two.exp("apply", "one")) == ["The workspace is 'one' (SHA) already"]
    assert said(two.exp("apply", "two")) == [
        "Applied 'two' (SHA): 3 files written, 2 files deleted, 2 outputs from the cache"
    ]
    assert held(two) == second
    assert not (two.root / "deep").exists()
    assert (two.root / ".git" / "index").read_bytes() == index
    assert not list((two.root / ".dvc" / "tmp" / "redoit").glob("apply-*"))


def test_edits_stop_it(two: Sandbox) -> None:
    two.write("params.yaml", "x: 3\n")
    two.write("model/a", "edited")
    before = held(two)
    assert said(two.exp("apply", "one", code=1)) == [
        "error: the experiment 'one' would overwrite edits that are recorded nowhere",
        "  files:   params.yaml",
        "  outputs: model",
        "  record them with `exp save`, or give --force: then they are kept in .dvc/tmp/redoit/backup",
    ]
    assert held(two) == before
    two.exp("save", "-q", "-n", "edits")
    two.exp("apply", "one")
    two.exp("apply", "edits")
    assert held(two) == {**before, "dvc.lock": held(two)["dvc.lock"]}


def test_force_keeps_the_edits(two: Sandbox) -> None:
    two.write("params.yaml", "x: 3\n")
    two.write("model/a", "edited")
    assert said(two.exp("apply", "one", "--force"))[1:] == [
        "What was in the way is in .dvc/tmp/redoit/backup/one-TIME"
    ]
    assert kept(two) == {"params.yaml": "x: 3\n", "model/a": "edited", "model/b": "x: 2\n"}
    assert two.exp("status").stdout == "Up to date: all 2 stages\n"


def test_an_edit_that_has_been_staged_is_not_lost_either(two: Sandbox) -> None:
    two.exp("apply", "-q", "one")
    two.write("gone.txt", "staged")
    two.git("add", "gone.txt")
    index = (two.root / ".git" / "index").read_bytes()
    assert "  files: gone.txt" in said(two.exp("apply", "two", code=1))
    two.exp("apply", "two", "--force")
    assert kept(two) == {"gone.txt": "staged"}
    assert (two.root / ".git" / "index").read_bytes() == index
    assert two.git("show", ":gone.txt") == "staged"


def test_files_it_does_not_know_stay(two: Sandbox) -> None:
    two.write("note.txt", "mine")
    two.write("staged.txt", "mine")
    two.git("add", "staged.txt")
    two.exp("apply", "one")
    two.exp("apply", "two")
    assert held(two)["note.txt"] == held(two)["staged.txt"] == "mine"


@pytest.mark.parametrize("link", [False, True])
def test_something_where_a_folder_must_be(two: Sandbox, link: bool, tmp_path: Path) -> None:
    """Nothing is written through a link, and an untracked file is not removed."""
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "er").mkdir(parents=True)
    if link:
        (two.root / "deep").symlink_to(elsewhere)
    else:
        two.write("deep", "mine")
    assert "  files: deep" in said(two.exp("apply", "one", code=1))
    two.exp("apply", "one", "--force")
    assert held(two)["deep/er/gone.txt"] == "going\n"
    assert not list(elsewhere.rglob("gone.txt"))
    if not link:
        assert kept(two) == {"deep": "mine"}


def test_a_folder_where_a_file_must_be(two: Sandbox) -> None:
    two.write("gone.txt/mine", "mine")
    assert "  files: gone.txt" in said(two.exp("apply", "one", code=1))
    two.exp("apply", "one", "--force")
    assert held(two)["gone.txt"] == "going\n"
    assert kept(two) == {"gone.txt/mine": "mine"}


def test_an_empty_folder_is_not_in_the_way(two: Sandbox) -> None:
    (two.root / "gone.txt" / "empty").mkdir(parents=True)
    two.exp("apply", "one")
    assert held(two)["gone.txt"] == "going\n"


def test_data_that_the_cache_lacks(two: Sandbox) -> None:
    before = held(two)
    for path in (two.root / ".dvc" / "cache" / "files").rglob("*"):
        if path.is_file() and path.read_bytes() == b"x: 1\n":
            path.unlink()
    result = two.exp("apply", "one", "--force", code=1)
    assert said(result)[:2] == [
        "error: the cache does not have all data of the experiment 'one'",
        "  missing: model",
    ]
    assert held(two) == before


def test_from_an_older_baseline(two: Sandbox) -> None:
    """What the experiment deleted is deleted; what was committed since stays."""
    two.git("checkout", "-q", "--", ".")
    two.write("later.txt", "later")
    two.commit("later")
    two.exp("apply", "two")
    found = held(two)
    assert "gone.txt" not in found and found["later.txt"] == "later"
    assert found["params.yaml"] == "x: 2\n" and found["model/b"] == "x: 2\n"


def test_outs_that_the_experiment_has_no_stage_for(two: Sandbox) -> None:
    two.exp("apply", "-q", "one")
    two.write("dvc.yaml", PIPELINE + "  more:\n    cmd: echo 1 > more.txt\n    outs: [more.txt]\n")
    two.exp("run", "-q", "-n", "more")
    two.exp("apply", "one")
    assert "more.txt" not in held(two)
    two.exp("apply", "more")
    assert held(two)["more.txt"] == "1\n"
    # An edited one is the user's.
    two.write("more.txt", "edited")
    two.exp("apply", "one")
    assert held(two)["more.txt"] == "edited"


def test_nothing_is_written_outside_of_the_project(two: Sandbox) -> None:
    """An experiment may come from anybody. Nothing of it is applied then."""
    before, head = held(two), two.git("rev-parse", "HEAD")
    for name in ("dvc.yaml", "dvc.lock"):
        two.write(name, two.read(name).replace("out.txt", "../evil.txt"))
    evil = two.commit()
    two.git("reset", "-q", "--soft", head)
    for name in ("dvc.yaml", "dvc.lock"):
        two.write(name, before[name])
    two.git("reset", "-q")
    two.git("update-ref", f"refs/exps/{head[:2]}/{head[2:]}/evil", evil)
    before = held(two)
    told = two.exp("apply", "--force", "evil", code=1).stderr
    assert "lies outside of the project, so nothing is written there" in told
    assert not (two.root.parent / "evil.txt").exists()
    assert held(two) == before


def test_from_a_broken_pipeline(two: Sandbox) -> None:
    two.write("dvc.yaml", "stages: [")
    assert "  files: dvc.yaml" in said(two.exp("apply", "one", code=1))
    two.exp("apply", "one", "--force")
    assert kept(two) == {"dvc.yaml": "stages: ["}


def test_line_ends_links_and_modes(two: Sandbox) -> None:
    two.exp("apply", "-q", "one")
    two.write(".gitattributes", "*.bat text eol=crlf\n")
    two.write("a.bat", "one\r\ntwo\r\n")
    (two.root / "link").symlink_to("in.txt")
    two.commit("attributes")
    two.write("a.bat", "three\r\n")
    (two.root / "link").unlink()
    (two.root / "link").symlink_to("params.yaml")
    two.exp("save", "-q", "-n", "three")
    want = held(two)
    two.git("checkout", "-q", "--", ".")
    two.exp("apply", "three")
    assert held(two) == want
    assert (two.root / "a.bat").read_bytes() == b"three\r\n"


def test_a_project_in_a_folder(repo: Sandbox) -> None:
    repo.write("outside.txt", "1")
    repo.write("sub/in.txt", "1")
    repo.write(
        "sub/dvc.yaml",
        "stages:\n  s:\n    cmd: cp in.txt out\n    deps: [in.txt]\n    outs: [out]\n",
    )
    repo.exp("init", "-q", "--subdir", "--hash", "md5", cwd="sub")
    repo.commit("start")
    repo.exp("run", "-q", "-n", "one", cwd="sub")
    repo.write("sub/in.txt", "2")
    repo.write("outside.txt", "2")
    repo.exp("run", "-q", "-n", "two", cwd="sub")
    repo.exp("apply", "one", cwd="sub")
    assert (repo.read("sub/in.txt"), repo.read("sub/out"), repo.read("outside.txt")) == (
        "1",
        "1",
        "1",
    )
    repo.write("outside.txt", "3")
    repo.write("sub/in.txt", "3")
    assert "  files: outside.txt, sub/in.txt" in said(repo.exp("apply", "two", cwd="sub", code=1))
    printed = said(repo.exp("apply", "two", "--force", cwd="sub"))
    assert printed[1] == "What was in the way is in .dvc/tmp/redoit/backup/two-TIME"
    top = next((repo.root / "sub" / ".dvc" / "tmp" / "redoit" / "backup").iterdir())
    assert (top / "outside.txt").read_text() == (top / "sub" / "in.txt").read_text() == "3"


def test_in_the_middle_of_a_merge(two: Sandbox) -> None:
    two.git("checkout", "-q", "--", ".")
    for branch in ("left", "right"):
        two.git("checkout", "-q", "-b", branch, "main")
        two.write("in.txt", branch)
        two.git("commit", "-q", "-am", branch)
    two.git("merge", "-q", "left", code=1)
    assert said(two.exp("apply", "one", code=1))[0] == (
        "error: a merge is not finished, so nothing can be applied"
    )


@pytest.mark.parametrize("types", ["hardlink", "symlink", "copy"])
def test_with_links(two: Sandbox, types: str) -> None:
    two.exp("config", "--local", "cache.type", types)
    two.exp("apply", "one", "--force")
    two.exp("apply", "two", "--force")
    assert held(two)["params.yaml"] == "x: 2\n"
    assert (two.root / "model" / "b").read_text() == "x: 2\n"
    assert (two.root / "model" / "b").is_symlink() == (types == "symlink")
