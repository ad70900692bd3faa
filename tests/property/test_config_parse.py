"""The quick reader of configuration files agrees with configobj, or leaves the file to it."""

from __future__ import annotations

from configobj import ConfigObj, ConfigObjError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from redoit.config.parse import _lower_keys, _parse, _parse_plain
from redoit.errors import ConfigError

_lines = st.one_of(
    st.sampled_from(
        [
            *("[core]", "[cache]", "['remote \"a\"']", "['remote \"B\"']", '[remote "c"]', "[[x]]"),
            *("", "  ", "# comment", "  # [core]", "x", "[ core ]", "[core] # c", "]", "['core']"),
            *("remote = a", "remote=b c", "type = reflink,copy", "type = a , b", "type = a,"),
            *('dir = "/a,b"', "dir = '/a'", "dir = /a # b", "dir = /a#b", "dir =", 'dir = ""'),
            *("Remote = A", "url = s3://x/y?z=1", "k = %(dir)s", "k = $dir", "k : v", "k = a=b"),
            *(
                'k = """a',
                'b"""',
                "k = [a]",
                "k = {a}",
                "k = é",
                "k = a\\b",
                "k\t=\tv",
                "\x0bk = v",
            ),
            *(
                'k = "a" b',
                'k = "a',
                'k = a"',
                'k = " a "',
                "k = a  ",
                "k = ;",
                "1k = a",
                "k.l = a",
            ),
        ]
    ),
    st.text(alphabet="ab=[]\"' #,\t%", max_size=12),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(_lines, max_size=8), st.sampled_from(["\n", "\r\n"]))
@example(["[core]", 'k = "a # b"'], "\n")
def test_plain_files_mean_what_configobj_says(lines: list[str], end: str) -> None:
    text = end.join(lines)
    plain = _parse_plain(text)
    if plain is None:
        return
    try:
        ConfigObj(text.splitlines(keepends=True))
    except ConfigObjError as error:
        raise AssertionError(f"configobj refuses what was read as {plain}") from error
    assert plain == _parse(text, "x")


@settings(max_examples=200, deadline=None)
@given(st.lists(_lines, max_size=8))
def test_nothing_but_a_config_error_comes_out(lines: list[str]) -> None:
    try:
        _parse("\n".join(lines), "x")
    except ConfigError as error:
        assert error.place is not None
    assert _lower_keys({"A": {"B": "C"}}) == {"a": {"b": "C"}}
