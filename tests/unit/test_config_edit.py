"""``exp config``: reading and changing single options without disturbing the rest of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from redoit.config import load_config, load_settings
from redoit.config.edit import get_option, list_options, set_option, unset_option
from redoit.errors import ConfigError, NotAProject, RedoitError, UsageError
from redoit.model import Algo

BEFORE = """\
# The team's settings.
[core]
    # where everything goes
    remote = store    # the usual one
['remote "store"']
    url = /srv/data
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DVC_SYSTEM_CONFIG_DIR", str(tmp_path / "system"))
    monkeypatch.setenv("DVC_GLOBAL_CONFIG_DIR", str(tmp_path / "global"))
    root = tmp_path / "p"
    (root / ".dvc").mkdir(parents=True)
    (root / ".dvc" / "config").write_text(BEFORE)
    return root


def text(root: Path, name: str = "config") -> str:
    return (root / ".dvc" / name).read_text()


def change(root: Path, name: str, value: str, level: str | None = None) -> str:
    return set_option(str(root), name, value, level, cwd=str(root))


def test_get_and_list(root: Path) -> None:
    change(root, "core.remote", "other", "local")
    found = get_option(str(root), "core.remote")
    assert found is not None
    assert (found.value, found.level) == ("other", "local")
    project = get_option(str(root), "core.remote", "project")
    assert project is not None
    assert project.value == "store"
    assert get_option(str(root), "core.autostage") is None
    assert [(o.name, o.value, o.level) for o in list_options(str(root))] == [
        ("core.remote", "store", "project"),
        ("remote.store.url", "/srv/data", "project"),
        ("core.remote", "other", "local"),
    ]


def test_comments_and_order_stay(root: Path) -> None:
    change(root, "core.autostage", "true")
    change(root, "remote.store.jobs", "4")
    assert (
        text(root)
        == BEFORE.replace("# the usual one\n", "# the usual one\n    autostage = true\n")
        + "    jobs = 4\n"
    )
    unset_option(str(root), "core.autostage")
    unset_option(str(root), "remote.store.jobs")
    assert text(root) == BEFORE


def test_a_new_file_looks_as_dvc_writes_it(root: Path) -> None:
    change(root, "cache.type", "reflink,copy", "local")
    change(root, "remote.Mine.url", "s3://a/b#c", "local")
    assert text(root, "config.local") == (
        '[cache]\n    type = "reflink,copy"\n[\'remote "mine"\']\n    url = "s3://a/b#c"\n'
    )
    assert load_config(str(root)).cache_types() == ("reflink", "copy")
    assert load_config(str(root)).remotes["mine"]["url"] == "s3://a/b#c"


def test_an_empty_section_goes(root: Path) -> None:
    change(root, "exp.auto_push", "true")
    unset_option(str(root), "exp.auto_push")
    assert "[exp]" not in text(root)


def test_paths_are_kept_relative_to_the_file(root: Path, tmp_path: Path) -> None:
    set_option(str(root), "cache.dir", "big", cwd=str(root / "sub"))
    assert "dir = ../sub/big" in text(root)
    assert load_config(str(root)).cache_dir(str(root)) == str(root / "sub" / "big")
    found = get_option(str(root), "cache.dir")
    assert found is not None
    assert found.value == str(root / "sub" / "big")
    set_option(str(root), "remote.r.url", "data", "global", cwd=str(tmp_path))
    assert "url = ../data" in (tmp_path / "global" / "config").read_text()


@pytest.mark.parametrize(
    ("name", "value", "kind", "message"),
    [
        ("core.autostag", "true", UsageError, "did you mean 'autostage'?"),
        ("cor.autostage", "true", UsageError, "did you mean 'core'?"),
        ("autostage", "true", UsageError, "names look like"),
        ("remote.url", "true", UsageError, "names look like"),
        ("remote.r.ulr", "true", UsageError, "did you mean 'url'?"),
        ("core.autostage", "maybe", ConfigError, "must be true or false"),
        ("remote.new.jobs", "4", ConfigError, "has no url"),
        ("remote.store.region", "eu", ConfigError, "unknown option 'region'"),
        ("redoit.hash", "sha1", ConfigError, "must be 'md5' or 'xxh128'"),
        ("redoit.hsah", "md5", UsageError, "did you mean 'hash'?"),
    ],
)
def test_what_is_wrong_is_not_written(
    root: Path, name: str, value: str, kind: type[RedoitError], message: str
) -> None:
    with pytest.raises(kind) as caught:
        change(root, name, value)
    assert message in caught.value.render()
    assert text(root) == BEFORE
    assert not (root / ".dvc" / "redoit.toml").exists()


def test_unset_what_is_not_set(root: Path) -> None:
    for name in ("core.autostage", "redoit.hash", "remote.other.url"):
        with pytest.raises(ConfigError, match="is not set there"):
            unset_option(str(root), name)
    # The remote would be left without its url, were it not alone in its section.
    change(root, "remote.store.jobs", "4")
    with pytest.raises(ConfigError, match="has no url"):
        unset_option(str(root), "remote.store.url")


def test_levels(root: Path, tmp_path: Path) -> None:
    assert set_option(None, "core.remote", "x", "global", cwd="/") == str(
        tmp_path / "global" / "config"
    )
    with pytest.raises(NotAProject):
        set_option(None, "core.remote", "x", cwd="/")
    with pytest.raises(UsageError):
        list_options(str(root), "galaxy")
    with pytest.raises(UsageError):
        change(root, "redoit.hash", "md5", "global")
    with pytest.raises(NotAProject):
        set_option(None, "redoit.hash", "md5", cwd="/")


def test_redoits_own_settings(root: Path) -> None:
    file = change(root, "redoit.hash", "xxh128")
    assert file == str(root / ".dvc" / "redoit.toml")
    assert load_settings(str(root)).hash is Algo.XXH128
    (root / ".dvc" / "redoit.toml").write_text("# Ours.\nhash = 'xxh128'\n# end\n")
    change(root, "redoit.hash", "md5")
    assert text(root, "redoit.toml") == '# Ours.\nhash = "md5"\n# end\n'
    assert [o.name for o in list_options(str(root), "project")][-1] == "redoit.hash"
    unset_option(str(root), "redoit.hash")
    assert text(root, "redoit.toml") == "# Ours.\n# end\n"


def test_a_broken_file_is_named_not_replaced(root: Path) -> None:
    (root / ".dvc" / "config").write_text("[core\n")
    with pytest.raises(ConfigError) as caught:
        change(root, "core.remote", "x")
    assert caught.value.place is not None
    assert caught.value.place.line == 1
    assert text(root) == "[core\n"
