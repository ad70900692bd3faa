"""DVC's configuration and Redoit's settings: what is read, and what every mistake says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from redoit.config import Config, load_config, load_settings
from redoit.errors import ConfigError
from redoit.model import Algo


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose system and global configuration are its own folders."""
    monkeypatch.setenv("DVC_SYSTEM_CONFIG_DIR", str(tmp_path / "system"))
    monkeypatch.setenv("DVC_GLOBAL_CONFIG_DIR", str(tmp_path / "global"))
    (tmp_path / "p" / ".dvc").mkdir(parents=True)
    return tmp_path / "p"


def write(root: Path, text: str, level: str = "project") -> Path:
    path = {
        "system": root.parent / "system" / "config",
        "global": root.parent / "global" / "config",
        "project": root / ".dvc" / "config",
        "local": root / ".dvc" / "config.local",
        "redoit": root / ".dvc" / "redoit.toml",
    }[level]
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_nothing_configured(root: Path) -> None:
    config = load_config(str(root))
    assert config == Config()
    assert config.cache_dir(str(root)) == f"{root}/.dvc/cache"
    assert config.cache_types() == ("reflink", "copy")
    assert not config.cache_shared
    assert not config.autostage
    assert not config.interactive
    assert config.remote is None
    assert config.remotes == {}
    assert (config.parsing_bool, config.parsing_list) == ("store_true", "nargs")
    assert not config.exp_auto_push
    assert not config.hydra_enabled
    assert not config.no_scm


def test_everything_that_is_used(root: Path) -> None:
    write(
        root,
        """
        # a comment
        [core]
            remote = Store
            autostage = True
            interactive = TRUE
        [cache]
            type = "hardlink, symlink,copy"
            shared = group
        ['remote "store"']
            url = s3://bucket/path
            endpointurl = http://localhost:9000
        [parsing]
            bool = boolean_optional
            list = append
        [exp]
            auto_push = true
            git_remote = origin
        [hydra]
            enabled = true
            config_dir = conf
            config_name = main
        """,
    )
    config = load_config(str(root))
    assert config.remote == "store"
    assert config.autostage
    assert config.interactive
    assert config.cache_types() == ("hardlink", "symlink", "copy")
    assert config.cache_shared
    assert config.remotes["store"]["url"] == "s3://bucket/path"
    assert (config.parsing_bool, config.parsing_list) == ("boolean_optional", "append")
    assert (config.exp_auto_push, config.exp_git_remote) == (True, "origin")
    assert (config.hydra_enabled, config.hydra_config_dir) == (True, "conf")
    assert config.hydra_config_name == "main"


def test_levels_shadow_each_other_option_by_option(root: Path) -> None:
    for level in ("system", "global", "project", "local"):
        write(root, f"[core]\nremote = {level}\n[plots]\nout_dir = {level}\n", level)
    write(root, "[core]\nremote = mine\n", "local")
    config = load_config(str(root))
    assert config.remote == "mine"
    assert config.text("plots", "out_dir") == "project"


@pytest.mark.parametrize(
    ("text", "level", "expected"),
    [
        ("[cache]\ndir = ../big\n", "project", "{root}/big"),
        ("[cache]\ndir = ../../big\n", "local", "{parent}/big"),
        ("[cache]\ndir = rel\n", "global", "{parent}/global/rel"),
        ("[cache]\ndir = /abs/x\n", "project", "/abs/x"),
        ("[cache]\ndir = ~/x\n", "project", "{home}/x"),
        ("[cache]\nlocal = disk\n['remote \"disk\"']\nurl = /disk\n", "project", "/disk"),
    ],
)
def test_where_the_cache_is(root: Path, text: str, level: str, expected: str) -> None:
    write(root, text, level)
    wanted = expected.format(root=root, parent=root.parent, home=os.path.expanduser("~"))
    assert load_config(str(root)).cache_dir(str(root)) == wanted


def test_without_a_project_only_system_and_global_count(root: Path) -> None:
    write(root, "[core]\nremote = a\n", "global")
    write(root, "[core]\nremote = b\n")
    assert load_config(None).remote == "a"


def test_an_unusual_file_is_read_by_configobj(root: Path) -> None:
    write(root, "[core] # x\n'remote' = '''a b'''\n[\"remote 'x'\"]\n")
    with pytest.raises(ConfigError, match="unknown section"):
        load_config(str(root))
    write(root, "[ core ]\n  remote = 'a#b'   # why\n  site_cache_dir = /%(remote)s\n")
    assert load_config(str(root)).text("core", "site_cache_dir") == "/a#b"


MISTAKES = [
    # text, line, what, hint
    ("[core\nx=1\n", 1, "not of the form", "correct the line"),
    ("[core]\nremote\n", 2, "not of the form", "correct the line"),
    ("[core]\nremote = a\nremote = b\n", 3, "not of the form", "once"),
    ("[core]\nremote = a\n[core]\n", 3, "not of the form", "once"),
    ("remote = a\n", 1, "outside of a section", "[core]"),
    ("[cor]\nremote = a\n", 1, "unknown section [cor]", "did you mean 'core'?"),
    ("[core]\n\nremot = a\n", 3, "unknown option 'remot'", "did you mean 'remote'?"),
    ("[core]\nzzz = a\n", 2, "unknown option 'zzz'", "known are: "),
    ("[core]\nautostage = yes\n", 2, "must be true or false, not 'yes'", "autostage true"),
    ("[core]\nchecksum_jobs = 0\n", 2, "must be at least 1", "checksum_jobs 4"),
    ("[core]\nchecksum_jobs = many\n", 2, "must be a whole number", "checksum_jobs 4"),
    ("[core]\nremote = a, b\n", 2, "one value, not a list", "exp config core.remote"),
    ("[cache]\ntype = reflink,copi\n", 2, "must be some of reflink,", "cache.type reflink"),
    ("[cache]\nshared = all\n", 2, "must be group", "cache.shared group"),
    ("[parsing]\nbool = on\n", 2, "must be store_true or boolean_optional", "store_true"),
    ("['remote \"r\"']\njobs = 3\n", 1, "the remote 'r' has no url", "remote.r.url"),
    ("['remote \"r\"']\nurl = foo://x/y\n", 2, "url of an unknown kind", "s3://"),
    ("['remote \"r\"']\nurl = s3://x\nregio = q\n", 3, "option 'regio'", "did you mean 'region'?"),
    ("['remote \"r\"']\nurl = /x\nregion = q\n", 3, "unknown option 'region'", "known are: "),
    ("['remote \"r\"']\nurl = /x\njobs = q\n", 3, "must be a whole number", "jobs 4"),
    ("[core]\n[[remote]]\na = b\n", 1, "one value, not a list or a section", "exp config"),
]


@pytest.mark.parametrize(("text", "line", "what", "hint"), MISTAKES)
def test_mistakes_are_named_with_their_line(
    root: Path, text: str, line: int, what: str, hint: str
) -> None:
    path = write(root, text)
    with pytest.raises(ConfigError) as caught:
        load_config(str(root))
    error = caught.value
    assert what in error.what
    assert error.place is not None
    assert (error.place.file, error.place.line) == (str(path), line)
    assert hint in (error.hint or "")


def test_the_file_that_has_the_mistake_is_named(root: Path) -> None:
    write(root, "['remote \"r\"']\nurl = /x\n")
    path = write(root, "# mine\n['remote \"r\"']\nregion = q\n", "local")
    with pytest.raises(ConfigError) as caught:
        load_config(str(root))
    assert str(caught.value.place) == f"{path}:3"


def test_a_remote_may_be_spread_over_files(root: Path) -> None:
    write(root, "['remote \"r\"']\nurl = s3://x/y\n")
    write(root, "['remote \"r\"']\naccess_key_id = k\n", "local")
    assert load_config(str(root)).remotes["r"] == {"url": "s3://x/y", "access_key_id": "k"}


@pytest.mark.parametrize("data", [b"\xff\xfe[core]\n", b"[core]\nremote = \xe4\n"])
def test_a_file_that_is_no_text(root: Path, data: bytes) -> None:
    (root / ".dvc" / "config").write_bytes(data)
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_config(str(root))


def test_a_file_that_cannot_be_read(root: Path) -> None:
    (root / ".dvc" / "config").mkdir()
    with pytest.raises(ConfigError, match="cannot read the configuration"):
        load_config(str(root))
    (root / ".dvc" / "redoit.toml").mkdir()
    with pytest.raises(ConfigError, match="cannot read the settings"):
        load_settings(str(root))


def test_the_usual_files_need_no_parser(root: Path) -> None:
    """Starting must be quick: what DVC and `exp init` write is read without imports."""
    write(
        root, '[core]\n    remote = a\n[\'remote "a"\']\n    url = /x/y\n[cache]\n    type = "a"\n'
    )
    write(root, "[cache]\n    type = reflink,copy\n    dir = /c\n")
    write(root, '# Settings.\nhash = "xxh128"\n', "redoit")
    code = (
        "import sys; from redoit.config import *; root = sys.argv[1];"
        "assert load_config(root).cache_dir(root) == '/c'; assert load_settings(root).hash == 'xxh128';"
        "print({'configobj', 'tomllib', 'tomli'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(root)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "set()\n"


# --- redoit.toml ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "algo"),
    [
        (None, Algo.MD5),
        ("", Algo.MD5),
        ("# nothing\n", Algo.MD5),
        ('hash = "md5"\n', Algo.MD5),
        ('hash = "xxh128"', Algo.XXH128),
        ("\n  hash='xxh128'   # fast\r\n", Algo.XXH128),
        ('"hash" = """xxh128"""\n', Algo.XXH128),
    ],
)
def test_settings(root: Path, text: str | None, algo: Algo) -> None:
    if text is not None:
        write(root, text, "redoit")
    assert load_settings(str(root)).hash is algo


@pytest.mark.parametrize(
    ("text", "line", "what", "hint"),
    [
        ('has = "md5"\n', 1, "unknown setting 'has'", "did you mean 'hash'?"),
        ('hash = "sha1"\n', 1, "must be 'md5' or 'xxh128', not 'sha1'", "md5 is DVC's"),
        ("# x\nhash = 3\n", 2, "must be 'md5' or 'xxh128', not 3", "md5 is DVC's"),
        ("hash = []\n", 1, "must be 'md5' or 'xxh128', not []", "md5 is DVC's"),
        ('hash = "md5"\nhash = "md5"\n', 2, "not TOML", 'hash = "md5"'),
        ("hash = md5\n", 1, "not TOML", 'hash = "md5"'),
    ],
)
def test_mistakes_in_settings(root: Path, text: str, line: int, what: str, hint: str) -> None:
    path = write(root, text, "redoit")
    with pytest.raises(ConfigError) as caught:
        load_settings(str(root))
    assert what in caught.value.what
    assert caught.value.place is not None
    assert (caught.value.place.file, caught.value.place.line) == (str(path), line)
    assert hint in (caught.value.hint or "")


def test_settings_that_are_no_text(root: Path) -> None:
    (root / ".dvc" / "redoit.toml").write_bytes(b'hash = "md5" # \xff\n')
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_settings(str(root))
