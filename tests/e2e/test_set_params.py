"""``exp run -S``: what is changed, what is undone, what is recorded."""

from __future__ import annotations

import pytest

from tests.sandbox import Sandbox

PARAMS = "# rates\nlr: 0.1  # start\nn: 1\n"


@pytest.fixture
def train(project: Sandbox) -> Sandbox:
    """One stage that reads params, and has not run."""
    project.write("params.yaml", PARAMS)
    project.write(
        "dvc.yaml",
        "stages:\n  train:\n    cmd: cp params.yaml model.txt\n    params: [lr]\n    outs: [model.txt]\n",
    )
    project.commit("start")
    return project


def test_a_param_is_changed_and_recorded(train: Sandbox) -> None:
    result = train.exp("run", "-n", "fast", "-S", "lr=0.5", "-S", "+m.k=[1,2]")
    assert "Running stage 'train'" in result.stdout
    assert train.read("params.yaml").startswith("# rates\nlr: 0.5  # start\nn: 1\n")
    ref = train.git("for-each-ref", "--format=%(refname)", "refs/exps").strip()
    assert train.git("show", f"{ref}:params.yaml") == train.read("params.yaml").rstrip("\n")
    assert train.git("diff", "--cached", "--name-only") == ""
    again = train.exp("run", "-S", "lr=0.5")
    assert "up to date" in again.stdout


def test_files_are_named_from_where_the_command_is_given(train: Sandbox) -> None:
    train.write("sub/conf.json", '{"a": 1}\n')
    result = train.exp("run", "-S", "conf.json:a=2", "../dvc.yaml", cwd="sub")
    assert train.read("sub/conf.json") == '{"a": 2}\n'
    assert result.stderr == (
        "warning: no stage depends on a param of conf.json: the change alone runs nothing\n"
    )
    ref = train.git("for-each-ref", "--format=%(refname)", "refs/exps").strip()
    assert train.git("show", f"{ref}:sub/conf.json") == '{"a": 2}'


def test_values_for_templates_count_as_noticed(train: Sandbox) -> None:
    train.write(
        "dvc.yaml", "stages:\n  train:\n    cmd: echo ${n} > model.txt\n    outs: [model.txt]\n"
    )
    assert train.exp("run", "-S", "n=5").stderr == ""
    assert train.read("model.txt") == "5\n"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("-S", "lr=0.5", "nosuch"), 1, "there is no stage 'nosuch'"),
        (("-S", "lr=0.5", "-S", "zz=1"), 1, 'there is no param "zz" in params.yaml'),
        (("-S", "lr=0.5", "-S", "no.json:a=1"), 1, "there is no params file no.json"),
        (("-S", "lr=0.5", "-S", "lr"), 2, "'lr' is not an override"),
        (("-S", "lr=0.5,0.6"), 2, "this override stands for several values"),
        (("-S", "lr=0.5", "-n", "a b"), 1, "cannot be the name of an experiment"),
    ],
)
def test_nothing_is_changed_when_the_run_cannot_start(
    train: Sandbox, arguments: tuple[str, ...], code: int, message: str
) -> None:
    result = train.exp("run", *arguments, code=code)
    assert message in result.stderr
    assert train.read("params.yaml") == PARAMS
    assert train.git("status", "--porcelain") == ""


def test_nothing_is_changed_when_a_file_is_wrong(train: Sandbox) -> None:
    train.write("dvc.yaml", "stages:\n  train:\n    cmmd: x\n")
    assert 'did you mean "cmd"?' in train.exp("run", "-S", "lr=0.5", code=1).stderr
    assert train.read("params.yaml") == PARAMS


def test_a_value_that_breaks_a_template_is_undone(train: Sandbox) -> None:
    train.write(
        "dvc.yaml", "stages:\n  train:\n    cmd: echo ${n} > model.txt\n    outs: [model.txt]\n"
    )
    assert "${n}" in train.exp("run", "-S", "~n", code=1).stderr
    assert train.read("params.yaml") == PARAMS


def test_a_dry_run_changes_nothing(train: Sandbox) -> None:
    result = train.exp("run", "--dry", "-S", "lr=0.5")
    assert "Would run stage 'train'" in result.stdout
    assert train.git("status", "--porcelain") == ""


def test_the_change_stays_when_a_stage_fails(train: Sandbox) -> None:
    train.write(
        "dvc.yaml",
        "stages:\n  train:\n    cmd: exit 3\n    params: [lr]\n    outs: [model.txt]\n",
    )
    train.exp("run", "-S", "lr=0.5", code=1)
    assert "lr: 0.5  # start" in train.read("params.yaml")


def test_hydra_composes_params(train: Sandbox) -> None:
    train.write(
        "conf/config.yaml", "defaults:\n  - db: small\n  - _self_\nlr: 0.7\nwidth: ${db.size}\n"
    )
    train.write("conf/db/small.yaml", "size: 1\n")
    train.write("conf/db/large.yaml", "size: 100\n")
    train.write(".dvc/config", "[hydra]\n    enabled = true\n")
    train.commit("hydra")
    train.exp("run", "-S", "db=large", "-S", "lr=0.9")
    assert train.read("params.yaml") == "db:\n  size: 100\nlr: 0.9\nwidth: 100\n"
    train.exp("run")
    assert train.read("params.yaml") == "db:\n  size: 1\nlr: 0.7\nwidth: 1\n"
    train.exp("run", "--no-hydra", "-S", "width=8")
    assert train.read("params.yaml") == "db:\n  size: 1\nlr: 0.7\nwidth: 8\n"
    train.write("sub/note", "")
    train.exp("run", "../dvc.yaml", "-S", "width=9", cwd="sub")
    assert train.read("params.yaml") == "db:\n  size: 1\nlr: 0.7\nwidth: 9\n"
    before = train.read("params.yaml")
    result = train.exp("run", "-S", "db=huge", code=1)
    assert "error: Hydra cannot compose the configuration" in result.stderr
    assert "'db/huge'" in result.stderr
    assert train.read("params.yaml") == before


def test_hydra_finds_its_files_where_the_settings_say(train: Sandbox) -> None:
    train.write("pkg/__init__.py", "")
    train.write("pkg/main.yaml", "lr: 0.3\n")
    train.write(
        ".dvc/config",
        "[hydra]\n    enabled = true\n    config_module = pkg\n    config_name = main\n",
    )
    train.exp("run", PYTHONPATH=str(train.root))
    assert train.read("params.yaml") == "lr: 0.3\n"
    train.write("other/main.yaml", "lr: 0.4\n")
    train.write(
        ".dvc/config",
        "[hydra]\n    enabled = true\n    config_dir = other\n    config_name = main\n",
    )
    train.exp("run")
    assert train.read("params.yaml") == "lr: 0.4\n"
    train.write(".dvc/config", "[hydra]\n    enabled = true\n    config_dir = no\n")
    assert "hydra.config_dir" in train.exp("run", code=1).stderr


def test_the_examples_of_the_reference(project: Sandbox) -> None:
    """Those of the page of ``exp run`` that change params."""
    project.write("params.yaml", "prepare:\n  split: 0.2\nfeaturize:\n  max_features: 200\n")
    project.write("train_config.json", '{"train": {"epochs": 5}, "model": {"dropout": 0.1}}')
    project.write(
        "dvc.yaml",
        "stages:\n"
        "  prepare:\n"
        "    cmd: echo prepared > prepared.txt\n"
        "    params: [prepare, featurize]\n"
        "    outs: [prepared.txt]\n"
        "  train:\n"
        "    cmd: echo trained > model.txt\n"
        "    deps: [prepared.txt]\n"
        "    params: [train_config.json: [train]]\n"
        "    outs: [model.txt]\n",
    )
    project.commit("get started")
    project.exp("run", "-S", "prepare.split=0.1", "-S", "featurize.max_features=100")
    assert project.read("params.yaml") == (
        "prepare:\n  split: 0.1\nfeaturize:\n  max_features: 100\n"
    )
    result = project.exp("run", "-v", "-S", "train_config.json:+train.weight_decay=0.001")
    assert "Stage 'prepare' didn't change, skipping" in result.stdout
    assert "Running stage 'train'" in result.stdout
    lines = project.exp("params", "diff", "--targets", "train_config.json").stdout.splitlines()
    assert [line.split() for line in lines] == [
        ["Path", "Param", "HEAD", "workspace"],
        ["train_config.json", "train.weight_decay", "-", "0.001"],
    ]
    project.exp("run", "-S", "train_config.json:train.epochs=10")
    project.exp("run", "-S", "train_config.json:~model.dropout")
    assert project.read("train_config.json") == (
        '{"train": {"epochs": 10, "weight_decay": 0.001}, "model": {}}'
    )
