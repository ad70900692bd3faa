"""Random pipelines, random edits: outputs are those of a clean build, and a second run does nothing."""

from __future__ import annotations

import os
import shutil
import tempfile

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from redoit.model import Outcome
from tests.unit.test_engine_run import Pipeline

SOURCES = ["s0", "s1", "s2"]
WORDS = st.sampled_from(["", "a", "b", "long " * 50])


@st.composite
def pipelines(draw):
    """Stage i joins some sources and some outs of earlier stages into ``o{i}``."""
    stages = {}
    for i in range(draw(st.integers(1, 7))):
        pool = SOURCES + [f"o{j}" for j in range(i)]
        deps = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=4, unique=True))
        stages[f"n{i}"] = {
            "cmd": f"join {' '.join(deps)} > o{i}",
            "deps": deps,
            "outs": [f"o{i}"],
        }
    return stages


edits = st.one_of(
    st.tuples(st.just("source"), st.sampled_from(SOURCES), WORDS),
    st.tuples(st.just("drop out"), st.integers(0, 6), st.just("")),
    st.tuples(st.just("spoil out"), st.integers(0, 6), WORDS),
    st.tuples(st.just("command"), st.integers(0, 6), st.integers(0, 3)),
    st.tuples(st.just("run one"), st.integers(0, 6), st.integers(1, 3)),
    st.tuples(st.just("run all"), st.integers(1, 3), st.just("")),
    st.tuples(st.just("run dry"), st.just(0), st.just("")),
    st.tuples(st.just("lose cache"), st.just(0), st.just("")),
    st.tuples(st.just("lose state"), st.just(0), st.just("")),
)


def expected(stages: dict, sources: dict[str, str]) -> dict[str, str]:
    """The outs of a clean build, computed without Redoit."""
    values = dict(sources)
    for i, stage in enumerate(stages.values()):
        values[f"o{i}"] = "".join(values[dep] for dep in stage["deps"])
    return {path: text for path, text in values.items() if path not in sources}


def apply(project: Pipeline, stages: dict, sources: dict, edit: tuple) -> None:
    kind, what, how = edit
    name, out = f"n{what}", f"o{what}"
    if kind == "source":
        sources[what] = how
        project.write(what, how)
    elif kind == "drop out" and project.exists(out):
        project.remove(out)
    elif kind == "spoil out" and name in stages:
        if project.exists(out):
            project.remove(out)
        project.write(out, f"spoilt {how}")
    elif kind == "command" and name in stages:
        stages[name]["cmd"] = stages[name]["cmd"].rstrip() + " " * how
        project.write("dvc.yaml", yaml.safe_dump({"stages": stages}, sort_keys=False))
    elif kind == "run one" and name in stages:
        project.run(name, jobs=how)
    elif kind == "run all":
        project.run(jobs=what)
    elif kind == "run dry":
        project.run(dry=True)
    elif kind == "lose cache":
        shutil.rmtree(os.path.join(project.root, ".dvc", "cache"), ignore_errors=True)
    elif kind == "lose state":
        shutil.rmtree(os.path.join(project.root, ".dvc", "tmp"), ignore_errors=True)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pipelines(), st.lists(edits, max_size=8), st.integers(1, 3))
def test_outputs_are_those_of_a_clean_build(stages, history, jobs):
    with tempfile.TemporaryDirectory() as root:
        project = Pipeline(
            os.path.realpath(root), yaml.safe_dump({"stages": stages}, sort_keys=False)
        )
        sources = dict.fromkeys(SOURCES, "start")
        for path, text in sources.items():
            project.write(path, text)
        for edit in history:
            apply(project, stages, sources, edit)
        assert project.run(jobs=jobs).exit_code == 0
        for path, text in expected(stages, sources).items():
            assert project.read(path) == text
        assert set(project.outcomes(jobs=jobs).values()) == {Outcome.UP_TO_DATE}
        assert project.executor.ran == []
