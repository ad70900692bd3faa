"""The rules of the house that a machine can check."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import redoit
from tests.sandbox import Sandbox

PACKAGE = Path(redoit.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

HEAVY = {
    "configobj",
    "doit",
    "git",
    "hydra",
    "pathspec",
    "rich",
    "ruamel",
    "sqlite3",
    "subprocess",
    "xxhash",
    "yaml",
}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], []])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\n"
        f"sys.argv = ['exp', *{arguments!r}]\n"
        "from redoit.cli.main import main\n"
        "try:\n"
        "    main()\n"
        "except SystemExit:\n"
        "    print('loaded', *sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.rpartition("loaded ")[2].split())
    assert "click" in loaded
    assert not {name for name in loaded if name.partition(".")[0] in HEAVY}
    assert {name for name in loaded if name.startswith("redoit.")} == {
        "redoit.cli",
        "redoit.cli.lazy",
        "redoit.cli.main",
        "redoit.errors",
        "redoit.printable",
        "redoit.report",
        "redoit.report.failure",
        "redoit.report.screen",
    }


def test_rooms_import_only_from_below() -> None:
    linter = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    done = subprocess.run(
        [sys.executable, "-c", linter, "--no-cache"],
        cwd=PACKAGE.parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def inner_imports(tree: ast.Module) -> Iterator[int]:
    """Lines of imports of redoit's own modules inside of functions."""
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            for node in ast.walk(function):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                if any(name.partition(".")[0] == "redoit" for name in names):
                    yield node.lineno


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_own_modules_are_imported_at_the_top(path: Path) -> None:
    if name_of(path) in (
        "__init__.py",
        "api/__init__.py",
    ):  # `from redoit import Project` loads the engine when asked
        return
    assert list(inner_imports(ast.parse(path.read_text()))) == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_nobody_changes_the_working_directory(path: Path) -> None:
    calls = [n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Attribute)]
    assert [n.lineno for n in calls if n.attr in ("chdir", "fchdir")] == []


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_function_changes_a_module(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert [n.lineno for n in ast.walk(tree) if isinstance(n, ast.Global)] == []


Origins = dict[str, tuple[str, str]]


def late_names(tree: ast.Module) -> Iterator[tuple[Origins, Origins]]:
    """Per ``if TYPE_CHECKING``: name → module and its name there, as imported, and as ``late`` will import it."""
    for node in tree.body:
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            imported = {
                alias.asname or alias.name: (statement.module or "", alias.name)
                for statement in node.body
                if isinstance(statement, ast.ImportFrom)
                for alias in statement.names
            }
            waiting = {}
            for statement in node.orelse:
                assert isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Call)
                module, name = (ast.literal_eval(argument) for argument in statement.value.args)
                (target,) = statement.targets
                waiting[ast.unparse(target)] = (module, name)
            yield imported, waiting


def test_late_imports_are_those_that_checkers_see() -> None:
    found = 0
    for path in MODULES:
        for imported, waiting in late_names(ast.parse(path.read_text())):
            assert waiting.items() <= imported.items(), name_of(path)
            for module, name in waiting.values():
                assert callable(getattr(importlib.import_module(module), name))
                found += 1
    assert found > 20


LOADED = """
import sys
from redoit.cli.main import main
try:
    main()
finally:
    print("loaded", *sys.modules)
"""


def loaded_by(sandbox: Sandbox, *words: str) -> set[str]:
    command = [sys.executable, "-c", LOADED, *words]
    done = subprocess.run(
        command, cwd=sandbox.root, env=sandbox.env, capture_output=True, text=True, check=True
    )
    return set(done.stdout.rpartition("loaded ")[2].split())


def test_commands_import_nothing_that_only_others_need(project: Sandbox) -> None:
    """Importing is half of a short command; the queue is answered by people who wait for it."""
    project.write("dvc.yaml", "stages:\n  a: {cmd: 'echo 1 > a', params: [x], outs: [a]}\n")
    project.write("params.yaml", "x: 1\n")
    project.write(".gitignore", "/a\n")
    project.commit("one")
    editors = ("hydra", "omegaconf", "antlr4", "ruamel", "tomlkit", "redoit.experiments.edit")
    rare = ("rich", "redoit.report.plots", "redoit.experiments.plot", "redoit.cli.candidates")
    others = ("redoit.experiments.overview", "redoit.experiments.apply", "redoit.data")

    def unwanted(loaded: set[str], *names: str) -> list[str]:
        return [name for name in loaded if name.startswith((*names, *rare, *others))]

    run = loaded_by(project, "run", "-q")
    assert "redoit.engine.run" in run
    assert unwanted(run, *editors, "redoit.queue") == []
    queue = loaded_by(project, "run", "-q", "--queue", "-S", "x=1,2")
    assert "antlr4" in queue
    unneeded = ("omegaconf", "hydra", "doit", "redoit.engine.run", "redoit.engine.session")
    assert unwanted(queue, *unneeded, "redoit.store") == []
