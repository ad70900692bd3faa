"""``exp data move`` and ``remove`` killed after any step: nothing lost, and the same command completes it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from redoit import Project
from redoit.data.targets import DataRequest
from redoit.errors import TargetNotFound
from redoit.model import Request
from tests.property import test_store_crash as crash
from tests.sandbox import dvc_sandbox
from tests.unit.store_room import files_below

Work = Callable[[Path], object]

PIPELINE = """\
stages:
  make:  # one
    cmd: mkdir made && echo 1 > made/one
    outs: [made]
  each:
    foreach: [a]
    do:
      cmd: echo ${item} > ${item}
      outs:
      - ${item}
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a file and a directory that are data, and lines of the user's in ``.gitignore``."""
    tmp = tmp_path_factory.mktemp("crash")
    box = dvc_sandbox(tmp / "repo", tmp / "home")
    box.write("file", "a file\n")
    box.write("dir/one", "1\n")
    box.write("dir/sub/two", "2\n")
    box.write(".gitignore", "# mine\n*.log\n")
    box.exp("data", "add", "-q", "file", "dir")
    box.write("dvc.yaml", PIPELINE)
    box.exp("repro", "-q")
    (box.root / "place").mkdir()
    return box.root


def undisturbed(work: Work, template: Path, tmp_path: Path) -> dict[str, bytes]:
    """What there is when nothing stops ``work``."""
    done = tmp_path / "done"
    shutil.copytree(template, done, symlinks=True)
    work(done)
    return state(done)


def state(root: Path) -> dict[str, bytes]:
    found = files_below(root)
    return {name: data for name, data in found.items() if not name.startswith((".git/", ".dvc/"))}


def killed(work: Work, template: Path, tmp_path: Path) -> Iterator[Path]:
    """For every step of ``work``: a copy of the repository in which it was killed there."""
    for step in range(1, 200):
        root = tmp_path / str(step)
        shutil.copytree(template, root, symlinks=True)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                crash._left.append(step)
                work(root)
                status = 0
            finally:
                os._exit(status)
        _, code = os.waitpid(child, 0)
        assert code in (0, signal.SIGKILL), code
        yield root
        shutil.rmtree(root)
        if code == 0:
            assert step > 5
            return
    raise AssertionError("the work takes more steps than were tried")


def again(work: Work, root: Path, wanted: dict[str, bytes]) -> None:
    with contextlib.suppress(TargetNotFound):  # it had all been done
        work(root)
    assert state(root) == wanted
    assert not [each for each in state(root) if each.endswith(".tmp")]


@pytest.mark.parametrize(
    ("source", "target", "end"),
    [("file", "new/name", "new/name"), ("dir", "place", "place/dir")],
)
def test_move(source: str, target: str, end: str, template: Path, tmp_path: Path) -> None:
    def work(root: Path) -> None:
        Project(root).data.move(source, target, str(root))

    data = {n: d for n, d in state(template).items() if n == source or n.startswith(f"{source}/")}
    moved = {end + name[len(source) :]: content for name, content in data.items()}
    wanted = undisturbed(work, template, tmp_path)
    assert moved.items() <= wanted.items()
    assert f"{end}.dvc" in wanted
    assert not {source, f"{source}.dvc"} & set(wanted)
    for root in killed(work, template, tmp_path):
        now = state(root)
        # The data are in one place, whole, and the file beside them says so.
        here = data.items() <= now.items()
        assert here != (moved.items() <= now.items())
        assert f"{source if here else end}.dvc" in now
        assert now[".gitignore"].startswith(b"# mine\n*.log\n")
        again(work, root, wanted)


@pytest.mark.parametrize("outs", [False, True])
def test_remove(outs: bool, template: Path, tmp_path: Path) -> None:
    def work(root: Path) -> None:
        Project(root).data.remove(DataRequest(("dir",), str(root)), outs=outs)

    wanted = undisturbed(work, template, tmp_path)
    for root in killed(work, template, tmp_path):
        now = state(root)
        assert outs or {"dir/one", "dir/sub/two"} <= set(now)
        # As long as it is ignored, there is a file that says what it is.
        assert "dir.dvc" in now or b"/dir" not in now[".gitignore"]
        assert now[".gitignore"].startswith(b"# mine\n*.log\n")
        again(work, root, wanted)


@pytest.mark.parametrize("last", ["dir.dvc", "dvc.yaml", "removing.json"])
def test_remove_several(last: str, template: Path, tmp_path: Path) -> None:
    """What went already is no unknown target when the command is given again; anything else is."""

    def remove(*more: str) -> list[str]:
        targets = ("file.dvc", "dir", "each", *more)
        return list(Project(root).data.remove(DataRequest(targets, str(root))))

    root = tmp_path / "repo"
    shutil.copytree(template, root, symlinks=True)
    child = os.fork()
    if child == 0:
        sys.addaudithook(lambda event, args: _die_before(last, event, args))
        remove()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    now = state(root)
    assert "file.dvc" not in now
    assert ("dir.dvc" in now) == (last == "dir.dvc")
    with pytest.raises(TargetNotFound, match="other"):
        remove("other")
    assert state(root) == now
    assert len(remove()) == {"dir.dvc": 2, "dvc.yaml": 1, "removing.json": 0}[last]
    assert {"file.dvc", "dir.dvc"}.isdisjoint(state(root))
    assert "each" not in (root / "dvc.yaml").read_text()
    with pytest.raises(TargetNotFound):
        remove()


def _die_before(name: str, event: str, args: tuple[object, ...]) -> None:
    """Be killed before the file is removed or replaced."""
    if event in ("os.remove", "os.rename") and any(str(arg).endswith(f"/{name}") for arg in args):
        is_made = event == "os.rename" and name == "removing.json"
        if not is_made:
            os.kill(os.getpid(), signal.SIGKILL)


def test_remove_stages(template: Path, tmp_path: Path) -> None:
    def work(root: Path) -> None:
        Project(root).data.remove(DataRequest(("each",), str(root)), outs=True)

    wanted = undisturbed(work, template, tmp_path)
    assert wanted["dvc.yaml"].decode() == PIPELINE[: PIPELINE.index("  each")]
    assert b"each" not in wanted["dvc.lock"]
    for root in killed(work, template, tmp_path):
        now = state(root)
        assert now["dvc.yaml"].decode() in (PIPELINE, wanted["dvc.yaml"].decode())
        assert now["made/one"] == b"1\n"
        again(work, root, wanted)


@pytest.mark.parametrize("before", ["nothing", "older data"])
def test_a_checkout_file_by_file(before: str, template: Path, tmp_path: Path) -> None:
    """What a killed checkout leaves of a directory is completed by the next run, and never recorded in its place."""
    start = tmp_path / "start"
    shutil.copytree(template, start, symlinks=True)
    (start / ".dvc/config").write_text("[cache]\n    type = hardlink\n")
    if before == "nothing":
        shutil.rmtree(start / "dir")
    else:
        record = (start / "dir.dvc").read_bytes()
        (start / "dir/sub/two").unlink()
        (start / "dir/one").unlink()
        (start / "dir/one").write_text("older\n")
        (start / "dir/zero").write_text("0\n")
        Project(start).data.add(DataRequest(("dir",), str(start)))
        (start / "dir.dvc").write_bytes(record)
    first = state(start)

    def work(root: Path) -> None:
        Project(root).data.checkout(DataRequest(("dir",), str(root)))

    wanted = undisturbed(work, start, tmp_path)
    assert wanted["dir/one"] == b"1\n"
    for root in killed(work, start, tmp_path):
        if state(root) == first and not list((root / ".dvc/tmp/redoit").glob("incomplete/*")):
            continue  # it had not begun
        Project(root).repro(Request(targets=("dir.dvc",)))
        assert state(root) == wanted
        (root / "dir/one").unlink()  # now a deletion is one
        Project(root).repro(Request(targets=("dir.dvc",)))
        assert state(root)["dir.dvc"] != wanted["dir.dvc"]
