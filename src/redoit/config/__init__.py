"""What DVC's configuration and Redoit's own settings say: frozen values, no verbs."""

from __future__ import annotations

from redoit.config.load import load_config, load_settings
from redoit.config.values import Config, Settings

__all__ = ["Config", "Settings", "load_config", "load_settings"]
