"""``exp cache``: where it is, whether it is sound, and moving to the other digest."""

from __future__ import annotations

import pytest

from tests.compat.oracle import Oracle
from tests.sandbox import Sandbox

PIPELINE = """\
stages:
  make:
    cmd: echo one > one && mkdir -p many && echo two > many/two && echo three > many/three
    deps: [source]
    outs: [one, many]
"""


@pytest.fixture(params=["md5", "xxh128"])
def ran(request: pytest.FixtureRequest, repo: Sandbox) -> Sandbox:
    """A project of either digest in which the pipeline has run."""
    repo.exp("init", "-q", "--hash", request.param)
    repo.write("dvc.yaml", PIPELINE)
    repo.write("source", "source\n")
    repo.commit()
    repo.exp("repro", "-q")
    return repo


def test_where_it_is(project: Sandbox) -> None:
    assert project.exp("cache", "dir").stdout == f"{project.root}/.dvc/cache\n"
    project.exp("config", "--local", "cache.dir", "elsewhere")
    assert project.exp("cache", "dir").stdout == f"{project.root}/elsewhere\n"


def test_verify(ran: Sandbox) -> None:
    assert ran.exp("cache", "verify").stdout == "All objects are as their names say\n"
    objects = [p for p in (ran.root / ".dvc/cache/files").rglob("*") if p.is_file()]
    assert len(objects) == 4
    bad = next(p for p in objects if p.read_bytes() == b"two\n")
    bad.chmod(0o644)
    bad.write_bytes(b"xxx\n")
    result = ran.exp("cache", "verify", code=1)
    assert str(bad) in result.stdout
    assert result.stdout.endswith("1 bad object\n")
    assert ran.exp("cache", "verify", "-q", code=1).stdout == ""


def test_migrate_there_and_back(ran: Sandbox) -> None:
    lock = ran.read("dvc.lock")
    to, back = ("xxh128", "md5") if "hash: md5" in lock else ("md5", "xxh128")
    said = ran.exp("cache", "migrate", "--to", to).stdout
    assert said.startswith(f"Migrated to {to}: ")
    assert "dvc.lock" in said
    assert f"hash: {to}" in ran.read("dvc.lock")
    assert back not in ran.read("dvc.lock")
    assert ran.exp("status").stdout == "Up to date: 1 stage\n"
    assert "Nothing changed" in ran.exp("repro").stdout
    assert ran.exp("cache", "verify").stdout == "All objects are as their names say\n"

    assert ran.exp("cache", "migrate", "--to", to).stdout == f"Everything is {to} already\n"
    ran.exp("cache", "migrate", "--to", back)
    assert ran.read("dvc.lock") == lock


@pytest.mark.oracle
def test_dvc_takes_over_a_migrated_project(repo: Sandbox, dvc: Oracle) -> None:
    repo.exp("init", "-q")
    repo.write("dvc.yaml", PIPELINE)
    repo.write("source", "source\n")
    repo.commit()
    repo.exp("repro", "-q")
    repo.exp("cache", "migrate", "--to", "md5")
    assert "up to date" in dvc.on(repo, "status")
    (repo.root / "one").unlink()
    dvc.on(repo, "checkout")
    assert repo.read("one") == "one\n"


def test_what_is_lost_is_named(ran: Sandbox) -> None:
    to = "xxh128" if "hash: md5" in ran.read("dvc.lock") else "md5"
    for path in (ran.root / ".dvc/cache/files").rglob("*"):
        if path.is_file() and path.read_bytes() == b"one\n":
            path.unlink()
    ran.write("one", "something else\n")
    result = ran.exp("cache", "migrate", "--to", to, code=1)
    assert "the content of 'one' is neither in the cache nor in the workspace" in result.stderr
