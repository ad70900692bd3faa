"""Random projects with variables, templates, ``foreach`` and ``matrix``: the same for the same seed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

WORDS = ("alpha", "beta", "it's", "two words", "x-y", "ünï", "1", "true", "null", "a.b", "012", "")
SCALARS: tuple[Any, ...] = (0, 1, -7, 2.5, 1e-3, 1e10, True, False, None, 12345678901234567890)
_NOTHING = object()


class _Maker:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.wrong = self.random.random() < 0.15
        """Whether this project may name things that are not there."""

    def files(self) -> dict[str, str]:
        pick = self.random
        params = self.tree(3)
        files = {"params.yaml": json.dumps(params, ensure_ascii=False)}
        extra = {f"v{key}": value for key, value in self.tree(2).items()}
        known = {**params, **extra}
        entries: list[Any] = []
        if pick.random() < 0.6:
            name = pick.choice(["more.json", "deep/more.yaml"])
            files[name] = json.dumps(extra, ensure_ascii=False)
            chosen = pick.sample(list(extra), pick.randint(1, len(extra)))
            if pick.random() < 0.5:
                entries.append(name)
            else:
                entries.append(f"{name}:{','.join(chosen)}")
                known = {**params, **{key: extra[key] for key in chosen}}
        else:
            entries.append(extra)
        document: dict[str, Any] = {
            "vars": entries,
            "stages": {f"s{n}": self.entry(known, n) for n in range(pick.randint(1, 6))},
        }
        if pick.random() < 0.3:
            document["metrics"] = [self.text(known) or "m"]
        files["dvc.yaml"] = json.dumps(document, ensure_ascii=False, indent=1)
        if pick.random() < 0.3:
            files["sub/dvc.yaml"] = json.dumps(
                {"stages": {f"t{n}": self.entry({}, n) for n in range(2)}}
            )
        return files

    def tree(self, depth: int) -> dict[str, Any]:
        return {
            f"{'abcdefg'[n]}{self.random.choice(('', '_x', '-y'))}": self.value(depth - 1)
            for n in range(self.random.randint(1, 5))
        }

    def value(self, depth: int) -> Any:
        kind = self.random.random()
        if depth > 0 and kind < 0.35:
            return self.tree(depth)
        if depth > 0 and kind < 0.6:
            return [self.value(depth - 1) for _ in range(self.random.randint(0, 4))]
        return self.random.choice(SCALARS + WORDS)

    def entry(self, known: dict[str, Any], number: int) -> dict[str, Any]:
        pick = self.random
        kind = pick.random()
        if kind < 0.25:
            over, items, unique = self.over(known)
            return {"foreach": over, "do": self.stage({**known, **items}, f"{number}-{unique}")}
        if kind < 0.5:
            axes: dict[str, Any] = {}
            examples: dict[str, Any] = {}
            for axis in ("p", "q", "r")[: pick.randint(1, 3)]:
                axes[axis], example = self.axis(known)
                if example is not _NOTHING:
                    examples[axis] = example
            inside = {**known, "item": examples, "key": "k"}
            return {"matrix": axes, **self.stage(inside, f"{number}-${{key}}")}
        return self.stage(known, str(number))

    def over(self, known: dict[str, Any]) -> tuple[Any, dict[str, Any], str]:
        """What to go over, what ``item`` and ``key`` look like then, and what makes a path unique."""
        chosen = self.listed(known, list | dict) if self.random.random() < 0.5 else None
        if chosen is not None:
            over, values = chosen
        elif self.random.random() < 0.5:
            over = values = self.alike(2)
        else:
            over = values = {f"n{n}": value for n, value in enumerate(self.alike(2))}
        if isinstance(values, dict):
            example = common(list(values.values()))
            items = {"key": "k"} if example is _NOTHING else {"item": example, "key": "k"}
            return over, items, "${key}"
        example = common(values)
        plain = not any(isinstance(value, list | dict) for value in values)
        return (
            over,
            {} if example is _NOTHING else {"item": example},
            "${item}" if plain else "same",
        )

    def axis(self, known: dict[str, Any]) -> tuple[Any, Any]:
        chosen = self.listed(known, list) if self.random.random() < 0.4 else None
        if chosen is not None:
            return chosen[0], common(chosen[1])
        values = self.alike(2)
        if known and not isinstance(values[0], list | dict) and self.random.random() < 0.5:
            values.append(self.text(known))
        return values, common(values)

    def listed(self, known: dict[str, Any], kind: Any) -> tuple[str, Any] | None:
        found = [(path, value) for path, value in walk(known) if isinstance(value, kind)]
        if not found:
            return None
        path, value = self.random.choice(found)
        return f"${{{path}}}", value

    def alike(self, depth: int) -> list[Any]:
        """A few values of the same shape."""
        first = self.value(depth)
        return [first, *(self.vary(first) for _ in range(self.random.randint(0, 2)))]

    def vary(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self.vary(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.vary(item) for item in value]
        return self.random.choice(SCALARS + WORDS[:-1])

    def stage(self, known: dict[str, Any], unique: str) -> dict[str, Any]:
        pick = self.random
        fields: dict[str, Any] = {"cmd": f"run {self.text(known)} {self.command(known)}"}
        if pick.random() < 0.2:
            fields["cmd"] = [fields["cmd"], f"then {self.text(known)}"]
        if pick.random() < 0.3:
            fields["wdir"] = pick.choice(("sub", "sub/deep", ".", "w${none}"))
            fields["wdir"] = fields["wdir"].replace("${none}", "")
        if pick.random() < 0.6:
            fields["deps"] = [f"d/{self.text(known)}" for _ in range(pick.randint(0, 3))]
        if pick.random() < 0.5:
            fields["params"] = self.params(known)
        for name in ("outs", "metrics", "plots"):
            if pick.random() < 0.4:
                fields[name] = [
                    self.out(f"{name}{unique}-{n}", name, known) for n in range(pick.randint(0, 3))
                ]
        if pick.random() < 0.2:
            fields["vars"] = [{"own": self.value(1)}]
        if pick.random() < 0.2:
            fields["meta"] = {"m": self.text(known), "n": [1, None, {"o": self.text(known)}]}
        for name in ("frozen", "always_changed"):
            if pick.random() < 0.2:
                fields[name] = pick.random() < 0.5
        if pick.random() < 0.2:
            fields["desc"] = f"text {self.text(known)}"
        return fields

    def out(self, path: str, name: str, known: dict[str, Any]) -> Any:
        pick = self.random
        if pick.random() < 0.6:
            return path
        flags: dict[str, Any] = {}
        if pick.random() < 0.5:
            flags["cache"] = pick.random() < 0.5
        if pick.random() < 0.3:
            flags["persist"] = True
        if pick.random() < 0.3:
            flags["desc"] = f"of {self.text(known)}"
        if name == "plots":
            flags["x"] = "t"
        return {path: flags}

    def params(self, known: dict[str, Any]) -> list[Any]:
        keys = [path for path, _ in walk(known) if "[" not in path and not path.startswith("item")]
        result: list[Any] = [self.random.choice([*keys, "nope"]) for _ in range(3)]
        if self.random.random() < 0.3:
            result.append({"more.json": [self.random.choice([*keys, "nope"])]})
        if self.random.random() < 0.2:
            result.append({"deep/more.yaml": None})
        return result

    def text(self, known: dict[str, Any]) -> str:
        """Text with one ``${...}`` that stands for a plain value, where there is one."""
        plain = [path for path, value in walk(known) if not isinstance(value, list | dict)]
        if self.wrong and self.random.random() < 0.05:
            return self.random.choice(("${nope}", "${a.b.c.d}", "${}", "${a[99]}", "${a b}"))
        if not plain:
            return "none"
        path = self.random.choice(plain)
        shown = self.random.choice((path, f" {path} ", path.replace("[", ".").replace("]", "")))
        return f"{self.random.choice(('', 'w-', chr(92)))}${{{shown}}}x"

    def command(self, known: dict[str, Any]) -> str:
        """A mapping as options, where there is one that can be."""
        good = [
            path
            for path, value in walk(known)
            if isinstance(value, dict) and not any(nested(item) for item in leaves(value))
        ]
        return f"${{{self.random.choice(good)}}}" if good else ""


def walk(tree: Any, lead: str = "") -> Iterator[tuple[str, Any]]:
    """(key as ``${...}`` writes it, value) of everything in ``tree``."""
    parts = (
        [(f"{lead}.{key}" if lead else str(key), value) for key, value in tree.items()]
        if isinstance(tree, dict)
        else [(f"{lead}[{index}]", value) for index, value in enumerate(tree)]
    )
    for path, value in parts:
        yield path, value
        if isinstance(value, list | dict):
            yield from walk(value, path)


def leaves(tree: dict[str, Any]) -> Iterator[Any]:
    for value in tree.values():
        if isinstance(value, dict):
            yield from leaves(value)
        else:
            yield value


def common(values: list[Any]) -> Any:
    """The first of ``values`` if the others have its shape; else _NOTHING."""
    if not values:
        return _NOTHING
    shapes = {json.dumps(shape(value), sort_keys=True) for value in values}
    return values[0] if len(shapes) == 1 else _NOTHING


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return 0


def nested(value: Any) -> bool:
    return isinstance(value, list) and any(isinstance(item, list | dict) for item in value)


def generate(seed: int) -> dict[str, str]:
    """The files of the project with this ``seed``."""
    return _Maker(seed).files()
