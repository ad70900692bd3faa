"""``exp data import``, ``import-url`` and ``update``: what they say, refuse, and leave when they are stopped."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest

from redoit.api import Project
from redoit.data import imports
from redoit.data.imports import ImportRequest
from redoit.errors import StoreError
from redoit.store import objects, processes
from redoit.store.moved import SilentMeter
from redoit.store.objects import Objects
from tests.import_sources import change_sources, exp_data, make_sources
from tests.remotes import servers
from tests.sandbox import Sandbox, git_sandbox
from tests.unit.store_room import files_below


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("imports")
    make_sources(base)
    return base


class Importing:
    """A project ``here`` beside its sources, and ``exp data`` in this process."""

    def __init__(self, base: Path, monkeypatch: pytest.MonkeyPatch, name: str = "here") -> None:
        self.box = git_sandbox(base / name, base / "home")
        self.src = Sandbox(base / "src", self.box.env)
        self._patch = monkeypatch
        Project.init(self.box.root, hash="md5")
        self.box.commit()

    def exp(self, *words: str) -> str:
        """What the error of ``exp data WORDS`` says; ``""`` if there is none."""
        error = exp_data(self.box, self._patch, *words)
        return error.render() if error else ""

    def done(self, *words: str) -> None:
        assert self.exp(*words) == ""

    def change(self) -> None:
        change_sources(self.src, self._patch)

    def files(self) -> set[str]:
        return {path.name for path in self.box.root.iterdir()}


@pytest.fixture
def here(tmp_path: Path, sources: Path, monkeypatch: pytest.MonkeyPatch) -> Importing:
    shutil.copytree(sources, tmp_path, symlinks=True, dirs_exist_ok=True)
    return Importing(tmp_path, monkeypatch)


def test_words(here: Importing) -> None:
    box = here.box
    one = here.src.git("rev-parse", "--short=7", "v1")
    assert box.exp("data", "import", "../src", "dir", "--rev", "main").stdout == (
        f"Imported dir at {one}, 4 B: dir.dvc\n"
    )
    assert box.exp("data", "import-url", "../web/w").stdout == "Imported w, 2 B: w.dvc\n"
    assert box.read(".gitignore") == "/dir\n/w\n"
    here.change()
    two = here.src.git("rev-parse", "--short=7", "v2")
    assert box.exp("data", "update").stdout == (
        f"Updated dir.dvc ({one} → {two})\nUpdated w.dvc (b938b80 → 3740570)\n"
    )
    assert box.read("dir/three") == "3\n"
    assert box.exp("data", "update", "w", "-q").stdout == ""
    assert box.exp("data", "update", "w").stdout == "Unchanged: w.dvc\n"
    assert box.exp("status").stdout == "Up to date: all 2 stages\n"


def test_errors(here: Importing) -> None:
    here.box.write("there", "is something\n")
    for words, says in (
        (("import", "../src", "nothing"), "there is nothing at 'nothing' in that repository"),
        (("import", "../src", "dir/nothing"), "'nothing' is not in 'dir' of the other repository"),
        (("import", "../src", "file", "--rev", "v11"), "has no revision 'v11'\n  did you mean 'v1'?"),
        (("import", "../src", "file", "--rev", "-x"), "has no revision '-x'"),
        (("import", "../nothing", "file"), "there is no Git repository at '../nothing'"),
        (("import", "http://127.0.0.1:9/x.git", "file"), "'http://127.0.0.1:9/x.git' cannot be read"),
        (("import", "../src", "../file"), "is no path inside of a repository"),
        (("import", "ext::sh -c touch% ran", "file"), "it names a program that would be run"),
        (("import", "https://ada:pw@host/x", "f"), "the password in the URL would be written"),
        (("import", "../src", "file", "-o", "there"), "'there' is there already"),
        (("import", "../src", "file", "-o", "no/f"), "there is no folder for 'no/f'"),
        (("import", "../src", "file", "-o", "../f"), "it is not inside the project"),
        (("import", "../src", "file", "--config", "no"), "the configuration that the import names is not there"),
        (("import-url", "../nothing"), "there is nothing at"),
        (("import-url", "hdfs://host/x"), "is of a kind that is not supported"),
        (("import-url", "remote://up/x"), "which is not there"),
        (("import-url", "s3://b/k", "--fs-config", "password=x"), "the password would be written"),
        (("import-url", "s3://b/k", "--fs-config", "x=y"), "there is no option 'x'"),
        (("import-url", "gs://b/k", "--fs-config", "version_aware=true"), "cannot be imported by its versions"),
        (("import-url", "../nothing", "--version-aware"), "is a path, which has no versions"),
        (("import-url", "s3://b/k", "--version-aware", "--to-remote"), "--to-remote cannot be given with"),
        (("update", "there"), "there"),
    ):  # fmt: skip
        error = here.exp(*words)
        assert error.startswith("error: "), words
        assert says in error, error
        assert "pw" not in error
    assert here.files() == {".git", ".dvc", ".dvcignore", "there"}


def test_data_that_no_remote_has_come_from_their_source(here: Importing) -> None:
    """Fetched where they are recorded; never pushed; kept by gc; a run with --pull gets them too."""
    box = here.box
    for path, more in (("dir", ()), ("mixed", ()), ("out.txt", ("--no-download",))):
        here.done("import", "../src", path, *more)
    here.done("import-url", "../web/wd")
    box.exp("remote", "add", "-qd", "up", "../up")
    here.done("push")
    sent = {path.name for path in (box.root / "../up").rglob("*") if path.is_file()}
    assert len(sent) == 3  # wd alone, and its two files
    here.done("gc", "-w")
    box.commit()
    clone = Sandbox(box.root.parent / "clone", box.env)
    box.git("clone", "-q", ".", "../clone")
    shutil.rmtree(box.root / "../up")
    assert exp_data(clone, here._patch, "pull", "dir/deep", "mixed", "out.txt") is None
    assert not (clone.root / "dir/one").exists()
    assert (
        clone.read("dir/deep/two") + clone.read("mixed/k") + clone.read("out.txt") == "2\nk\nout\n"
    )
    assert clone.git("status", "--porcelain") == ""
    shutil.rmtree(clone.root / "mixed")
    shutil.rmtree(clone.root / ".dvc/cache")
    clone.write(
        "dvc.yaml",
        "stages:\n  join:\n    cmd: cat mixed/m wd/1 dir/one > all\n    deps: [mixed, wd, dir]\n    outs: [all]\n",
    )
    clone.command("rm", "-r", "dir")
    clone.exp("run", "-q", "--pull")
    assert clone.read("all") == "m\n1\n1\n"
    # Outside of the workspace relative paths count from it all the same.
    clone.command("rm", "-r", ".dvc/cache", ".dvc/tmp/redoit/clones")
    told = clone.exp("run", "--temp", "--pull", "-f", "-n", "far").stdout
    assert "Running stage 'join'" in told
    clone.command("rm", "all")
    clone.exp("apply", "-q", "far")
    assert clone.read("all") == "m\n1\n1\n"
    clone.command("rm", "-r", ".dvc/cache", "wd")
    here.change()
    assert "its source has other content now" in str(
        exp_data(clone, here._patch, "pull", "wd").render()  # type: ignore[union-attr]
    )
    assert not (clone.root / "wd").exists()


def test_what_was_changed_here_is_not_overwritten(here: Importing) -> None:
    here.done("import-url", "../web/wd")
    (here.box.root / "wd/1").chmod(0o644)
    here.box.write("wd/1", "mine\n")
    here.change()
    assert "was changed here, and would be overwritten" in here.exp("update", "wd")
    assert here.box.read("wd/1") == "mine\n"
    here.done("checkout", "-f", "wd")
    (here.box.root / "sub").mkdir()
    here.done("move", "wd", "sub")
    assert "path: ../../web/wd\n" in here.box.read("sub/wd.dvc")
    here.done("update", "-R", "sub")
    assert here.box.read("sub/wd/4") == "4\n"


def test_an_import_of_an_import(here: Importing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through two repositories, of which only the first has the data; into a project of another digest."""
    here.done("import", "../src", "dir")
    here.done("import-url", "../web/wd")
    here.box.commit()
    shutil.rmtree(here.box.root / ".dvc/cache")
    far = git_sandbox(here.box.root.parent / "far", here.box.root.parent / "home")
    Project.init(far.root, hash="xxh128")
    for path in ("dir", "wd/in", "wd/1"):
        assert exp_data(far, monkeypatch, "import", f"file://{here.box.root}", path) is None
    assert far.read("dir/deep/two") + far.read("in/2") + far.read("1") == "2\n2\n1\n"
    assert "hash: xxh128" in far.read("dir.dvc")
    assert exp_data(far, monkeypatch, "update", "dir") is None


def test_news_of_sources(here: Importing) -> None:
    """They are asked only if that is wanted, and no commit is fetched for it."""
    for words in (("../src", "dir"), ("../src", "gfile", "--rev", "v1"), ("../plain", "pd")):
        here.done("import", *words)
    here.done("import-url", "../web/w")
    here.done("import-url", "../web/wx", "--no-exec")

    def updates(*words: str) -> object:
        told = here.box.exp("data", "status", "--json", "--updates", *words).stdout
        return json.loads(told).get("updates")

    assert updates() == ["wx"]
    here.change()
    clones = files_below(here.box.root / ".dvc/tmp/redoit/clones").keys()
    assert updates() == ["dir", "w", "wx"]
    assert updates("dir/deep", "pd") == ["dir"]
    assert files_below(here.box.root / ".dvc/tmp/redoit/clones").keys() == clones
    shutil.rmtree(here.src.root)
    assert "updates" not in here.box.exp("data", "status").stdout
    told = here.box.exp("data", "status", "--json", "--updates", code=1)
    assert json.loads(told.stdout)["updates"] == ["w", "wx"]
    lines = told.stderr.splitlines()
    assert [line.partition(" cannot be asked")[0] for line in lines] == [
        f"error: the source of '{name}'" for name in ("dir", "gfile")
    ]
    assert "there is no Git repository at '../src'" in lines[0]
    told = here.box.exp("data", "status", "--updates", "w").stdout
    assert "Imports whose source has something else now" in told


def test_revisions(here: Importing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tags, branches, commits in short, and names that need the history; kept in one clone."""
    here.change()
    one, two = here.src.git("rev-parse", "v1"), here.src.git("rev-parse", "v2")
    for at, (rev, sha) in enumerate(
        (("v1", one), ("main~1", one), (one[:9], one), (two, two), ("main", two), ("HEAD^", one))
    ):
        here.done("import", "../src", "gdir/h", "--rev", rev, "-o", f"h{at}")
        assert f"rev: {rev}\n    rev_lock: {sha}\n" in here.box.read(f"h{at}.dvc").replace("'", "")
        assert here.box.read(f"h{at}") == ("h\n" if sha == one else "h2\n")
    clones = here.box.root / ".dvc/tmp/redoit/clones"
    (clone,) = (path for path in clones.iterdir() if path.is_dir())
    # A fetch that was killed has left its locks; and a clone with many commits is made anew.
    three = here.src.commit("three")
    (clone / "shallow.lock").touch()
    (clone / f"refs/redoit/{three}.lock").touch()
    here.done("update", "h0", "--rev", "main")
    assert f"rev_lock: {three}" in here.box.read("h0.dvc")
    monkeypatch.setattr("redoit.imports.clone._MANY", 1)
    here.done("update", "h0", "--rev", "v2")
    assert [path.name for path in (clone / "refs/redoit").iterdir()] == [two]
    # A commit that is here needs no repository.
    (here.src.root / ".git").rename(here.src.root / "gone")
    here.box.command("rm", "-r", "h0", ".dvc/cache")
    here.done("pull", "h0")
    assert "cannot be read" in here.exp("update", "h0")


def test_files_in_git_lfs(here: Importing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``git lfs`` gets them, and what it gives is digested; a stand-in for it prints a file called ``content``."""
    content = b"large\n" * 100
    digest = hashlib.sha256(content).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize 600\n"
    here.src.write("big/one", pointer)
    here.src.write("big/no", f"{pointer}and more\n")  # no pointer
    here.src.commit("pointers")
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    for name in ("git", "sh", "cat"):
        found = shutil.which(name)
        assert found
        (bin_folder / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(bin_folder))
    if not shutil.which("git-lfs", path=here.box.command("git", "--exec-path").stdout.strip()):
        error = here.exp("import", "../src", "big")
        assert "'big/one' lies in Git LFS, and `git lfs` is not installed" in error
    assert "big" not in here.files()
    program = bin_folder / "git-lfs"
    program.write_text(
        '#!/bin/sh\nread line\n[ "$line" = "version https://git-lfs.github.com/spec/v1" ] || exit 3\n'
        'cat "$(git config remote.origin.url)/../content" || { echo "Error: none there" >&2; exit 2; }\n'
    )
    program.chmod(0o755)
    error = here.exp("import", "../src", "big/one")
    assert "'big/one' cannot be got from Git LFS" in error
    assert "Error: none there" in error
    (tmp_path / "content").write_bytes(content.upper())
    assert "what came is not what the pointer says" in here.exp("import", "../src", "big")
    assert not {"big", "one"} & here.files()
    (tmp_path / "content").write_bytes(content)
    here.done("import", "../src", "big")
    assert (here.box.root / "big/one").read_bytes() == content
    assert here.box.read("big/no") == f"{pointer}and more\n"
    assert not list((here.box.root / ".dvc/tmp/redoit").glob("lfs-*"))


@pytest.mark.skipif(shutil.which("git-lfs") is None, reason="Git LFS is not installed")
def test_a_real_git_lfs(here: Importing) -> None:
    here.src.git("lfs", "install", "--local")
    here.src.git("lfs", "track", "*.bin")
    here.src.write("one.bin", "in Git LFS\n")
    here.src.commit("large")
    assert here.src.git("show", "HEAD:one.bin").startswith("version ")
    here.done("import", "../src", "one.bin")
    assert here.box.read("one.bin") == "in Git LFS\n"


def test_a_hostile_repository(here: Importing, tmp_path: Path) -> None:
    """Its configuration and hooks run nothing, its links lead nowhere, its lists write nothing outside."""
    src, ran = here.src, tmp_path / "ran"
    (src.root / "gdir/away").symlink_to("../../web/w")
    (src.root / "gdir/far").symlink_to("/etc/hostname")
    (src.root / "top").symlink_to("..")
    src.write(
        ".dvc/config",
        "[core]\n    remote = up\n['remote \"up\"']\n    url = webdav://127.0.0.1:9/x\n"
        f"    bearer_token_command = touch {ran}\n['remote \"good\"']\n    url = ../../store\n",
    )
    src.commit("links, and a remote that would run a program")
    shutil.rmtree(src.root / ".dvc/cache")
    for option in ("core.fsmonitor", "core.sshCommand", "uploadpack.packObjectsHook", "core.pager"):
        src.git("config", option, f"touch {ran}; false")
    src.write(".git/hooks/post-checkout", f"#!/bin/sh\ntouch {ran}\n").chmod(0o755)
    here.done("import", "../src", "gdir")
    assert not {"away", "far"} & set(os.listdir(here.box.root / "gdir"))
    for path in ("gdir/away", "gdir/far", "top/web", "top/../../web/w"):
        assert "error: " in here.exp("import", "../src", path, "-o", "x"), path
    assert "would run a program" in here.exp("import", "../src", "dir")
    listing = _listing(tmp_path, here)
    listing.chmod(0o644)
    listing.write_text('[{"md5": "b026324c6904b2a9cb4b88d6d61c81d1", "relpath": "../../evil"}]')
    altered = here.exp("import", "../src", "outd", "--remote", "good")
    assert "is not what its name says" in altered
    here.done("import", "../src", "dir", "--remote", "good")
    assert not ran.exists()
    there = {".git", ".dvc", ".dvcignore", ".gitignore", "gdir", "gdir.dvc", "dir", "dir.dvc"}
    assert here.files() == there


def _listing(tmp_path: Path, here: Importing) -> Path:
    lock = here.src.read("dvc.lock")
    oid = lock.split(".dir")[0][-32:]
    return tmp_path / "store/files/md5" / oid[:2] / f"{oid[2:]}.dir"


def test_stopped_halfway(here: Importing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stops it, either nothing is to be seen, or a record that a checkout completes."""

    def stop(*_: object, **__: object) -> None:
        raise StoreError("stopped")

    with monkeypatch.context() as patch:
        patch.setattr(imports, "write_import", stop)
        assert "stopped" in here.exp("import", "../src", "dir")
    assert not {"dir", "dir.dvc"} & here.files()
    with monkeypatch.context() as patch:
        patch.setattr(imports, "checkout_import", stop)
        assert "stopped" in here.exp("import-url", "../web/wd")
    assert "wd" not in here.files()
    here.done("checkout")
    here.done("import", "../src", "dir")
    assert here.box.read("wd/in/2") + here.box.read("dir/one") == "2\n1\n"


def test_many_small_files_are_taken_by_processes(
    here: Importing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a forked process put into the cache is synced with the rest, and told to the meter."""
    monkeypatch.setattr(processes, "processors", lambda: 2)
    monkeypatch.setattr(processes, "_can_fork", lambda: True)
    monkeypatch.setattr(processes, "FEWEST", 100)
    for number in range(300):
        here.src.write(f"../many/{number % 3}/{number}", f"{number % 290}\n")
    helped = here.src.root / "helped"
    synced: list[bool] = []
    sizes: list[int] = []
    parent, put_file = os.getpid(), Objects.put_file

    def put(objects: Objects, *words: object) -> object:
        if os.getpid() == parent:
            while not helped.exists():  # the other must get its turn
                os.sched_yield()
        else:
            helped.touch()
        return put_file(objects, *words)  # type: ignore[arg-type]

    def sync_file_system(_: str) -> None:
        synced.append((here.box.root / "many.dvc").exists())

    class Counting(SilentMeter):
        def moved(self, size: int) -> None:
            sizes.append(size)

    monkeypatch.setattr(Objects, "put_file", put)
    monkeypatch.setattr(objects, "sync_file_system", sync_file_system)
    url, request = str(here.src.root.parent / "many"), ImportRequest()
    done = Project(here.box.root).data.import_url(url, request, Counting())
    assert synced[0] is False  # once for all, before they are named
    assert sum(sizes) == done.entry.size == sum(len(f"{n % 290}\n") for n in range(300))
    assert len(sizes) == done.entry.nfiles == 300
    assert files_below(here.box.root / "many") == files_below(here.src.root.parent / "many")
    assert here.box.exp("cache", "verify").code == 0


def test_from_a_web_server(here: Importing, tmp_path: Path) -> None:
    """What is unchanged is not read again; what is cut off is not believed."""
    (tmp_path / "site").mkdir()
    with servers.http(tmp_path / "site") as place:
        assert place.folder and place.proxy
        (place.folder / "data.csv").write_text("a,b\n1,2\n")
        (place.folder / "large").write_bytes(bytes(1 << 20))
        here.done("import-url", f"{place.url}/data.csv?page=1", "some.csv")
        assert here.box.read("some.csv") == "a,b\n1,2\n"
        assert "checksum: '" in here.box.read("some.csv.dvc")
        assert "there is nothing at" in here.exp("import-url", f"{place.url}/nothing")
        before = here.box.read("some.csv.dvc")
        here.done("update", "some.csv")
        assert here.box.read("some.csv.dvc") == before
        (place.folder / "data.csv").write_text("a,b\n1,2\n3,4\n")
        here.done("update")
        assert here.box.read("some.csv") == "a,b\n1,2\n3,4\n"
        place.proxy.cut_after = 100_000
        assert "error: " in here.exp("import-url", f"{place.url}/large")
        place.proxy.cut_after = None
        assert not {"large", "large.dvc"} & here.files()
        here.done("import-url", f"{place.url}/large")
    assert "cannot be read" in here.exp("update", "large")
    assert (here.box.root / "large").stat().st_size == 1 << 20
