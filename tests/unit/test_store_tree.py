"""Objects of directories: their bytes are pinned, and a damaged one is refused."""

from __future__ import annotations

import json

import pytest

from redoit.errors import CorruptObject
from redoit.model import Algo, Oid
from redoit.store.tree import decode, dir_oid, encode, is_dir_oid, is_oid, parents

A, B = "0cc175b9c0f1b6a831c399e269772661", "92eb5ffee6ae2fec3ad71c777531578f"


def test_bytes_are_dvcs() -> None:
    data = encode(["a", 'd/é"'], [A, B], Algo.MD5)
    assert data == (
        b'[{"md5": "0cc175b9c0f1b6a831c399e269772661", "relpath": "a"}, '
        b'{"md5": "92eb5ffee6ae2fec3ad71c777531578f", "relpath": "d/\\u00e9\\""}]'
    )
    rows = [{"md5": A, "relpath": "a"}, {"md5": B, "relpath": 'd/é"'}]
    assert data == json.dumps(rows, sort_keys=True).encode()


def test_the_native_form() -> None:
    data = encode(["a"], [A], Algo.XXH128)
    assert data == b'[{"relpath": "a", "xxh128": "0cc175b9c0f1b6a831c399e269772661"}]'
    assert data == json.dumps([{"relpath": "a", "xxh128": A}], sort_keys=True).encode()


def test_an_empty_directory() -> None:
    assert encode([], [], Algo.MD5) == b"[]"
    assert dir_oid(b"[]", Algo.MD5) == "d751713988987e9331980363e24189ce.dir"
    assert decode(b"[]", Algo.MD5, "x") == []


@pytest.mark.parametrize("algo", list(Algo))
def test_decode_is_the_reverse(algo: Algo) -> None:
    names, oids = ["a", "a b/c", "ü", "\udcff"], [A, B, A, B]
    assert decode(encode(names, oids, algo), algo, "x") == list(zip(names, oids, strict=True))


def test_order_of_a_foreign_writer_does_not_matter() -> None:
    data = json.dumps([{"relpath": "b", "md5": B, "size": 3}, {"md5": A, "relpath": "a"}])
    assert decode(data.encode(), Algo.MD5, "x") == [("a", A), ("b", B)]


def row(name: object, oid: object = A) -> str:
    return json.dumps([{"md5": A, "relpath": "ok"}, {"md5": oid, "relpath": name}])


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "{}", "[1]", "[[]]", '"x"', "null", json.dumps([{"md5": A}]), "[" * 100_000),
        row("ok"),
        *(row("/etc/passwd"), row("../x"), row("a/../../x"), row(".."), row("."), row("a/.")),
        *(row(""), row("a//b"), row("a/"), row("a\0b"), row("./a"), row(1), row(None), row(["a"])),
        *(row("a", ""), row("a", A.upper()), row("a", A[1:]), row("a", f"{A}.dir"), row("a", 7)),
        *(row("a", A[1:] + "g"), row("a", "../" + A[3:]), row("a", A[:-1] + "\n")),
    ],
)
def test_damaged_or_hostile(text: str) -> None:
    with pytest.raises(CorruptObject) as caught:
        decode(text.encode(), Algo.MD5, "the/object")
    assert caught.value.facts == {"object": "the/object"}


def test_lengths_that_make_up_for_each_other() -> None:
    data = json.dumps([{"md5": A[1:], "relpath": "a"}, {"md5": A + "0", "relpath": "b"}])
    with pytest.raises(CorruptObject):
        decode(data.encode(), Algo.MD5, "x")


@pytest.mark.parametrize(
    ("text", "good"),
    [(A, True), (f"{A}.dir", True), (A[1:], False), (f"{A}.tmp", False), ("x" * 32, False)],
)
def test_is_oid(text: str, good: bool) -> None:
    assert is_oid(text) is good


def test_parents() -> None:
    assert parents(["a/b/c", "a/d", "e", "f/g"]) == ["a", "a/b", "f"]
    assert Oid("x.dir").endswith(".dir")
    assert is_dir_oid("x.dir")
