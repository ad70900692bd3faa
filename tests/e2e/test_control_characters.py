"""Names that would do something to a terminal: shown as escapes, and exact for programs."""

from __future__ import annotations

import json

import pytest

from tests.sandbox import Sandbox, git_sandbox

NAME = "a\n\x1b[31mb\t\x7f\u202e\u0085c"
SHOWN = "a\\n\\x1b[31mb\\t\\x7f\\u202e\\x85c"

COMMANDS: list[list[str]] = [
    ["data", "status"],
    ["data", "status", "--granular", "--unchanged", "--untracked-files"],
    ["data", "status", "--not-in-remote"],
    ["data", "push"],
    ["data", "pull", "-f"],
    ["data", "checkout", "nothing"],
    ["data", "checkout", f"{NAME}x"],
    ["data", "commit", "-f"],
    ["data", "update"],
    ["data", "move", NAME, f"{NAME}-2"],
    ["data", "move", f"{NAME}-2", NAME],
    ["status"],
    ["status", "-v", f"{NAME}x"],
    ["why", f"{NAME}.dvc"],
    ["dag"],
    ["repro", "--dry"],
    ["repro", "-j", "2"],
    ["run", "-v"],
    ["show"],
    ["params", "show", NAME],
    ["metrics", "show"],
    ["plots", "show"],
    ["data", "remove", f"{NAME}.dvc"],
    ["data", "add", NAME],
    ["data", "add", NAME],
    [NAME],
    ["run", f"--{NAME}"],
]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """Data, a file in a directory, an import, and a stage that reads and writes such files."""
    top = tmp_path_factory.mktemp("control")
    box = git_sandbox(top / "repo", top / "home")
    box.exp("init", "-q")
    box.exp("remote", "add", "-qd", "up", "../store")
    box.write(NAME, "1\n")
    box.write(f"dir/{NAME}", "1\n")
    box.exp("data", "add", "-q", NAME, "dir")
    box.write(f"../{NAME}", "1\n")
    box.exp("data", "import-url", "-q", f"../{NAME}", f"url{NAME}")
    box.write(
        "dvc.yaml",
        f"stages:\n  s:\n    cmd: \"echo '\\e[31m' > m\"\n    deps: [{json.dumps(NAME)}]\n    metrics: [m]\n",
    )
    box.commit()
    for path in (NAME, f"dir/{NAME}", f"dir/{NAME}2"):
        (box.root / path).unlink(missing_ok=True)
        box.write(path, "2\n")
    return box


def test_they_never_reach_a_terminal(box: Sandbox) -> None:
    shown = 0
    for words in COMMANDS:
        told = box.exp(*words, code=None)
        assert "bug in Redoit" not in told.stderr, told
        shown += SHOWN in told.stdout + told.stderr
        raw = [c for c in told.stdout + told.stderr if not (c.isprintable() or c in "\n\t")]
        assert not raw, (words, told)
    assert shown > 12


def test_programs_get_them_as_they_are(box: Sandbox) -> None:
    box.write(NAME, "3\n")
    told = json.loads(box.exp("data", "status", "--json").stdout)
    assert NAME in told["uncommitted"]["modified"]
    told = json.loads(box.exp("status", "--json").stdout)
    assert f"{NAME}.dvc" in [stage["stage"] for stage in told["stages"]]
