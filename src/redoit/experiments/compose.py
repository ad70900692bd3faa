"""Hydra's composition of a configuration out of groups of files: ``hydra.*`` in ``.dvc/config``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from redoit.errors import ConfigError
from redoit.project import Layout


def compose(layout: Layout, overrides: Sequence[str]) -> bytes:
    """The configuration that Hydra composes, ``${...}`` resolved, as the content of ``params.yaml``.

    Raises ConfigError with what Hydra says.
    """
    from hydra import compose as compose_config
    from hydra import initialize_config_dir, initialize_config_module
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    config = layout.config
    module = config.hydra_config_module
    folder = os.path.join(layout.root, config.hydra_config_dir or "conf")
    name = config.hydra_config_name or "config"
    if module is None and not os.path.isdir(folder):
        raise ConfigError(
            "the folder that hydra.config_dir names is not there",
            facts={"folder": folder},
            hint="make it, or name another: `exp config hydra.config_dir conf`",
        )
    try:
        with _plugins(os.path.join(layout.root, config.hydra_plugins_path or "")):
            opened: Any = (
                initialize_config_dir(folder, version_base=None)
                if module is None
                else initialize_config_module(module, version_base=None)
            )
            with opened:
                composed = compose_config(config_name=name, overrides=list(overrides))
        OmegaConf.resolve(composed)
        return OmegaConf.to_yaml(composed).encode()
    except (HydraException, OmegaConfBaseException, ImportError) as error:
        first, _, more = str(error).strip().partition("\n")
        raise ConfigError(
            "Hydra cannot compose the configuration",
            facts={
                "from": module if module is not None else os.path.join(folder, f"{name}.yaml"),
                "overrides": " ".join(overrides) or "none",
                "Hydra says": "; ".join(
                    [first, *(row.strip() for row in more.splitlines() if row.strip())]
                ),
            },
            hint="`exp run --no-hydra` leaves params.yaml as it is",
        ) from None


@contextmanager
def _plugins(folder: str) -> Iterator[None]:
    """Let Hydra find its plug-ins in ``folder`` (a package ``hydra_plugins`` there)."""
    from hydra.core.plugins import Plugins

    sys.path.append(folder)
    try:
        Plugins.instance()
        yield
    finally:
        sys.path.remove(folder)
