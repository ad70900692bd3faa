"""Random pipelines and random histories of edits and runs, each decided by one seed."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.compat.fuzz_model import Group, Model, Out, StageSpec, joined, replace

SHAPES = ("chain", "diamond", "fan in", "fan out", "layers", "any")


@dataclass(frozen=True)
class Op:
    """One step of a history: its kind, and the seed of all choices it makes.

    Choices are made from the project as it is then, so that a history with steps left out is a
    history as well.
    """

    kind: str
    seed: str


@dataclass(frozen=True)
class Run:
    """One run: arguments after ``repro``, the folder it starts in, jobs for a tool that has them."""

    args: tuple[str, ...] = ()
    cwd: str = ""
    jobs: int = 1

    @property
    def dry(self) -> bool:
        return "--dry" in self.args

    def __str__(self) -> str:
        place = f"  (in {self.cwd})" if self.cwd else ""
        return f"repro {' '.join(self.args)}".strip() + place


@dataclass
class World:
    """A project under test: the model, the folders that hold its copies, and what it was before."""

    model: Model
    roots: tuple[Path, ...]
    salt: Path
    past: list[tuple[Model, dict[str, str]]] = field(default_factory=list)
    """After each run: the model and the texts of all dvc.lock files."""
    objects_missing: bool = False
    """Outs may be in the workspace that the cache does not have."""
    were_frozen: set[str] = field(default_factory=set)
    """Addresses of stages that were frozen in a run."""


def history(seed: str) -> list[Op]:
    """The steps of one case: every run is preceded by some edits."""
    rng = random.Random(f"{seed}/history")
    kinds, weights = zip(*((kind, weight) for kind, (weight, _) in EDITS.items()), strict=True)
    steps = ["run"] if rng.random() < 0.9 else ["run on a part"]
    for _ in range(rng.randint(3, 6)):
        steps += rng.choices(kinds, weights, k=rng.choice((0, 1, 1, 1, 2, 2, 3)))
        steps.append(rng.choice(("run", "run on a part", "run on a part")))
    steps += ["heal", "last run"]
    return [Op(kind, f"{seed}/{number}") for number, kind in enumerate(steps)]


# Projects


def project(seed: str) -> Model:
    """A random project of a few stages."""
    rng = random.Random(f"{seed}/project")
    model = Model()
    _sources(model, rng)
    _params(model, rng)
    model.config = rng.choice(
        ("",) * 6
        + ("[cache]\n    type = hardlink\n", "[cache]\n    type = symlink\n")
        + ('[cache]\n    type = "reflink,hardlink,copy"\n', "[core]\n    autostage = true\n")
    )
    folders = [""] if rng.random() < 0.65 else ["", "sub", "sub/deep"][: rng.randint(2, 3)]
    count = rng.randint(2, 9)
    for number, before in enumerate(predecessors(rng.choice(SHAPES), count, rng)):
        model.stages.append(_stage(model, number, before, rng.choice(folders), rng))
    if not any(stage.folder == "" for stage in model.stages):
        model.stages[0].folder = model.stages[0].wdir = ""
        model.stages[0].params = [p for p in model.stages[0].params if p[0] == "params.yaml"]
        model.stages[0].words = []
    return model


def predecessors(shape: str, count: int, rng: random.Random) -> list[list[int]]:
    """For each of ``count`` nodes the smaller numbers it depends on."""
    if shape == "chain":
        return [[n - 1] if n else [] for n in range(count)]
    if shape == "diamond":
        middle = list(range(1, count - 1))
        return [[], *([0] for _ in middle), middle or [0]][:count]
    if shape == "fan in":
        return [*([] for _ in range(count - 1)), list(range(count - 1))]
    if shape == "fan out":
        return [[], *([0] for _ in range(count - 1))]
    if shape == "layers":
        width = rng.randint(2, 3)
        return [
            [
                n
                for n in range((row // width - 1) * width, row // width * width)
                if rng.random() < 0.7
            ]
            if row >= width
            else []
            for row in range(count)
        ]
    return [sorted(rng.sample(range(n), rng.randint(0, min(n, 3)))) for n in range(count)]


def _sources(model: Model, rng: random.Random) -> None:
    for number in range(rng.randint(1, 3)):
        model.files[f"src/f{number}.txt"] = f"source {rng.randint(0, 99)}\n"
    for number in range(rng.randint(0, 2)):
        for name in ("a", "b", "more/c ü")[: rng.randint(1, 3)]:
            model.files[f"src/d{number}/{name}"] = f"inside {rng.randint(0, 99)}\n"
    if rng.random() < 0.4:
        model.files["data/raw"] = f"raw {rng.randint(0, 99)}\n"
        model.data.append("data/raw")
    if rng.random() < 0.3:
        model.files["data/set/one"] = f"one {rng.randint(0, 99)}\n"
        model.files["data/set/two/x"] = "two\n"
        model.data.append("data/set")


def _params(model: Model, rng: random.Random) -> None:
    model.params["params.yaml"] = {
        "a": {"x": rng.randint(0, 9), "y": rng.choice((0.5, 1e-05, 3.0)), "z": [1, 2]},
        "b": rng.choice(("text", "yes", "with space", "1e3")),
        "c": rng.random() < 0.5,
        "n": None,
        "unread": 0,
    }
    model.params["sub/params.yaml"] = {
        "a": {"x": rng.randint(0, 9), "y": 7},
        "b": "sub",
        "unread": 0,
    }
    model.params["other.json"] = {"k": {"deep": rng.randint(0, 9)}, "m": [1, {"u": 2}], "unread": 0}
    model.params["conf.toml"] = {"t": rng.randint(0, 9), "table": {"v": 1.5, "w": "x"}}
    model.params["vals.py"] = {"P": rng.randint(0, 9), "Q": ["a", "b"]}


_KEYS = {
    "params.yaml": (["a.x"], ["a"], ["b", "a.y"], ["a.z", "c"], ["n"], []),
    "sub/params.yaml": (["a.x"], ["a", "b"], []),
    "other.json": (["k.deep"], ["k", "m"], []),
    "conf.toml": (["t"], ["table.v"], ["table"], []),
    "vals.py": (["P"], ["Q", "P"]),
}


def _stage(
    model: Model, number: int, before: Sequence[int], folder: str, rng: random.Random
) -> StageSpec:
    stage = StageSpec(f"s{number}", folder, folder)
    if rng.random() < 0.15:
        stage.wdir = rng.choice(("", "work", "sub"))
    before = [n for n in before if n < len(model.stages)]
    if rng.random() < 0.22:
        stage.group = _group(rng)
    for index in before:
        stage.deps.append(_dep_on(model.stages[index], stage, rng))
    if not before or rng.random() < 0.3:
        stage.deps += rng.sample(_sources_of(model), 1)
    if rng.random() < 0.06:
        stage.deps = []
    stage.deps = [dep for dep in dict.fromkeys(stage.deps) if dep]
    names = rng.choice((1, 1, 1, 2, 3))
    stage.outs = [_out(stage, letter, rng) for letter in "abc"[:names]]
    if rng.random() < 0.04:
        stage.outs = []
    if rng.random() < 0.5:
        _add_params(model, stage, rng)
    stage.two_commands = rng.random() < 0.1
    stage.salted = rng.random() < 0.12
    stage.frozen = rng.random() < 0.015
    stage.always_changed = rng.random() < 0.04
    if rng.random() < 0.1:
        stage.desc = "what it does"
    return stage


def _group(rng: random.Random) -> Group:
    form = rng.choice(("list", "dict", "matrix"))
    if form == "list":
        return Group(form, rng.choice((["r", "s"], ["r"], ["u1", "u2", "u3"])))
    if form == "dict":
        return Group(form, rng.choice(([("k1", "v"), ("k2", "w")], [("only", "one")])))
    return Group(form, [(p, q) for p in ("g", "h") for q in ("1", "2")[: rng.randint(1, 2)]])


def _sources_of(model: Model) -> list[str]:
    folders = {os.path.dirname(path) for path in model.files if path.startswith("src/d")}
    tops = {folder for folder in folders if folder.count("/") == 1}
    return sorted(
        {path for path in model.files if not path.startswith("data/")} | tops | set(model.data)
    )


def _dep_on(maker: StageSpec, stage: StageSpec, rng: random.Random) -> str:
    """A path that ``maker`` writes, as a dep of ``stage``; empty if it writes nothing."""
    if not maker.outs:
        return ""
    out = rng.choice(maker.outs)
    path = out.path
    if maker.group is not None:
        if rng.random() < 0.5 and not stage.outs:
            stage.group = maker.group
        if stage.group is not maker.group:
            path = path.format(**rng.choice(list(maker.group.bindings()))[1])
    if os.path.basename(path).startswith("dir") and rng.random() < 0.3:
        path += rng.choice(("/a", "/sub", "/sub/same"))
    return path


def _out(stage: StageSpec, letter: str, rng: random.Random) -> Out:
    look = rng.choices(
        ("dir", "flat", "empty", "exec", "keep", "json", "csv", "plain"), (4, 3, 1, 1, 2, 3, 1, 8)
    )[0]
    suffix = {"": "", "list": "-{x}", "dict": "-{x}", "matrix": "-{x}-{y}"}[
        stage.group.form if stage.group else ""
    ]
    name = {
        "json": f"m{stage.name}{letter}{suffix}.json",
        "csv": f"c{stage.name}{letter}{suffix}.csv",
    }.get(look, f"{look}{stage.name}{letter}{suffix}")
    out = Out(joined(rng.choice((stage.wdir, stage.wdir, "out", "out/deeper")), name))
    if look == "json" and rng.random() < 0.7:
        out.kind = "metrics"
    if look == "csv" and rng.random() < 0.7:
        out.kind = "plots"
    if rng.random() < (0.5 if out.kind == "metrics" else 0.15):
        out.options["cache"] = False
    if look == "keep" and rng.random() < 0.8:
        out.options["persist"] = True
    if rng.random() < 0.05:
        out.options["push"] = False
    if rng.random() < 0.05:
        out.options["desc"] = "an out"
    return out


def _add_params(model: Model, stage: StageSpec, rng: random.Random) -> None:
    name = rng.choice(sorted(model.params))
    if name not in {known for known, _ in stage.params}:
        stage.params.append((name, list(rng.choice(_KEYS[name]))))
    default = joined(stage.folder, "params.yaml")
    if stage.folder == stage.wdir and default in model.params and rng.random() < 0.5:
        stage.words.append(rng.choice(("${a.x}", "${a.y}")))


# Edits. Each gets the world and a random source, changes model or disk, and says what it did.

Edit = Callable[[World, random.Random], str]


def edit_source(world: World, rng: random.Random) -> str:
    path = rng.choice(world.model.source_files())
    world.model.files[path] = f"edited {rng.randint(0, 9)}\n"
    return path


def spoil_source(world: World, rng: random.Random) -> str:
    path = rng.choice(world.model.source_files())
    world.model.files[path] = rng.choice(("FAIL\n", "LOSE\n"))
    return path


def heal(world: World, rng: random.Random) -> str:
    """Take away what makes commands fail; bring back sources and params that are missing."""
    model = world.model
    for path, text in model.files.items():
        if text in ("FAIL\n", "LOSE\n"):
            model.files[path] = "healed\n"
    for stage in model.stages:
        stage.frozen = False
        for dep in stage.deps:
            known = any(f"{path}/".startswith(f"{dep}/") for path in model.files)
            if dep.startswith("src/") and not known:
                model.files[dep if "." in dep else f"{dep}/a"] = "healed\n"
    whole = Model()
    _params(whole, rng)
    for name, values in whole.params.items():
        now = model.params.setdefault(name, {})
        for key, value in values.items():
            if not isinstance(now.setdefault(key, value), type(value)):
                now[key] = value
    return ""


def same_source(world: World, rng: random.Random) -> str:
    path = rng.choice(world.model.source_files())
    for root in world.roots:
        if (root / path).is_file():
            replace(root / path, (root / path).read_text())
    return path


def touch_source(world: World, rng: random.Random) -> str:
    path = rng.choice(world.model.source_files())
    for root in world.roots:
        if (root / path).is_file() and os.access(root / path, os.W_OK):
            os.utime(root / path)
    return path


def delete_source(world: World, rng: random.Random) -> str:
    files = world.model.source_files()
    path = rng.choice(files)
    if len(files) > 1 and path not in world.model.data:
        del world.model.files[path]
    return path


def add_to_directory(world: World, rng: random.Random) -> str:
    inside = [path for path in world.model.source_files() if path.count("/") > 1]
    if not inside:
        return ""
    path = os.path.dirname(rng.choice(inside)) + rng.choice(("/new", "/ne w.txt", "/.hidden"))
    world.model.files[path] = "new\n"
    return path


def chmod_source(world: World, rng: random.Random) -> str:
    path = rng.choice(world.model.source_files())
    if not path.startswith("data/"):
        world.model.executables ^= {path}
    return path


def edit_param(world: World, rng: random.Random) -> str:
    name = rng.choice(sorted(world.model.params))
    key = rng.choice(sorted(world.model.params[name]))
    value = world.model.params[name][key]
    world.model.params[name][key] = _other(value, name, rng)
    return f"{name}:{key} = {world.model.params[name][key]!r}"


def _other(value: Any, name: str, rng: random.Random) -> Any:
    if isinstance(value, dict) and value:
        key = rng.choice(sorted(value))
        return {**value, key: _other(value[key], name, rng)}
    if isinstance(value, list):
        return [*value, rng.randint(0, 3)]
    if isinstance(value, bool):
        return not value
    words: tuple[Any, ...] = (
        1,
        1.0,
        "1",
        True,
        0,
        "0x1",
        "words in a row",
        123456789012,
        1e20,
        "é",
    )
    if name.endswith(".yaml"):
        words += (None, "null", "2001-01-01", "a: b", "", "- x", "multi\nline\n")
    return rng.choice(words)


def drop_param(world: World, rng: random.Random) -> str:
    name = rng.choice(sorted(world.model.params))
    keys = sorted(world.model.params[name])
    if len(keys) < 2:
        return ""
    key = rng.choice(keys)
    del world.model.params[name][key]
    return f"{name}:{key}"


def drop_params_file(world: World, rng: random.Random) -> str:
    name = rng.choice(sorted(world.model.params))
    if name == "params.yaml":
        return ""
    del world.model.params[name]
    return name


def track_param(world: World, rng: random.Random) -> str:
    stage = rng.choice(world.model.stages)
    _add_params(world.model, stage, rng)
    return stage.name


def untrack_param(world: World, rng: random.Random) -> str:
    stage = rng.choice(world.model.stages)
    if stage.params:
        stage.params.pop(rng.randrange(len(stage.params)))
    return stage.name


def edit_command(world: World, rng: random.Random) -> str:
    stage = rng.choice(world.model.stages)
    if stage.words and rng.random() < 0.4:
        stage.words.pop()
    else:
        stage.words.append(rng.choice(("w1", "w2", "'a  b'", '"q: #"', "ä", "w" * 90)))
    return stage.name


def split_command(world: World, rng: random.Random) -> str:
    stage = rng.choice(world.model.stages)
    stage.two_commands = not stage.two_commands
    return stage.name


def add_dep(world: World, rng: random.Random) -> str:
    index = rng.randrange(len(world.model.stages))
    stage = world.model.stages[index]
    if index and rng.random() < 0.5:
        maker = rng.choice(world.model.stages[:index])
        dep = rng.choice(maker.out_paths() or [""])
    else:
        dep = rng.choice(_sources_of(world.model))
    if dep and dep not in stage.deps:
        stage.deps.insert(rng.randint(0, len(stage.deps)), dep)
    return f"{stage.name} ← {dep}"


def drop_dep(world: World, rng: random.Random) -> str:
    stage = rng.choice(world.model.stages)
    if stage.deps:
        stage.deps.pop(rng.randrange(len(stage.deps)))
    return stage.name


def add_out(world: World, rng: random.Random) -> str:
    stage = rng.choice(world.model.stages)
    letter = next(
        c
        for c in "defghijklmnopqrstuvwxyz"
        if not any(f"{stage.name}{c}" in o.path for o in stage.outs)
    )
    stage.outs.append(_out(stage, letter, rng))
    return stage.outs[-1].path


def drop_out(world: World, rng: random.Random) -> str:
    stage = rng.choice(world.model.stages)
    if len(stage.outs) < 2:
        return ""
    return stage.outs.pop(rng.randrange(len(stage.outs))).path


def option_of_out(world: World, rng: random.Random) -> str:
    outs = [out for stage in world.model.stages for out in stage.outs]
    if not outs:
        return ""
    out = rng.choice(outs)
    name, value = rng.choice(
        (("cache", False), ("persist", True), ("push", False), ("desc", "other"))
    )
    if name in out.options:
        del out.options[name]
    else:
        out.options[name] = value
    return f"{out.path}: {out.options}"


def freeze(world: World, rng: random.Random) -> str:
    stage = rng.choice(world.model.stages)
    stage.frozen = not stage.frozen
    return f"{stage.name} {stage.frozen}"


def always(world: World, rng: random.Random) -> str:
    stage = rng.choice(world.model.stages)
    stage.always_changed = not stage.always_changed
    return f"{stage.name} {stage.always_changed}"


def describe(world: World, rng: random.Random) -> str:
    stage = rng.choice(world.model.stages)
    stage.desc = rng.choice(("", "one", "two"))
    folder = rng.choice(world.model.folders())
    path = joined(folder, "dvc.yaml")
    world.model.comments[path] = world.model.comments.get(path, 0) + 1
    return path


def new_stage(world: World, rng: random.Random) -> str:
    model = world.model
    number = 1 + max(int(stage.name[1:].rstrip("r")) for stage in model.stages)
    before = [rng.randrange(len(model.stages))]
    stage = _stage(model, number, before, rng.choice(model.folders()), rng)
    model.stages.append(stage)
    return stage.name


def drop_stage(world: World, rng: random.Random) -> str:
    roots = [stage for stage in world.model.stages if stage.folder == ""]
    stage = rng.choice(world.model.stages)
    if stage.folder == "" and len(roots) < 2:
        return ""
    world.model.stages.remove(stage)
    return stage.name


def rename_stage(world: World, rng: random.Random) -> str:
    stage = rng.choice(world.model.stages)
    stage.name = stage.name.rstrip("r") if stage.name.endswith("r") else stage.name + "r"
    return stage.name


def reorder(world: World, rng: random.Random) -> str:
    rng.shuffle(world.model.stages)
    return ""


def grow_group(world: World, rng: random.Random) -> str:
    stages = [stage for stage in world.model.stages if stage.group]
    if not stages:
        return ""
    group = rng.choice(stages).group
    assert group
    if group.form == "list":
        group.values = [*group.values, f"n{len(group.values)}"]
    elif group.form == "dict":
        group.values = [*group.values, (f"n{len(group.values)}", "z")]
    else:
        qs = sorted({q for _, q in group.values})
        group.values += [(f"p{len(group.values)}", q) for q in qs]
        group.values.sort()
    return group.form


def _outs_on_disk(world: World) -> list[str]:
    return [
        path
        for stage in world.model.stages
        for path in stage.out_paths()
        if (world.roots[0] / path).exists()
    ]


def delete_out(world: World, rng: random.Random) -> str:
    paths = _outs_on_disk(world)
    if not paths:
        return ""
    path = rng.choice(paths)
    for root in world.roots:
        remove(root / path)
    return path


def remove(target: Path) -> None:
    """Delete a file, a link or a folder, if it is there."""
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target)
    else:
        target.unlink(missing_ok=True)


def modify_out(world: World, rng: random.Random) -> str:
    paths = _outs_on_disk(world)
    if not paths:
        return ""
    path, choice = rng.choice(paths), rng.random()
    for root in world.roots:
        target = root / path
        if not target.is_dir():
            replace(target, "changed by hand\n")
        elif choice < 0.4:
            replace(target / "a", "changed by hand\n")
        elif choice < 0.7:
            replace(target / "extra", "one more\n")
        else:
            remove(target / "sub")
    return path


def same_out(world: World, rng: random.Random) -> str:
    """The same content in a new file: no run may take it for a change."""
    paths = [path for path in _outs_on_disk(world) if (world.roots[0] / path).is_file()]
    if not paths:
        return ""
    path = rng.choice(paths)
    for root in world.roots:
        mode = (root / path).stat().st_mode
        replace(root / path, (root / path).read_text())
        (root / path).chmod(mode | 0o200)
    return path


def chmod_out(world: World, rng: random.Random) -> str:
    paths = [path for path in _outs_on_disk(world) if (world.roots[0] / path).is_file()]
    if not paths:
        return ""
    path = rng.choice(paths)
    for root in world.roots:
        mode = (root / path).stat().st_mode
        replace(root / path, (root / path).read_text())
        (root / path).chmod((mode ^ 0o100) | 0o200)
    return path


def locks(root: Path, model: Model) -> dict[str, str]:
    """Path → text of every dvc.lock of the project at ``root``."""
    paths = [joined(folder, "dvc.lock") for folder in model.folders()]
    return {path: (root / path).read_text() for path in paths if (root / path).exists()}


def delete_lock(world: World, rng: random.Random) -> str:
    path = joined(rng.choice(world.model.folders()), "dvc.lock")
    for root in world.roots:
        (root / path).unlink(missing_ok=True)
    return path


def old_lock(world: World, rng: random.Random) -> str:
    """``git checkout`` of an earlier dvc.lock: the workspace stays."""
    if not world.past:
        return ""
    _, locks = rng.choice(world.past)
    for root in world.roots:
        for path, text in locks.items():
            replace(root / path, text)
    return ""


def back(world: World, rng: random.Random) -> str:
    """All sources, params and stages as they were after an earlier run; sometimes the locks too."""
    if not world.past:
        return ""
    number = rng.randrange(len(world.past))
    model, locks = world.past[number]
    world.model = model.copy()
    if rng.random() < 0.4:
        for root in world.roots:
            for path, text in locks.items():
                replace(root / path, text)
    return f"to after run {number}"


def lose_object(world: World, rng: random.Random) -> str:
    top = world.roots[0] / ".dvc/cache/files/md5"
    names = sorted(path.relative_to(top).as_posix() for path in top.glob("*/*"))
    if not names:
        return ""
    chosen = rng.sample(names, min(len(names), rng.choice((1, 1, 2, 5))))
    world.objects_missing = True
    for root in world.roots:
        for name in chosen:
            (root / ".dvc/cache/files/md5" / name).unlink(missing_ok=True)
    return " ".join(chosen)


def lose_run_cache(world: World, rng: random.Random) -> str:
    for root in world.roots:
        shutil.rmtree(root / ".dvc/cache/runs", ignore_errors=True)
    return ""


def lose_cache(world: World, rng: random.Random) -> str:
    world.objects_missing = True
    for root in world.roots:
        shutil.rmtree(root / ".dvc/cache", ignore_errors=True)
    return ""


def lose_state(world: World, rng: random.Random) -> str:
    """What either tool keeps for its own speed; never what a decision rests on."""
    for root in world.roots:
        shutil.rmtree(root / ".dvc/tmp", ignore_errors=True)
    return ""


def delete_gitignore(world: World, rng: random.Random) -> str:
    folders = {os.path.dirname(path) for stage in world.model.stages for path in stage.out_paths()}
    if not folders:
        return ""
    path = joined(rng.choice(sorted(folders)), ".gitignore")
    for root in world.roots:
        (root / path).unlink(missing_ok=True)
    return path


def change_salt(world: World, rng: random.Random) -> str:
    """Something no dep declares, which salted stages read: they write other content next time."""
    text = f"salt {rng.randint(0, 3)}\n"
    world.salt.write_text(text)
    return text.strip()


EDITS: dict[str, tuple[float, Edit]] = {
    edit.__name__.replace("_", " "): (weight, edit)
    for weight, edit in (
        (10.0, edit_source),
        (1.5, spoil_source),
        (5.0, heal),
        (1.5, same_source),
        (1.0, touch_source),
        (1.0, delete_source),
        (2.0, add_to_directory),
        (1.0, chmod_source),
        (7.0, edit_param),
        (0.7, drop_param),
        (0.4, drop_params_file),
        (2.0, track_param),
        (1.0, untrack_param),
        (4.0, edit_command),
        (1.0, split_command),
        (2.0, add_dep),
        (1.5, drop_dep),
        (2.0, add_out),
        (1.5, drop_out),
        (2.0, option_of_out),
        (0.7, freeze),
        (1.0, always),
        (1.0, describe),
        (2.0, new_stage),
        (1.0, drop_stage),
        (1.0, rename_stage),
        (1.5, reorder),
        (1.0, grow_group),
        (5.0, delete_out),
        (4.0, modify_out),
        (1.5, same_out),
        (1.0, chmod_out),
        (2.0, delete_lock),
        (2.0, old_lock),
        (13.0, back),
        (3.0, lose_object),
        (1.0, lose_run_cache),
        (1.0, lose_cache),
        (1.0, lose_state),
        (1.0, delete_gitignore),
        (2.5, change_salt),
    )
}


# Runs


def choose_run(op: Op, model: Model) -> Run:
    """The command line of a run step."""
    rng = random.Random(op.seed)
    if op.kind == "last run":
        return Run(("-P",))
    args: list[str] = []
    cwd = ""
    if op.kind == "run on a part":
        targets, args, cwd = _targets(model, rng)
        for flag, chance in (("-s", 0.15), ("-p", 0.12), ("--downstream", 0.2), ("-P", 0.04)):
            if rng.random() < chance:
                args.append(flag)
        args += targets
    for flag, chance in (
        ("-f", 0.1),
        ("--force-downstream", 0.08),
        ("-k", 0.15),
        ("--dry", 0.07),
        ("--no-commit", 0.05),
        ("--no-run-cache", 0.07),
    ):
        if rng.random() < chance:
            args.insert(0, flag)
    if "-k" not in args and rng.random() < 0.06:
        args.insert(0, "--ignore-errors")
    if not args and rng.random() < 0.3:
        args.append("-P")
    return Run(tuple(args), cwd, jobs=rng.choice((1, 1, 2, 3)))


def _targets(model: Model, rng: random.Random) -> tuple[list[str], list[str], str]:
    """(targets, flags they need, folder they are relative to)."""
    folders = model.folders()
    choice = rng.random()
    if choice < 0.5:
        addresses = model.addresses()
        chosen = rng.sample(addresses, min(len(addresses), rng.choice((1, 1, 1, 2))))
        return [a if ":" in a or rng.random() < 0.8 else f"dvc.yaml:{a}" for a in chosen], [], ""
    if choice < 0.6:
        return [joined(rng.choice(folders), "dvc.yaml")], [], ""
    if choice < 0.68 and any(stage.group for stage in model.stages):
        stage = rng.choice([stage for stage in model.stages if stage.group])
        prefix = f"{stage.folder}/dvc.yaml:" if stage.folder else ""
        return [prefix + stage.name], [], ""
    if choice < 0.76:
        return [rng.choice(("s*", "s[0-3]", "*r", "dvc.yaml:s?"))], ["--glob"], ""
    if choice < 0.82 and model.data:
        return [rng.choice(model.data) + ".dvc"], [], ""
    if choice < 0.88 and len(folders) > 1:
        return [rng.choice(("sub", "."))], ["-R"], ""
    if choice < 0.94 and len(folders) > 1:
        folder = rng.choice([folder for folder in folders if folder])
        names = [name for s in model.stages if s.folder == folder for name, _ in s.members()]
        return rng.sample(names, 1) if rng.random() < 0.6 else [], [], folder
    if choice < 0.95:
        return ["no-such-stage"], [], ""
    return [], [], ""
