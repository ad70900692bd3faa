"""YAML 1.2 as DVC reads it: a table of scalars and documents, and generated ones."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from redoit.errors import SpecError
from redoit.spec.source import Source
from redoit.spec.yaml import load
from tests.compat.spec_oracle import SpecOracle, tagged

pytestmark = pytest.mark.oracle

SCALARS = r"""
1e3 012 0o17 0x1F 0b11 1_000 - -- ... yes on off No y n TRUE True tRUE ~ null Null NULL nUll .5 5. .inf -.inf
+.INF .nan .NaN 2020-01-02 2020-1-2 1:30 1:30:00 0x 0o8 08 1__2 _1 1e e1 1e+3 1E-3 1.e5 +1 -0 0. 00 0b2 0.1e1
-.5e3 -.5e-3 1e400 .e1 +.e 1.2.3 + 12e03 685_230.15 190:20:30 -0x10 +.5e-3 a:b a#b x,y C:\x \x http://x.y/z?a=b
'q' "d\n" 'it''s' "\u00e9" !!str&12 !!int&0o17 !!float&3 !!null&x !!bool&yes !!timestamp&2020-01-02 !!binary&aGk=
!&12 &a&x [] {} [1,&2] {a:&1} {a:&1,&b} [a:&1] {a} {a&:&b} {'a':1} [a,] [,] [a,,b] {,} {a:&} {?&a&:&b}
|&x @x `x %x & * ! ? [ { ' " é 2020-01-02&03:04:05 2020-01-02T03:04:05Z 2020-01-02T03:04:05.1234567+02:00
2020-01-02&3:04:05&-1:30 2020-01-02t3:04:05.9999999 a]b a}b --- --- !x&y !!python/none&x !!set&{a,&b} !!omap&[a:&1]
""".split()  # noqa: SIM905
DOCUMENTS = (
    "a: &x {k: 1, j: 2}\nb: {<<: *x, j: 3}\n",
    "a: &x {k: 1}\nb: &y {k: 2, l: 2}\nc:\n  n: 3\n  <<: [*x, *y]\n",
    "a: {<<: {b: 1}, <<: {c: 1}}\n",
    "a: {<<: 1}\n",
    "a: 1\na: 2\n",
    "a: {1: x, '1': y, 1.0: z}\n",
    "a: |\n  x\n  y\n\nb: >-\n  x\n  y\n\n  z\nc: |+\n  x\n\n",
    "a: |2\n    x\n",
    "a: 'b\n\n c'\n",
    'a: "b\\\n   c"\n',
    "a: b\n  c\n",
    "a: *b\nc: &b 1\n",
    "&a a: *a\n",
    "a: &x\nb: *x\n",
    "? [a, b]\n: c\n",
    "{[a, b]: c}\n",
    "{{a: b}: c}\n",
    "- - - b\n",
    "a:\n- b\n- c\n",
    "a: - b\n",
    "a: b: c\n",
    "\ta: 1\n",
    "a:\n\t- b\n",
    "a: [\n1\n]\n",
    "---\na: 1\n...\n",
    "a: 1\n---\nb: 2\n",
    "%YAML 1.1\n---\na: yes\nb: 012\n",
    "%YAML 1.2\n---\na: yes\n",
    "%TAG ! tag:x:\n---\na: !foo 1\n",
    "\ufeffa: 1\n",
    "a: \x85b\n",
    "a: \x00b\n",
    "a: \x7f\n",
    "\U0001f600: \u2028\n",
    "",
    "# only\n",
    "[]\n",
    "0\n",
    "text\n",
)
KEYS = (
    "a",
    "b",
    "c",
    "d",
    "1",
    "true",
    "null",
    "é",
    "? x",
    '"k"',
    "k k",
    "2020-01-01",
    "[x]",
    "k:",
)
ACCEPTED = ("invalid literal", "could not convert", "out of range", "must be in")
"""What DVC stumbles over in a scalar that looks like a number or a date: for us it is text."""


@pytest.fixture(scope="module")
def oracle(dvc_bin: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SpecOracle]:
    driver = SpecOracle(dvc_bin, tmp_path_factory.mktemp("home"))
    yield driver
    driver.close()


def check(oracle: SpecOracle, text: str) -> None:
    theirs = oracle.ask(yaml=text)
    try:
        ours = tagged(load(Source("x.yaml", text)).value or {})
    except SpecError:
        assert "error" in theirs, f"only ours refuses: {text!r}"
        return
    if "error" in theirs:
        assert any(word in theirs["error"] for word in ACCEPTED), f"only DVC refuses: {text!r}"
        return
    assert ours == theirs["value"], repr(text)


def test_scalars_in_every_place(oracle: SpecOracle) -> None:
    for word in SCALARS:
        text = word.replace("&", " ") if len(word) > 1 and word[0] != "&" else word
        for document in (
            text,
            f"a: {text}\n",
            f"[{text}]",
            f"{{{text}}}",
            f"- {text}\n- b",
            f"? {text}\n: x",
        ):
            check(oracle, document)


@pytest.mark.parametrize("text", DOCUMENTS)
def test_documents(oracle: SpecOracle, text: str) -> None:
    check(oracle, text)


def test_generated_documents(oracle: SpecOracle) -> None:
    pick = random.Random(7)
    words = [word.replace("&", " ") for word in SCALARS]

    def node(depth: int) -> str:
        kind = pick.random()
        if depth == 0 or kind < 0.45:
            return pick.choice(words)
        indent = "  " * (4 - depth)
        if kind < 0.75:
            keys = pick.sample(KEYS, pick.randint(1, 3))
            return "\n" + "\n".join(f"{indent}{key}: {node(depth - 1)}" for key in keys)
        return "\n" + "\n".join(f"{indent}- {node(depth - 1)}" for _ in range(pick.randint(1, 3)))

    for _ in range(1500):
        check(oracle, node(3).lstrip("\n"))
