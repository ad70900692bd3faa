"""The same pipeline on disk for Redoit and DVC, plain doit, Snakemake, ninja and make.

All of them run the same commands on the same files. One stage in ten reads a param of its own: DVC, Redoit, doit and
Snakemake know which; to ninja and make, params.yaml is a file like any other.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.pipelines import LAST_SOURCE, SOURCES, Pipeline, Step


def write_sources(folder: Path, pipeline: Pipeline) -> None:
    (folder / "src").mkdir(parents=True, exist_ok=True)
    (folder / "out").mkdir(exist_ok=True)
    for number in range(SOURCES):
        (folder / "src" / f"{number}.txt").write_text(f"source {number}\n")
    (folder / LAST_SOURCE).write_text("the last source\n")
    write_params(folder, pipeline, 0)


def write_params(folder: Path, pipeline: Pipeline, last: int) -> None:
    """``params.yaml`` with all values 0 but that of the last stage."""
    names = pipeline.params
    lines = [*(f"{name}: 0" for name in names[:-1]), f"{names[-1]}: {last}"]
    (folder / "params.yaml").write_text("\n".join(lines) + "\n")


# --- dvc.yaml -------------------------------------------------------------------------------------


def write_dvc(folder: Path, pipeline: Pipeline, *, native: bool = False) -> None:
    """A Git repository with ``.dvc/`` and dvc.yaml; ``native``: with xxh128, which DVC cannot read."""
    write_sources(folder, pipeline)
    files = pipeline.recipe.files
    for part in range(files):
        place = folder / f"part{part}" if files > 1 else folder
        place.mkdir(exist_ok=True)
        # With several files, each stage still works at the top, where all paths start.
        top = [] if files == 1 else ["    wdir: .."]
        text = _stages(pipeline.steps[part::files], pipeline.recipe.style, top)
        (place / "dvc.yaml").write_text(text)
    make_project(folder, native=native)


def make_project(folder: Path, *, native: bool = False) -> None:
    """Make ``folder`` with all that is in it a Git repository and a DVC project."""
    (folder / ".dvc").mkdir()
    (folder / ".dvc" / "config").touch()
    (folder / ".dvc" / ".gitignore").write_text("/config.local\n/tmp\n/cache\n")
    if native:
        (folder / ".dvc" / "redoit.toml").write_text('hash = "xxh128"\n')
    (folder / ".dvcignore").touch()
    if not (folder / ".gitignore").exists():
        # Else each of thousands of outputs is looked for in, and added to, a growing list.
        (folder / ".gitignore").write_text("/out\n")
    who = ["-c", "user.name=Bench", "-c", "user.email=bench@example.org"]
    for words in (
        ["init", "-q", "-b", "main"],
        ["add", "-A"],
        [*who, "commit", "-q", "-m", "pipeline"],
    ):
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


def _stages(steps: tuple[Step, ...], style: str, top: list[str]) -> str:
    lines = ["stages:"]
    if style == "plain":
        for step in steps:
            lines += [f"  {step.name}:", *_body(step.command, step.deps, step.param, step.out, top)]
        return "\n".join(lines) + "\n"
    # Stages that look alike are entries of one foreach or matrix.
    alike: dict[tuple[int, bool], list[Step]] = {}
    for step in steps:
        alike.setdefault((len(step.deps), step.param is not None), []).append(step)
    for (deps, has_param), members in alike.items():
        name = f"with{deps}{'p' if has_param else ''}"
        lines.append(f"  {name}:")
        lines += ["    foreach:"] if style == "foreach" else ["    matrix:", "      row:"]
        for step in members:
            item = {"cmd": step.command, "out": step.out}
            item |= {f"dep{i}": dep for i, dep in enumerate(step.deps)}
            if step.param:
                item["param"] = step.param
            first, *rest = (f'{key}: "{value}"' for key, value in item.items())
            if style == "foreach":
                lines += [f"      {step.name}:", f"        {first}"]
            else:
                lines.append(f"      - {first}")
            lines += [f"        {line}" for line in rest]
        item_at = "item" if style == "foreach" else "item.row"
        body = _body(
            f"${{{item_at}.cmd}}",
            [f"${{{item_at}.dep{i}}}" for i in range(deps)],
            f"${{{item_at}.param}}" if has_param else None,
            f"${{{item_at}.out}}",
            top,
        )
        lines += [f"  {line}" for line in ["  do:", *body]] if style == "foreach" else body
    return "\n".join(lines) + "\n"


def _body(command: str, deps: list[str], param: str | None, out: str, top: list[str]) -> list[str]:
    return [
        f"    cmd: {command}",
        *top,
        "    deps:",
        *(f"    - {dep}" for dep in deps),
        *(["    params:", f"    - {param}"] if param else []),
        "    outs:",
        f"    - {out}",
    ]


# --- the others -----------------------------------------------------------------------------------

_READ_PARAMS = 'PARAMS = dict(line.rstrip("\\n").split(": ") for line in open("params.yaml"))\n'


def write_doit(folder: Path, pipeline: Pipeline) -> None:
    """A ``dodo.py`` with doit's own md5 checker and database."""
    write_sources(folder, pipeline)
    rows = "".join(
        f"    {(step.name, step.command, step.read_files, step.made, step.param)!r},\n"
        for step in pipeline.steps
    )
    (folder / "dodo.py").write_text(
        f"from doit.tools import config_changed\n\n{_READ_PARAMS}STEPS = [\n{rows}]\n\n\n"
        "def task_steps():\n"
        "    for name, command, deps, made, param in STEPS:\n"
        "        yield {\n"
        '            "basename": name,\n'
        '            "actions": [command],\n'
        '            "file_dep": deps,\n'
        '            "targets": made,\n'
        '            "uptodate": [config_changed(PARAMS[param])] if param else [],\n'
        "        }\n"
    )


def write_snakemake(folder: Path, pipeline: Pipeline) -> None:
    """A ``Snakefile`` with a rule for each stage."""
    write_sources(folder, pipeline)
    everything = [path for step in pipeline.steps for path in step.made]
    rules = [f"{_READ_PARAMS}\n", f"rule all:\n    input: {everything!r}\n"]
    for step in pipeline.steps:
        param = f'    params: value=PARAMS["{step.param}"]\n' if step.param else ""
        rules.append(
            f"rule {step.name}:\n    input: {step.read_files!r}\n    output: {step.made!r}\n"
            f"{param}    shell: {step.command!r}\n"
        )
    (folder / "Snakefile").write_text("\n".join(rules))


def write_ninja(folder: Path, pipeline: Pipeline) -> None:
    write_sources(folder, pipeline)
    lines = ["rule step", "  command = $cmd", ""]
    for step in pipeline.steps:
        lines.append(f"build {' '.join(step.made)}: step {' '.join(_file_deps(step))}")
        lines.append(f"  cmd = {step.command}")
    (folder / "build.ninja").write_text("\n".join(lines) + "\n")


def write_make(folder: Path, pipeline: Pipeline) -> None:
    write_sources(folder, pipeline)
    everything = " ".join(path for step in pipeline.steps for path in step.made)
    # make's own rules, which are tried for every file, are for programs in C.
    lines = [".SUFFIXES:", ".PHONY: all", f"all: {everything}", ""]
    for step in pipeline.steps:
        # One command makes all files of a directory: &: is GNU make 4.3.
        colon = " &:" if len(step.made) > 1 else ":"
        lines.append(f"{' '.join(step.made)}{colon} {' '.join(_file_deps(step))}")
        lines.append(f"\t@{step.command}")
    (folder / "Makefile").write_text("\n".join(lines) + "\n")


def _file_deps(step: Step) -> list[str]:
    return [*step.read_files, *(["params.yaml"] if step.param else [])]
