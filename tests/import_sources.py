"""What the tests import from: another project, a repository without DVC, and files of no project."""

from __future__ import annotations

from pathlib import Path

import pytest

from redoit.cli.data import command
from redoit.errors import RedoitError
from tests.sandbox import Sandbox, dvc_sandbox, git_sandbox

PIPELINE = "stages:\n  make:\n    cmd: echo out > out.txt && mkdir outd && echo x > outd/x\n    outs: [out.txt, outd]\n"


def make_sources(base: Path) -> Sandbox:
    """``src`` (a DVC project with a remote ``../store``), ``plain`` (only Git) and ``web`` (files) in ``base``."""
    src = dvc_sandbox(base / "src", base / "home")
    src.exp("remote", "add", "-qd", "up", "../store")
    src.write("dir/one", "1\n")
    src.write("dir/deep/two", "2\n")
    src.write("file", "f\n")
    src.write("gfile", "g\n").chmod(0o755)
    src.write("gdir/h", "h\n").chmod(0o755)
    src.write("gdir/sub/i", "i\n")
    (src.root / "gdir/link").symlink_to("sub/i")
    src.write("mixed/m", "m\n")
    src.write("mixed/k", "k\n")
    src.write("mixed/ignored", "z\n")
    src.write(".dvcignore", "ign*\n")
    src.write("dvc.yaml", PIPELINE)
    src.exp("data", "add", "-q", "dir", "file", "mixed/k")
    src.exp("repro", "-q")
    src.git("add", "-f", "mixed/ignored")
    src.commit("one", at=1_500_000_100)
    src.git("tag", "v1")
    src.exp("data", "push", "-q")
    plain = git_sandbox(base / "plain", base / "home")
    plain.write("p.txt", "p\n")
    plain.write("pd/q", "q\n")
    plain.commit("p", at=1_500_000_100)
    web = Sandbox(base / "web", src.env)
    web.write("w", "w\n")
    web.write("wx", "wx\n").chmod(0o755)
    web.write("wd/1", "1\n")
    web.write("wd/in/2", "2\n")
    return src


def exp_data(box: Sandbox, monkeypatch: pytest.MonkeyPatch, *words: str) -> RedoitError | None:
    """``exp data WORDS`` in this process; the error it ends with, if it does."""
    with monkeypatch.context() as patch:
        patch.chdir(box.root)
        for name, value in box.env.items():
            if not name.startswith(("PYTHON", "PATH")):
                patch.setenv(name, value)
        try:
            command.main(list(words), standalone_mode=False)
        except RedoitError as error:
            return error
    return None


def change_sources(src: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second commit of ``src``, and other files in ``web``."""
    src.write("dir/three", "3\n")
    src.write("gdir/h", "h2\n")
    assert exp_data(src, monkeypatch, "add", "dir") is None
    src.commit("two", at=1_500_000_200)
    src.git("tag", "v2")
    assert exp_data(src, monkeypatch, "push") is None
    src.write("../web/w", "another\n")
    src.write("../web/wd/4", "4\n")
