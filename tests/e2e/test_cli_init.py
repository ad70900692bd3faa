"""``exp init``: what it makes, what it refuses, and that DVC accepts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compat.oracle import Oracle
from tests.sandbox import Sandbox, git_sandbox

XXH128_NOTE = (
    "Content is named by xxh128, which DVC cannot read; `exp init --hash md5` if it should\n"
)
STAGED_NOTE = "Its files are in Git's index: commit them when you like\n"


def made(folder: Path) -> dict[str, str]:
    """Path → content of what lies in ``.dvc`` and beside it."""
    files = [*folder.glob(".dvc/*"), folder / ".dvcignore"]
    return {p.relative_to(folder).as_posix(): p.read_text() for p in files if p.is_file()}


def test_a_new_project(repo: Sandbox) -> None:
    result = repo.exp("init")
    assert result.stdout == f"Made a project in {repo.root}\n{STAGED_NOTE}{XXH128_NOTE}"
    assert result.stderr == ""
    files = made(repo.root)
    assert files.pop(".dvcignore").startswith("# ")
    assert files == {
        ".dvc/.gitignore": "/config.local\n/tmp\n/cache\n",
        ".dvc/config": "",
        ".dvc/redoit.toml": '# Settings of Redoit. DVC does not read this file.\nhash = "xxh128"\n',
    }
    assert repo.git("status", "--short").splitlines() == [
        "A  .dvc/.gitignore",
        "A  .dvc/config",
        "A  .dvc/redoit.toml",
        "A  .dvcignore",
    ]


@pytest.mark.oracle
def test_dvc_makes_and_accepts_the_same(repo: Sandbox, dvc: Oracle, tmp_path: Path) -> None:
    repo.exp("init", "--hash", "md5")
    status = repo.git("status", "--short")
    ours = made(repo.root)
    repo.commit()
    assert "no data or pipelines" in dvc.on(repo, "status")

    theirs = git_sandbox(tmp_path / "theirs", tmp_path / "home")
    dvc.on(theirs, "init", "-q")
    assert theirs.git("status", "--short") == status
    expected = made(theirs.root)
    assert expected.pop(".dvcignore")  # a comment of their own
    assert ours.pop(".dvcignore")
    assert ours == expected


@pytest.mark.oracle
def test_dvc_accepts_a_project_without_git(repo: Sandbox, dvc: Oracle, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    project = Sandbox(bare, repo.env)
    project.exp("init", "--hash", "md5", "--no-scm")
    assert made(bare)[".dvc/config"] == "[core]\n    no_scm = True\n"
    assert ".dvc/.gitignore" not in made(bare)
    assert "no data or pipelines" in dvc.on(project, "status")


def test_quiet(repo: Sandbox) -> None:
    result = repo.exp("init", "-q")
    assert result.stdout == result.stderr == ""


def test_an_ignore_file_of_ones_own_stays(repo: Sandbox) -> None:
    repo.write(".dvcignore", "*.tmp\n")
    repo.exp("init")
    assert repo.read(".dvcignore") == "*.tmp\n"


def test_force_replaces_settings_and_keeps_the_cache(repo: Sandbox) -> None:
    repo.exp("init")
    repo.write(".dvc/cache/files/xxh128/ab/cd", "content")
    repo.write(".dvc/config.local", "[core]\n    remote = x\n")
    repo.exp("init", "-f", "--hash", "md5")
    assert repo.read(".dvc/cache/files/xxh128/ab/cd") == "content"
    assert set(made(repo.root)) == {".dvc/.gitignore", ".dvc/config", ".dvcignore"}


def test_a_sub_directory_needs_a_word(repo: Sandbox) -> None:
    (repo.root / "sub").mkdir()
    refused = repo.exp("init", cwd="sub", code=1)
    assert refused.stderr == (
        "error: this is a sub-directory of a Git repository\n"
        f"  folder:     {repo.root}/sub\n"
        f"  repository: {repo.root}\n"
        f"  run `exp init` in {repo.root}, or `exp init --subdir` to make the project here\n"
    )
    repo.exp("init", "--subdir", cwd="sub")
    assert (repo.root / "sub" / ".dvc").is_dir()
    assert "A  sub/.dvc/config" in repo.git("status", "--short")


def test_without_git(tmp_path: Path, clean_env: dict[str, str]) -> None:
    folder = tmp_path / "bare"
    folder.mkdir()
    bare = Sandbox(folder, clean_env)
    assert bare.exp("init", code=1).stderr == (
        "error: there is no Git repository here\n"
        f"  folder: {folder}\n"
        "  run `git init` first, or `exp init --no-scm` to go without Git\n"
    )
    assert not (folder / ".dvc").exists()
    bare.exp("init", "--no-scm")
    bare.write("dvc.yaml", "stages:\n  a:\n    cmd: echo a > a\n    outs: [a]\n")
    bare.exp("repro")
    assert bare.read("a") == "a\n"
    assert not (folder / ".gitignore").exists()


@pytest.mark.parametrize(
    ("before", "arguments", "code", "message"),
    [
        (
            {".dvc/config": ""},
            [],
            1,
            "error: there is a project here already\n"
            "  folder: {root}\n"
            "  `exp init -f` replaces its settings\n",
        ),
        (
            {".dvc": "a file"},
            ["-f"],
            1,
            "error: there is something called .dvc here that is no folder\n"
            "  folder: {root}\n"
            "  move it away\n",
        ),
        (
            {".gitignore": ".dvc\n"},
            [],
            1,
            "error: Git ignores .dvc here, but it has to be tracked\n"
            "  folder: {root}\n"
            "  add the line '!.dvc' to .gitignore\n",
        ),
        (
            {},
            ["--no-scm", "--subdir"],
            2,
            "error: --no-scm and --subdir cannot be given together\n"
            "  --subdir is for a sub-directory of a Git repository\n",
        ),
        (
            {},
            ["--hash", "sha1"],
            2,
            "error: invalid value for '--hash': 'sha1' is not one of 'xxh128', 'md5'\n"
            "  see `exp init --help`\n",
        ),
    ],
)
def test_refusals(
    repo: Sandbox, before: dict[str, str], arguments: list[str], code: int, message: str
) -> None:
    for path, content in before.items():
        repo.write(path, content)
    result = repo.exp("init", *arguments, code=code)
    assert result.stderr == message.format(root=repo.root)
    assert result.stdout == ""
