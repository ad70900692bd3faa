"""Imports against a real DVC: the same files, byte for byte, and each goes on with what the other has written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from redoit.api import Project
from redoit.data.status import StatusRequest
from redoit.data.targets import DataRequest
from tests.compat.oracle import Oracle, files
from tests.import_sources import change_sources, exp_data, make_sources
from tests.sandbox import Sandbox, dvc_sandbox

pytestmark = pytest.mark.oracle

Words = tuple[str, ...]
CHANGE: Words = ("change",)
"""Stands for: the sources change."""
STORIES: dict[str, list[Words]] = {
    "of data": [
        ("import", "../src", "dir", "--rev", "v1", "-o", "d2"),
        ("import", "../src", "dir/deep", "-o", "deep"),
        ("import", "../src", "dir/one", "-o", "one"),
        ("import", "../src", "out.txt", "--remote", "up"),
        CHANGE,
        ("update", "d2.dvc", "--rev", "v2"),
        ("update", "deep.dvc"),
    ],
    "of Git": [
        ("import", "../src", "gfile"),
        ("import", "../src", "gdir"),
        ("import", "../src", "mixed"),
        ("import", "../plain", "pd", "-o", "sub"),
        CHANGE,
        ("update", "gdir.dvc"),
    ],
    "without data": [
        ("import", "../plain", "p.txt", "--no-exec"),
        ("import", "../src", "dir", "--no-download"),
        ("import-url", "../web/w", "--no-download"),
        ("update", "p.txt.dvc"),
        CHANGE,
        ("update", "w.dvc", "--no-download"),
        ("update", "dir.dvc", "--no-download"),
    ],
    "of URLs": [
        ("import-url", "../web/w"),
        ("import-url", "../web/wx"),
        ("import-url", "../web/wd", "--to-remote"),
        ("import-url", "own", "own2"),
        ("import-url", "remote://web/wd", "wd3"),
        CHANGE,
        ("update", "w.dvc", "wx.dvc", "wd3.dvc"),
    ],
    "refused": [
        ("import", "../src", "nothing"),
        ("import", "../nothing", "file"),
        ("import-url", "../web/nothing"),
        ("import-url", "../web/w", "nothing/w"),
        ("import-url", "../web/w", "-r", "web"),
        ("update", "own"),
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("imports")
    make_sources(base)
    return base


def importing(base: Path, name: str) -> Sandbox:
    box = dvc_sandbox(base / name, base / "home")
    config = f"[core]\n    remote = up\n['remote \"up\"']\n    url = ../../up-{name}\n['remote \"web\"']\n    url = ../../web\n"
    box.write(".dvc/config", config)
    box.write("own", "o\n")
    (box.root / "sub").mkdir()
    box.commit()
    return box


@pytest.mark.parametrize("story", STORIES)
def test_the_same_files(
    tmp_path: Path, sources: Path, dvc: Oracle, story: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(sources, tmp_path, symlinks=True, dirs_exist_ok=True)
    ours, theirs = importing(tmp_path, "ours"), importing(tmp_path, "theirs")
    for words in STORIES[story]:
        if words == CHANGE:
            change_sources(Sandbox(tmp_path / "src", ours.env), monkeypatch)
            if story in ("of data", "of Git"):
                _same_news(ours, theirs, dvc)
            continue
        told = exp_data(ours, monkeypatch, *words)
        said = dvc(*words, cwd=theirs.root, env=theirs.env, code=None)
        assert (told is None) == (said.code == 0), f"{said}\n{told}"
        assert files(ours, ".dvc/") == files(theirs, ".dvc/"), f"{said}\n{told}"
    if story == "of data":
        _swap(ours, theirs, dvc, monkeypatch)


def _same_news(ours: Sandbox, theirs: Sandbox, dvc: Oracle) -> None:
    """The imports whose repository has another commit now."""
    said = json.loads(dvc("status", "--json", cwd=theirs.root, env=theirs.env).stdout)
    expected = [file for file, what in said.items() if "update available" in str(what)]
    request = StatusRequest(DataRequest((), str(ours.root)), updates=True)
    found = Project(ours.root).data.status(request).updates
    assert found
    assert sorted(f"{path}.dvc" for path in found) == sorted(expected)


def _swap(ours: Sandbox, theirs: Sandbox, dvc: Oracle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each gets its data anew, by the other's program."""
    before = files(ours, ".dvc/")
    for box in (ours, theirs):
        box.commit("imports")
        shutil.rmtree(box.root / ".dvc/cache")
        box.git("clean", "-qfdX", "-e", "!.dvc")
        assert "one" not in files(box, ".dvc/")
    assert exp_data(theirs, monkeypatch, "pull") is None
    dvc("pull", cwd=ours.root, env=ours.env)
    assert files(theirs, ".dvc/") == before
    assert files(ours, ".dvc/") == before
