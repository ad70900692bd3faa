"""Random values as they come into a lock file: commands, paths, digests, params."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from redoit.model import Algo, Entry, Oid, Trace

_WORDS = (
    "a python train.py --lr 0.1 > && - é 'q' \"d\" 1e3 true 2020-01-01 ~ x: # | & * ! % @ [ {a} ? : "
    "-- --- ... 😀 \n \t ends:"
)
WORDS = st.sampled_from([*_WORDS.split(" "), "a" * 30, "b" * 75, "c" * 90, "", "x: y", "{% raw %}"])
PLAIN_WORDS = st.sampled_from(
    ["a", "python", "train.py", "--lr", "0.1", ">", "&&", "é", "1e3", "a" * 30, "b" * 75, "c" * 90]
)
_RESOLVED = """true True yes no on null Null ~ << = 1_0 0x1F 0o7 012 1:20 .5 .inf -.INF .nan 1. +.5e+3 1e3
    1E5 _ - 2020-01-01 2020-1-1 2020-01-01T00:00:00Z 00000000000000000000000000000000 0b01 0b12 N n y
    1234567890e12345678901234567890 12345678901234567890123456789012.dir"""
_SPACED = [
    "",
    " ",
    " a",
    "a ",
    "a\n",
    "\n",
    "a\nb",
    "x: y\n",
    "2020-1-1 1:00:00",
    "a\u2028b",
    "\x07",
]
TRAPS = st.sampled_from([*_RESOLVED.split(), *_SPACED, "\ufeff"])
TEXTS = st.one_of(
    st.lists(WORDS, max_size=30).map(" ".join),
    st.lists(PLAIN_WORDS, min_size=1, max_size=30).map(" ".join),
    TRAPS,
    st.from_regex(r"[-+0-9.eExob_:TZ ]{1,12}", fullmatch=True),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
)
KEYS = st.one_of(
    st.text(st.sampled_from("abcXYZ_-./@01"), min_size=1, max_size=20),
    TRAPS.filter(bool),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=70),
)
PLAIN_KEYS = st.from_regex(r"[a-z_][a-z0-9_.]{0,20}", fullmatch=True)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=10,
)
PATHS = st.one_of(
    st.from_regex(r"[a-z]{1,8}(/[a-z0-9_.]{1,8}){0,3}", fullmatch=True),
    TEXTS.filter(lambda text: text.strip() != ""),
)


@st.composite
def entries(
    draw: st.DrawFn,
    *,
    algos: tuple[Algo, ...] = (Algo.MD5,),
    paths: st.SearchStrategy[str] = PATHS,
) -> Entry:
    """A dep or an out with a digest."""
    oid = draw(st.from_regex(r"[0-9a-f]{32}|[0-9]{32}|[0-9]{15}e[0-9]{16}", fullmatch=True))
    folder = draw(st.booleans())
    return Entry(
        draw(paths),
        Oid(f"{oid}.dir" if folder else oid),
        draw(st.sampled_from(algos)),
        draw(st.integers(0, 2**60)),
        draw(st.integers(0, 10**6)) if folder else None,
        not folder and draw(st.booleans()),
    )


def traces(
    algos: tuple[Algo, ...] = (Algo.MD5,),
    texts: st.SearchStrategy[str] = TEXTS,
    values: st.SearchStrategy[Any] = VALUES,
) -> st.SearchStrategy[Trace]:
    """A stage's trace; its commands are not empty."""
    commands = texts.filter(lambda text: text.strip() != "")
    paths = PATHS if values is VALUES else PLAIN_KEYS
    some = st.lists(
        entries(algos=algos, paths=paths), max_size=3, unique_by=lambda entry: entry.path
    ).map(lambda found: tuple(sorted(found, key=lambda entry: entry.path)))
    params = st.dictionaries(
        st.sampled_from(["params.yaml", "conf/a.json", "z.toml"]),
        st.dictionaries(KEYS if values is VALUES else PLAIN_KEYS, values, min_size=1, max_size=3),
        max_size=2,
    )
    return st.builds(
        Trace,
        st.one_of(commands, st.lists(commands, min_size=1, max_size=3)),
        some,
        params.map(lambda found: found or None),
        some,
    )
