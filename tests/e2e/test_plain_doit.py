"""Plain ``doit`` with ``dodo_template.py``: the same decisions, lock file and cache as ``exp repro``."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.sandbox import Result, Sandbox

PIPELINE = """
stages:
  copy:
    cmd: cat in > out/copy
    deps: [in]
    outs: [out/copy]
  each:
    matrix: {n: [1, "a=b"]}
    cmd: (cat out/copy; echo ${item.n}) > out/each-${key}
    deps: [out/copy]
    params: [word]
    outs: ["out/each-${key}"]
  broken:
    cmd: test -e fixed && cat fixed > out/late
    deps: [out/copy]
    outs: [out/late]
"""


@pytest.fixture
def dodo(project: Sandbox) -> Sandbox:
    project.write("dvc.yaml", PIPELINE)
    project.write("params.yaml", "word: x\n")
    project.write("in", "hello\n")
    project.write("out/.keep", "")
    project.write("fixed", "late\n")
    shutil.copy(Path(__file__).parents[2] / "dodo_template.py", project.root / "dodo.py")
    project.commit()
    return project


def doit(sandbox: Sandbox, *args: str, code: int | None = 0) -> Result:
    return sandbox.command(str(Path(sys.executable).parent / "doit"), *args, code=code)


def ran(result: Result) -> list[str]:
    return sorted(line[3:] for line in result.stdout.splitlines() if line.startswith(".  "))


def test_doit_and_exp_decide_alike(dodo):
    assert ran(doit(dodo)) == ["broken", "copy", "each@1", "each@a%3Db"]
    assert "all 4 stages are up to date" in dodo.exp("repro").stdout
    dodo.write("in", "changed\n")
    dodo.exp("repro")
    lock = dodo.read("dvc.lock")
    assert ran(doit(dodo)) == []
    assert dodo.read("dvc.lock") == lock


def test_the_lock_file_is_that_of_exp(dodo):
    doit(dodo, "-n", "4", "-P", "thread")
    lock = dodo.read("dvc.lock")
    (dodo.root / "dvc.lock").unlink()
    dodo.exp("repro")
    assert dodo.read("dvc.lock") == lock


def test_parallel_and_after_a_failure(dodo):
    (dodo.root / "fixed").unlink()
    result = doit(dodo, "-n", "4", "-P", "thread", "-k", code=1)
    assert "stage 'broken' failed" in result.stdout
    assert ran(doit(dodo, code=1)) == ["broken"]


def test_list_shows_stages_groups_and_deps(dodo):
    result = doit(dodo, "list", "--all", "--deps").stdout
    for word in (
        "copy",
        "each ",
        "each@1",
        "each@a%3Db",
        "broken",
        "experiment",
        " -  in",
        " -  out/copy",
    ):
        assert word in result


def test_info_says_why(dodo):
    doit(dodo)
    assert "up-to-date" in doit(dodo, "info", "each@1").stdout
    dodo.write("params.yaml", "word: y\n")
    assert "param changed: params.yaml:word" in doit(dodo, "info", "each@1", code=1).stdout
    dodo.write("in", "new\n")
    assert " - in" in doit(dodo, "info", "copy", code=1).stdout


def test_clean_removes_outs_and_the_cache_brings_them_back(dodo):
    doit(dodo)
    doit(dodo, "clean", "copy")
    assert not (dodo.root / "out/copy").exists()
    assert (dodo.root / "in").exists()
    result = doit(dodo)
    assert ran(result) == ["copy"]
    assert "> cat" not in result.stdout
    assert dodo.read("out/copy") == "hello\n"


def test_forget_makes_a_stage_new(dodo):
    doit(dodo)
    doit(dodo, "forget", "copy")
    assert "copy:" not in dodo.read("dvc.lock")
    assert dodo.exp("why", "copy").stdout.count("never ran") == 1


def test_ignored_tasks_stay_ignored(dodo):
    doit(dodo)
    doit(dodo, "ignore", "copy")
    dodo.write("in", "new\n")
    assert "!! copy" in doit(dodo).stdout
    # For doit's own command line alone.
    assert "stage 'copy'" in dodo.exp("repro", "--dry").stdout
    doit(dodo, "forget", "copy")
    assert "copy" in ran(doit(dodo))


def test_an_out_names_its_stage(dodo):
    assert ran(doit(dodo, "out/each-1")) == ["copy", "each@1"]


def test_a_group_names_its_stages(dodo):
    assert ran(doit(dodo, "each")) == ["copy", "each@1", "each@a%3Db"]


def test_experiment_makes_the_ref(dodo):
    result = doit(dodo, "experiment")
    name = result.stdout.rpartition("Recorded experiment: ")[2].strip()
    refs = dodo.git("for-each-ref", "--format=%(refname)", "refs/exps")
    assert refs.endswith(f"/{name}")
    assert "word: x" in dodo.git("show", f"{refs}:dvc.lock")


def test_another_database_is_refused(dodo):
    result = doit(dodo, "--backend", "json", code=None)
    assert result.code
    assert "keep their state in dvc.lock" in result.stdout + result.stderr
