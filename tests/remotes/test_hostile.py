"""A project's configuration that would run a program, or have one run, when data are got."""

from __future__ import annotations

from pathlib import Path

import pytest

from redoit.errors import RemoteError
from tests.remotes.conftest import Data
from tests.remotes.servers import Place


def pulled(root: Path, url: str, **options: str) -> RemoteError:
    data = Data(root, Place(url, options))
    (root / "x.dvc").write_text(f"outs:\n- md5: {'a' * 32}\n  hash: md5\n  path: x\n")
    try:
        with pytest.raises(RemoteError) as raised:
            data.project.data.push()
    finally:
        data.close()
    return raised.value


@pytest.mark.parametrize("option", ["configpath", "credentialpath"])
def test_aws_files_of_a_project_run_nothing(tmp_path: Path, option: str) -> None:
    """``credential_process`` names a program: in ``~/.aws`` it is the user's own, in a project it is anyone's."""
    root = tmp_path / "repo"
    root.mkdir()
    evil = f"credential_process = touch {root / 'hacked'}\n"
    section = "[profile work]\n" if option == "configpath" else "[work]\n"
    (root / "aws").write_text(section + evil)
    options = {option: str(root / "aws"), "profile": "work", "region": "us-east-1"}
    error = pulled(root, "s3://bucket/x", endpointurl="http://127.0.0.1:9", **options)
    assert "credentials" in str(error.facts["because"])
    assert not (root / "hacked").exists()


@pytest.mark.parametrize(
    "where", ["$(touch hacked)", "`touch hacked`", "-oProxyCommand=touch hacked", "a b", "x;y"]
)
@pytest.mark.parametrize("part", ["host", "user"])
def test_names_for_ssh_are_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, part: str
) -> None:
    """A ``ProxyCommand`` of the user's own may give them to a shell."""
    home = tmp_path / "home" / ".ssh"
    home.mkdir(parents=True)
    (home / "config").write_text("Host *\n  ProxyCommand sh -c 'echo %r@%h >> log; exit 1'\n")
    root = tmp_path / "repo"
    monkeypatch.chdir(tmp_path)
    if part == "host":
        error = pulled(root, f"ssh://{where}/path")
    else:
        error = pulled(root, "ssh://127.0.0.1/path", user=where)
    assert "is no name" in error.what
    assert not (tmp_path / "hacked").exists()
    assert not (tmp_path / "log").exists()
