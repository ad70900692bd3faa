"""The oracle: a real DVC that says what should have happened, and how to compare two projects with it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import posixpath
import re
import stat
import subprocess
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.sandbox import Result, Sandbox
from tests.unit.store_room import files_below

DRIVER = Path(__file__).with_name("dvc_driver.py")


class Oracle:
    """One long-living process of DVC's Python that executes DVC commands, one at a time.

    DVC needs about a second to start, and more for experiments; here only its first command pays for that.
    """

    def __init__(self, dvc: Path) -> None:
        python = dvc.parent / "python"
        if not python.exists():
            raise AssertionError(
                f"no python beside {dvc}: REDOIT_DVC must lie in DVC's own environment"
            )
        self._process = subprocess.Popen(
            [str(python), str(DRIVER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "DVC_NO_ANALYTICS": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
                # libgit2 looks for the user's configuration once, when it is loaded.
                "HOME": os.devnull,
                "XDG_CONFIG_HOME": os.devnull,
            },
        )

    def on(self, sandbox: Sandbox, *args: str, code: int | None = 0) -> str:
        """What ``dvc ARGS`` prints in a sandbox."""
        return self(*args, cwd=sandbox.root, env=sandbox.env, code=code).stdout

    def __call__(
        self, *args: str, cwd: Path, env: Mapping[str, str], code: int | None = 0
    ) -> Result:
        """Run ``dvc ARGS``. Raises AssertionError unless it exits with ``code`` (None: any)."""
        assert self._process.stdin and self._process.stdout
        request = {"args": list(args), "cwd": str(cwd), "env": dict(env)}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError(f"the oracle's process ended (exit {self._process.wait()})")
        answer = json.loads(line)
        result = Result(("dvc", *args), answer["stdout"], answer["stderr"], answer["code"])
        if code is not None and result.code != code:
            raise AssertionError(f"expected exit code {code}\n{result}")
        return result

    def close(self) -> None:
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait(timeout=30)


@contextlib.contextmanager
def oracle(dvc: Path) -> Iterator[Oracle]:
    """An Oracle that ends with the block."""
    process = Oracle(dvc)
    try:
        yield process
    finally:
        process.close()


@dataclass(frozen=True)
class Decisions:
    """What a run said about its stages: addresses, each group in the order in which it was said."""

    executed: tuple[str, ...] = ()
    """Its command was run, or would be in a dry run."""
    restored: tuple[str, ...] = ()
    """Its outs came from the run cache."""
    skipped: tuple[str, ...] = ()
    """Nothing had changed."""

    def merged(self) -> Decisions:
        """The same with restored stages counted as executed, each once, sorted."""
        return Decisions(
            tuple(sorted({*self.executed, *self.restored})), (), tuple(sorted(set(self.skipped)))
        )

    def without_restored(self, addresses: Collection[str]) -> Decisions:
        """The same without these among the restored ones."""
        restored = tuple(address for address in self.restored if address not in addresses)
        return Decisions(self.executed, restored, self.skipped)

    def seen_from(self, folder: str) -> Decisions:
        """The same with addresses relative to ``folder`` made relative to the project's root."""
        return Decisions(
            *(
                tuple(_from_root(address, folder) for address in addresses)
                for addresses in (self.executed, self.restored, self.skipped)
            )
        )


def _from_root(address: str, folder: str) -> str:
    file, colon, name = address.rpartition(":")
    if not colon:
        file, name = ("", address) if address.endswith(".dvc") else ("dvc.yaml", address)
    path = posixpath.normpath(posixpath.join(folder, file or name))
    if not file:
        return path
    return name if path == "dvc.yaml" else f"{path}:{name}"


_DVC_SAYS = {
    "executed": r"Running stage '(.+)':",
    "restored": r"Stage '(.+)' is cached - skipping run, checking out outputs",
    "skipped": r"(?:Stage )?'(.+)' didn't change, skipping",
}
_WE_SAY = {
    "executed": r"(?:Running|Would run) stage '(.+)' \(\d+ of \d+\).*",
    "restored": r"Stage '(.+)' is cached, outputs (?:would be )?restored.*",
    "skipped": r"(?:Stage )?'(.+)' didn't change, skipping",
}


def dvc_decisions(result: Result) -> Decisions:
    """What a ``dvc repro`` printed, as Decisions."""
    return _decisions(result.stdout, _DVC_SAYS)


def our_decisions(result: Result) -> Decisions:
    """What an ``exp repro -v`` printed, as Decisions."""
    return _decisions(result.stdout, _WE_SAY)


def _decisions(text: str, says: Mapping[str, str]) -> Decisions:
    found: dict[str, list[str]] = {kind: [] for kind in says}
    for line in text.splitlines():
        for kind, pattern in says.items():
            if match := re.fullmatch(pattern, line):
                found[kind].append(match.group(1))
    return Decisions(**{kind: tuple(names) for kind, names in found.items()})


def workspace(root: Path, *, modes: bool = True) -> dict[str, str]:
    """Every path of a project outside ``.git``, the cache and local state → what it holds.

    Links count as what they point to; empty directories count. Without ``modes`` executables count as
    other files, in ``dvc.lock`` too.
    """
    found: dict[str, str] = {}
    for folder, folders, files in os.walk(root, followlinks=True):
        here = Path(folder).relative_to(root)
        if here == Path("."):
            folders[:] = [name for name in folders if name != ".git"]
        if here == Path(".dvc"):
            folders[:] = []
            files = [name for name in files if name != "redoit.toml"]
        if not folders and not files:
            found[f"{here.as_posix()}/"] = "empty directory"
        for name in files:
            path = Path(folder, name)
            try:
                mark = "x " if path.stat().st_mode & stat.S_IXUSR and modes else "- "
                text = _shown(path.read_bytes())
                found[(here / name).as_posix()] = mark + (text if modes else _NO_MARK.sub("", text))
            except FileNotFoundError:
                found[(here / name).as_posix()] = "dangling link"
    return found


_NO_MARK = re.compile(r"^ *isexec: true\n", re.MULTILINE)


def files(sandbox: Sandbox, *left_out: str) -> dict[str, bytes]:
    """Every file of a project outside ``.git`` and the folders ``left_out`` (``folder/``) → what it holds."""
    found = files_below(sandbox.root)
    return {name: data for name, data in found.items() if not name.startswith((".git/", *left_out))}


def cache(root: Path, *, modes: bool = True) -> dict[str, str]:
    """Every object and run-cache entry of a project's cache → size and protection, or the entry's text.

    Objects at DVC 2's places are left out: DVC makes some there while it looks for changes. Without
    ``modes`` an entry counts by its text without marks of executables, which its key is made from too.
    """
    found: dict[str, str] = {}
    top = root / ".dvc" / "cache"
    for folder, _, files in os.walk(top):
        for name in files:
            path = Path(folder, name)
            relative = path.relative_to(top).as_posix()
            if relative.startswith("runs/"):
                text = path.read_text(errors="replace")
                found[relative if modes else _NO_MARK.sub("", text)] = text if modes else ""
            elif not re.match(r"[0-9a-f]{2}/", relative):
                # Whether it can be executed is left out too: of equal outs the first decides.
                state = path.stat()
                protected = "writable" if state.st_mode & 0o222 else "read-only"
                found[relative] = f"{state.st_size} bytes, {protected}"
    return found


def bad_objects(root: Path) -> list[str]:
    """Objects of the md5 cache whose content is not their name, and strangers among them."""
    bad = []
    top = root / ".dvc" / "cache" / "files" / "md5"
    for folder, _, files in os.walk(top):
        for name in files:
            path = Path(folder, name)
            oid = Path(folder).name + name.removesuffix(".dir")
            if hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() != oid:
                bad.append(path.relative_to(top).as_posix())
    return sorted(bad)


def _shown(content: bytes) -> str:
    if len(content) <= 20_000:
        with contextlib.suppress(UnicodeDecodeError):
            return content.decode()
    return f"md5 {hashlib.md5(content, usedforsecurity=False).hexdigest()}"


def differences(ours: Mapping[str, str], dvcs: Mapping[str, str]) -> list[str]:
    """One text per path that differs; empty when equal."""
    lines = []
    for path in sorted(ours.keys() | dvcs.keys()):
        if path not in dvcs:
            lines.append(f"{path}: only in ours: {ours[path]!r}")
        elif path not in ours:
            lines.append(f"{path}: only in DVC's: {dvcs[path]!r}")
        elif ours[path] != dvcs[path]:
            lines.append(f"{path}:\n{_side_by_side(ours[path], dvcs[path])}")
    return lines


def _side_by_side(ours: str, dvcs: str) -> str:
    import difflib

    return "\n".join(
        difflib.unified_diff(dvcs.splitlines(), ours.splitlines(), "DVC's", "ours", lineterm="")
    )
