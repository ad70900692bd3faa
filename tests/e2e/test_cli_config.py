"""``exp config``: reading and changing settings on every level."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compat.oracle import Oracle
from tests.sandbox import Sandbox


def test_setting_reading_and_unsetting(project: Sandbox) -> None:
    assert project.exp("config").stdout == ""
    assert project.exp("config", "core.remote", "shared").stdout == ""
    project.exp("config", "--local", "core.remote", "mine")
    project.exp("config", "--global", "cache.type", "hardlink,copy")
    assert project.exp("config", "core.remote").stdout == "mine\n"
    assert project.exp("config", "--project", "core.remote").stdout == "shared\n"
    assert project.exp("config", "--list").stdout == (
        "cache.type=hardlink,copy\ncore.remote=shared\ncore.remote=mine\n"
    )
    home = project.env["DVC_GLOBAL_CONFIG_DIR"]
    assert project.exp("config", "-l", "--show-origin").stdout == (
        f"{home}/config\tcache.type=hardlink,copy\n"
        ".dvc/config\tcore.remote=shared\n"
        ".dvc/config.local\tcore.remote=mine\n"
    )
    assert project.exp("config", "--show-origin", "core.remote").stdout == (
        ".dvc/config.local\tmine\n"
    )
    project.exp("config", "--local", "-u", "core.remote")
    assert project.exp("config", "core.remote").stdout == "shared\n"
    assert "remote = shared" in project.read(".dvc/config")


def test_the_digest_is_an_option_of_redoit(project: Sandbox) -> None:
    project.exp("config", "redoit.hash", "xxh128")
    assert project.read(".dvc/redoit.toml") == 'hash = "xxh128"\n'
    assert project.exp("config", "redoit.hash").stdout == "xxh128\n"
    assert "redoit.hash=xxh128\n" in project.exp("config").stdout


def test_outside_of_a_project(tmp_path: Path, clean_env: dict[str, str]) -> None:
    folder = tmp_path / "nowhere"
    folder.mkdir()
    nowhere = Sandbox(folder, clean_env)
    nowhere.exp("config", "--global", "core.autostage", "true")
    assert nowhere.exp("config", "core.autostage").stdout == "true\n"
    for arguments in (["core.remote", "x"], ["--local", "core.remote"]):
        result = nowhere.exp("config", *arguments, code=1)
        assert result.stderr.startswith("error: ")
        assert "exp init" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["core.remote"], 1, ["core.remote is not set", "`exp config core.remote VALUE` sets it"]),
        (["--local", "core.remote"], 1, ["core.remote is not set on the level local"]),
        (["core.remte"], 2, ["remte", "did you mean 'remote'?"]),
        (["cor.remote", "x"], 2, ["cor", "did you mean 'core'?"]),
        (["remote"], 2, ["no name of an option"]),
        (["cache.type", "teleport"], 1, ["cache.type must be", "'teleport'"]),
        (["redoit.hash", "sha1"], 1, ["hash must be 'md5' or 'xxh128', not 'sha1'"]),
        (["-u", "core.remote"], 1, ["core.remote", "not set"]),
        (["-u"], 2, ["--unset takes a NAME"]),
        (["-u", "core.remote", "x"], 2, ["--unset takes a NAME and no VALUE"]),
        (["-l", "core.remote"], 2, ["--list takes no NAME"]),
        (["--local", "--global"], 2, ["--local and --global cannot be given together"]),
        (["--show-origin", "core.remote", "x"], 2, ["--show-origin is for reading"]),
    ],
)
def test_refusals(project: Sandbox, arguments: list[str], code: int, words: list[str]) -> None:
    before = project.read(".dvc/config")
    result = project.exp("config", *arguments, code=code)
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    for word in words:
        assert word in result.stderr
    assert project.read(".dvc/config") == before


@pytest.mark.oracle
def test_dvc_reads_what_was_set(project: Sandbox, dvc: Oracle) -> None:
    project.exp("config", "cache.dir", "../elsewhere")
    project.exp("config", "remote.backup.url", "/tmp/backup")
    project.exp("config", "core.remote", "backup")
    listed = dvc.on(project, "config", "--list")
    assert "core.remote=backup" in listed
    assert "remote.backup.url=/tmp/backup" in listed
    assert str(project.root.parent / "elsewhere") in listed
