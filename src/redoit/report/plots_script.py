"""The JavaScript that draws plots: Vega, Vega-Lite and vega-embed, from the package vl-convert-python."""

from __future__ import annotations

import os
from importlib.metadata import version

from redoit.errors import RedoitError
from redoit.files import Kept


def javascript() -> str:
    """A script that defines ``vegaEmbed``. Raises RedoitError if the package is not installed.

    To build it takes seconds, so it is kept in the user's cache folder, not in the project: what came with a
    repository must not run in a browser.
    """
    try:
        package = version("vl-convert-python")
        kept = Kept(os.path.join(_user_cache(), "redoit"))
        script = kept.get("vega", package)
        if not isinstance(script, str):
            import vl_convert

            # Without a snippet it defines what a page needs; the types that it declares forgot about that.
            script = vl_convert.javascript_bundle()  # type: ignore[call-arg]
            kept.keep("vega", package, script, newest=2)
    except ImportError:  # PackageNotFoundError is one
        raise RedoitError(
            "drawing plots needs a package that is not installed",
            facts={"package": "vl-convert-python, which brings Vega-Lite"},
            hint="pip install 'redoit[plots]'",
        ) from None
    return script


def _user_cache() -> str:
    return os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
