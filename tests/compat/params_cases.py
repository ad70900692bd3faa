"""Random params files and random overrides, made from a seed."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

NAMES = (
    "train",
    "lr",
    "epochs",
    "model",
    "layers",
    "name",
    "opt",
    "seed",
    "split",
    "data_dir",
    "k8s",
)
TEXTS = ("adam", "a b", "", "yes", "1e-3", "2024-01-01", "null", "x: y", "it's", 'say "hi"', "ü", "#1",
         "12", "0o17", "1_000", "a,b", "[x]", "{x}", "- a", "true", "~", "tab\there", "ends ", "%x", "@y")  # fmt: skip


class Case(NamedTuple):
    """A params file and the overrides to apply to it."""

    suffix: str
    text: str
    overrides: list[str]

    def __str__(self) -> str:
        return f"{self.suffix}\n{self.text}\n" + "\n".join(
            f"-S {each!r}" for each in self.overrides
        )


def make_case(seed: int) -> Case:
    """The case of ``seed``."""
    rng = random.Random(seed)
    suffix = rng.choice((".yaml", ".yaml", ".yaml", ".json", ".toml", ".py"))
    values = _mapping(rng, 0, nulls=suffix != ".toml", plain_keys=suffix == ".py")
    text = {".yaml": _yaml, ".json": _json, ".toml": _toml, ".py": _python}[suffix](rng, values)
    if suffix == ".py":
        values["workers"] = rng.randint(1, 8)
        text += f"workers = {values['workers']}\n"
    overrides = [_override(rng, values, suffix) for _ in range(rng.choice((1, 1, 1, 2, 3)))]
    return Case(suffix, text, overrides)


def _scalar(rng: random.Random, nulls: bool) -> Any:
    return rng.choice(
        [
            lambda: rng.randint(-5, 1000),
            lambda: rng.choice((0.1, 1e-5, 3.0, -2.5, 1e20, 0.001, 100.0)),
            lambda: rng.choice(TEXTS),
            lambda: rng.random() < 0.5,
            lambda: None if nulls else 0,
        ]
    )()


def _value(rng: random.Random, depth: int, nulls: bool) -> Any:
    pick = rng.random()
    if depth < 3 and pick < 0.25:
        return _mapping(rng, depth + 1, nulls=nulls)
    if depth < 3 and pick < 0.4:
        return [_scalar(rng, False) for _ in range(rng.randint(0, 3))]
    if depth < 2 and pick < 0.45:
        return [_mapping(rng, depth + 2, nulls=nulls) for _ in range(rng.randint(1, 2))]
    return _scalar(rng, nulls)


def _mapping(
    rng: random.Random, depth: int, *, nulls: bool, plain_keys: bool = False
) -> dict[Any, Any]:
    keys = rng.sample(NAMES, rng.randint(1, 4))
    if plain_keys:
        return {key: _value(rng, 2 if rng.random() < 0.5 else 3, nulls) for key in keys}
    return {key: _value(rng, depth, nulls) for key in keys}


# --- texts ----------------------------------------------------------------------------------------


def _yaml(rng: random.Random, values: dict[Any, Any]) -> str:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.default_flow_style = rng.choice((False, False, None))
    yaml.width = 1000
    if rng.random() < 0.3:
        yaml.indent(mapping=4, sequence=4, offset=2)
    out = io.StringIO()
    yaml.dump(values, out)
    lines = out.getvalue().splitlines()
    commented = ["# params of the project"] if rng.random() < 0.5 else []
    for line in lines:
        if line.endswith(":") and rng.random() < 0.3:
            line += "  # see below"
        commented.append(line)
        if not line.startswith((" ", "-")) and rng.random() < 0.1:
            commented += ["", "# another part"] if not line.endswith(":") else []
    return "\n".join(commented) + "\n"


def _json(rng: random.Random, values: dict[Any, Any]) -> str:
    return json.dumps(values, indent=rng.choice((None, 2, 4)), ensure_ascii=rng.random() < 0.5)


def _toml(rng: random.Random, values: dict[Any, Any]) -> str:
    import tomlkit

    text = tomlkit.dumps(values)
    return f"# params\n{text}" if rng.random() < 0.5 else text


def _python(rng: random.Random, values: dict[Any, Any]) -> str:
    lines = ["# params"]
    for name, value in values.items():
        note = "  # tuned" if rng.random() < 0.3 else ""
        lines.append(f"{name} = {value!r}{note}")
    if rng.random() < 0.5:
        lines += [
            "",
            "",
            "class Train:",
            f"    EPOCHS = {rng.randint(1, 99)}",
            "    RATE: float = 0.5",
        ]
    return "\n".join(lines) + "\n"


# --- overrides ------------------------------------------------------------------------------------


def _paths(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    pairs = node.items() if isinstance(node, dict) else enumerate(node)
    for key, value in pairs:
        path = f"{prefix}{key}"
        yield path, value
        if isinstance(value, dict | list):
            yield from _paths(value, f"{path}.")


VALUES = (
    "5", "0", "-3", "0.25", "1e-4", "3.0", "true", "False", "null", "adam", "a b", "''", "", "'it''s'", "nan",
    "'1e-3'", "'12'", "'true'", "'null'", "2024-01-01", "'x: y'", "\"say 'hi'\"", "[1,2,3]", "[]", "{}", "inf",
    "[a,b c,null]", "{lr:0.1,n:5}", "{lr:{deep:[1,{x:y}]}}", "[[1,2],[3]]", "a/b.txt", "x@y", "1_000", "ü",
    "int(3.7)", "str(5)", "'#1'", "path\\,with", "0x10", "08", "1.", ".5", "+1", "yes", "off", "a:b", "~", "%d",
    "[{a:1},{b:2}]", "{a b:1}", "float(2)", "sort(3,1,2)", "'  lead'", "'multi\\nline'", "12:30", "a=b", "-",
)  # fmt: skip


def _override(rng: random.Random, values: dict[Any, Any], suffix: str) -> str:
    paths = dict(_paths(values))
    if suffix == ".py":  # DVC changes numbers at the top of a Python file, and nothing else
        numbers = [name for name, value in values.items() if type(value) in (int, float, bool)]
        return f"{rng.choice(numbers)}={rng.choice(('5', '0.25', '7', '1e-4', '-3'))}"
    known = rng.choice(list(paths))
    mappings = ["", *(f"{path}." for path, value in paths.items() if isinstance(value, dict))]
    new = f"{rng.choice(mappings)}{rng.choice(('new', 'new', 'alpha.beta', rng.choice(NAMES)))}"
    text = rng.choice(VALUES)
    return rng.choice(
        (
            *[lambda: f"{known}={text}"] * 6,
            *[lambda: f"+{new}={text}"] * 2,
            *[lambda: f"++{rng.choice((known, new))}={text}"] * 2,
            lambda: f"~{known}",
            lambda: f"{new}={text}",
        )
    )()
