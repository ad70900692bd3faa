"""The examples of the reference of ``dvc exp run`` that need no remote, with ``exp`` for ``dvc`` and ``dvc exp``.

On a project like the one they are about: text prepared, features, a model, an evaluation.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from tests.sandbox import Result, Sandbox, dvc_sandbox

PIPELINE = """\
stages:
  prepare:
    cmd: head -c $(echo ${prepare.split} | tr -cd 1-9)000 data/data.xml > prepared; echo prepare >> $RUNLOG
    deps: [data/data.xml]
    params: [prepare.split]
    outs: [prepared]
  featurize:
    cmd: cksum prepared > features; echo ${featurize.max_features} >> features; echo featurize >> $RUNLOG
    deps: [prepared]
    params: [featurize.max_features]
    outs: [features]
  train:
    cmd: (cat features params.yaml train_config.json; test ! -e secrets.txt || cat secrets.txt symlinked-directory/more.txt) > model.pkl; echo train >> $RUNLOG
    deps: [features]
    params: [train.min_split, train.n_est, {train_config.json: }]
    outs: [model.pkl]
  evaluate:
    cmd: echo "{\\"avg_prec\\":0.$(cksum < model.pkl | cut -c1-5),\\"roc_auc\\":0.9$(cksum < features | cut -c1-3)}" > scores.json
    deps: [model.pkl]
    metrics: [scores.json: {cache: false}]
"""
PARAMS = """\
prepare:
  split: 0.2  # of all
featurize:
  max_features: 200
train:
  min_split: 2
  n_est: 50
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    top = tmp_path_factory.mktemp("reference")
    made = dvc_sandbox(top / "repo", top / "home")
    made = Sandbox(made.root, {**made.env, "RUNLOG": str(top / "ran.log")})
    data = b"<row/>\n" * 1000
    digest = hashlib.md5(data, usedforsecurity=False).hexdigest()
    made.write("data/data.xml", data)
    made.write("data/.gitignore", "/data.xml\n")
    made.write(
        "data/data.xml.dvc",
        f"outs:\n- md5: {digest}\n  size: {len(data)}\n  hash: md5\n  path: data.xml\n",
    )
    made.write("dvc.yaml", PIPELINE)
    made.write("params.yaml", PARAMS)
    made.write("train_config.json", '{"train": {"momentum": 0.9}}\n')
    made.write(".gitignore", "/secrets.txt\n/real\n/symlinked-directory\n")
    made.exp("repro")
    made.commit("the project")
    return made


def sh(project: Sandbox, line: str) -> Result:
    """A line as it is written on a prompt."""
    return project.command("sh", "-c", line)


def ran(project: Sandbox) -> list[str]:
    log = Path(project.env["RUNLOG"])
    lines = log.read_text().split()
    log.write_text("")
    return lines


def tidy(project: Sandbox) -> None:
    project.git("checkout", "-q", "--", ".")
    sh(project, "exp repro -q")
    ran(project)


def test_a_smaller_data_set(project: Sandbox) -> None:
    tidy(project)
    shown = sh(project, "exp metrics show").stdout
    assert re.search(r"Path +avg_prec +roc_auc\n.*scores.json +0\.\d+ +0\.\d+", shown)
    sh(project, "truncate --size=20M data/data.xml")
    done = sh(project, "exp run").stdout
    assert re.search(r"Experiment '[a-z]+-[a-z]+' \([0-9a-f]{7}\)", done)
    assert "prepare" in ran(project)
    again = sh(project, "exp run").stdout
    assert "holds this state already" in again
    sh(project, "truncate --size=1K data/data.xml")
    sh(project, "exp run")
    lines = sh(project, "exp metrics diff").stdout.splitlines()
    assert lines[0].split() == ["Path", "Metric", "HEAD", "workspace", "Change"]
    assert any(line.split()[:2] == ["scores.json", "avg_prec"] for line in lines)


def test_modify_parameters_on_the_fly(project: Sandbox) -> None:
    tidy(project)
    sh(project, "exp run -S 'prepare.split=0.1' -S 'featurize.max_features=100'")
    assert ran(project) == ["prepare", "featurize", "train"]
    assert project.read("params.yaml") == PARAMS.replace("0.2", "0.1").replace("200", "100")
    sh(project, "exp run -S 'train_config.json:+train.weight_decay=0.001'")
    assert json.loads(project.read("train_config.json"))["train"] == {
        "momentum": 0.9,
        "weight_decay": 0.001,
    }
    lines = sh(project, "exp params diff --targets train_config.json").stdout.splitlines()
    assert lines[0].split() == ["Path", "Param", "HEAD", "workspace"]
    assert lines[-1].split() == ["train_config.json", "train.weight_decay", "-", "0.001"]


def test_the_forms_of_an_override(project: Sandbox) -> None:
    """train.epochs=10, +train.weight_decay=0.01, ~model.dropout: changed, added, removed."""
    tidy(project)
    project.write("params.yaml", PARAMS + "model:\n  dropout: 0.5\n  layers: 2\n")
    sh(project, "exp run -S train.n_est=10 -S +train.weight_decay=0.01 -S '~model.dropout'")
    text = project.read("params.yaml")
    assert "n_est: 10" in text
    assert "weight_decay: 0.01" in text
    assert "dropout" not in text


def test_run_a_grid_search(project: Sandbox) -> None:
    tidy(project)
    line = "exp run -S 'train.min_split=8,64' -S 'train.n_est=range(100,500,100)' --queue"
    lines = sh(project, line).stdout.splitlines()
    wanted = [(split, n) for split in (8, 64) for n in (100, 200, 300, 400)]
    assert lines[::2] == [
        "Queueing with overrides "
        f"'{{'params.yaml': ['train.min_split={split}', 'train.n_est={n}']}}'."
        for split, n in wanted
    ]
    names = [re.fullmatch(r"Queued experiment '(.+)' for future execution\.", line) for line in lines[1::2]]  # fmt: skip
    assert len({name[1] for name in names if name}) == 8
    sh(project, "exp queue start")
    sh(project, "exp run --run-all -j 2")
    # Neither of the first two stages depends on what was swept: they did not run again.
    assert ran(project) == ["train"] * 8
    found = []
    for name in names:
        assert name
        (ref,) = project.git(
            "for-each-ref", "--format=%(refname)", f"refs/exps/*/*/{name[1]}"
        ).split()
        text = project.git("show", f"{ref}:params.yaml")
        found.append(
            tuple(int(re.search(rf"{key}: (\d+)", text)[1]) for key in ("min_split", "n_est"))
        )  # type: ignore[index]
    assert found == wanted


def test_include_untracked_or_ignored_paths(project: Sandbox) -> None:
    tidy(project)
    project.write("secrets.txt", "secret\n")
    project.write("real/more.txt", "more\n")
    (project.root / "symlinked-directory").symlink_to("real")
    project.write("params.yaml", PARAMS.replace("n_est: 50", "n_est: 51"))
    sh(project, "exp run --temp -C secrets.txt -C symlinked-directory -n with-secrets")
    assert ran(project) == ["train"]
    (ref,) = project.git(
        "for-each-ref", "--format=%(refname)", "refs/exps/*/*/with-secrets"
    ).split()
    names = project.git("ls-tree", "-r", "--name-only", ref).splitlines()
    assert not {"secrets.txt", "symlinked-directory", "real/more.txt"} & set(names)
    sh(project, "exp apply --force with-secrets")
    assert project.read("model.pkl").endswith("secret\nmore\n")


def test_the_graph_and_the_status(project: Sandbox) -> None:
    tidy(project)
    drawn = sh(project, "exp dag").stdout
    for stage in ("data/data.xml.dvc", "prepare", "featurize", "train", "evaluate"):
        assert stage in drawn
    for path in ("data/data.xml", "prepared", "features", "model.pkl"):
        (project.root / path).unlink()
    told = sh(project, "exp status").stdout
    assert "prepared" in told
    assert "data/data.xml" in told
