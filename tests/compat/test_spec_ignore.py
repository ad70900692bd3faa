"""What ``.dvcignore`` and Git's rules leave out, as DVC decides it: generated rules and paths."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from redoit.model import RepoPath
from redoit.spec.files import WorkFiles
from redoit.spec.ignore import GitRules, Ignore
from tests.compat.spec_oracle import SpecOracle

pytestmark = pytest.mark.oracle

NAMES = ("a", "b", "ab", "a.txt", "data", "x y", "!z", "#h", "[q]", "a.b", "deep")
PARTS = ("a", "b", "*", "a*", "*b", "?", "[ab]", "[!a]", "*.txt", "data", "a.txt", "x y")
ODD = ("\\!z", "\\#h", "\\a", "[a-b]", "\\[q\\]", "a\\*", "*.*", "**", "a**", "# text", "")


@pytest.fixture(scope="module")
def oracle(dvc_bin: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpecOracle]:
    driver = SpecOracle(dvc_bin, tmp_path_factory.mktemp("home"))
    yield driver
    driver.close()


def pattern(pick: random.Random, *, negate: bool) -> str:
    if pick.random() < 0.15:
        return pick.choice(ODD)
    text = "/".join(pick.choice(PARTS) for _ in range(pick.choice((1, 1, 1, 2, 2, 3))))
    if pick.random() < 0.15 and "/" in text:
        text = text.replace("/", "/**/", 1)
    if pick.random() < 0.3:
        text = "/" + text
    if pick.random() < 0.3 and not text.endswith("*"):
        text += "/"
    return "!" + text if negate and pick.random() < 0.25 else text


def make(root: Path, name: str, seed: int, *, nested: bool) -> list[tuple[str, bool]]:
    """A project with rules in files called ``name``; paths to ask about, each with "is a folder"."""
    pick = random.Random(seed)
    (root / ".dvc").mkdir()
    (root / ".dvc" / "config").touch()
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    for folder in ("", "data", "a/b") if nested else ("",):
        (root / folder).mkdir(parents=True, exist_ok=True)
        lines = [pattern(pick, negate=not nested) for _ in range(pick.randint(1, 5))]
        (root / folder / name).write_text("\n".join(lines) + "\n")
    paths = []
    for _ in range(60):
        path = "/".join(pick.choice(NAMES) for _ in range(pick.randint(1, 4)))
        paths.append((path, pick.random() < 0.5 or (root / path).is_dir()))
    return paths


@pytest.mark.parametrize("seed", range(40))
def test_dvcignore(seed: int, oracle: SpecOracle, tmp_path: Path) -> None:
    paths = make(tmp_path, ".dvcignore", seed, nested=seed % 2 == 0)
    answer = oracle.ask(ignored=str(tmp_path), paths=paths)
    ignore = Ignore(WorkFiles(str(tmp_path)))
    ours = [ignore.ignores(RepoPath(path), is_dir) for path, is_dir in paths]
    assert dict(zip(paths, ours, strict=True)) == dict(zip(paths, answer["value"], strict=True))


@pytest.mark.parametrize("seed", range(40))
def test_gitignore(seed: int, oracle: SpecOracle, tmp_path: Path) -> None:
    paths = make(tmp_path, ".gitignore", seed, nested=seed % 2 == 0)
    answer = oracle.ask(git_ignored=str(tmp_path), paths=paths)
    rules = GitRules(str(tmp_path))
    ours = [rules.ignores(f"{tmp_path}/{path}", is_dir) for path, is_dir in paths]
    assert dict(zip(paths, ours, strict=True)) == dict(zip(paths, answer["value"], strict=True))
