"""Plots as one HTML page that needs nothing else: no other file, no network."""

from __future__ import annotations

import base64
import hashlib
import json
import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Any, NamedTuple

from redoit.errors import RedoitError
from redoit.experiments.plot_data import media_type
from redoit.experiments.plots import Plot, Plots, Unreadable
from redoit.report.plots_look import PAGE, RUNNER
from redoit.report.plots_templates import BUILT_IN, FindTemplate
from redoit.report.plots_vega import fill

_MANY = 20_000
"""Points of a plot beyond which a browser would be busy for too long with finding those near to the pointer."""


class Page(NamedTuple):
    """A page, how many of its plots could be drawn, and what the matter is with templates: (plot, what)."""

    html: str
    drawn: int
    faults: tuple[tuple[str, str], ...] = ()


def build_page(
    plots: Plots,
    find_template: FindTemplate,
    script: Callable[[], str],
    html_template: str | None = None,
) -> Page:
    """All ``plots`` on one page. ``script`` gives the JavaScript that draws, if anything needs drawing.

    ``html_template``: a page with ``{plot_divs}`` where the plots go; the JavaScript goes where ``{scripts}`` stands,
    or behind them. Raises RedoitError if it has no place for plots, and what ``script`` raises.
    """
    sections = [
        _section(each, plots.revs, find_template) for each in sorted(plots.plots, key=_place)
    ]
    drawn = sum(section.is_drawn for section in sections)
    faults = tuple((each.name, each.fault) for each in sections if each.fault)
    messages = [_message(each.rev, each.problem.what) for each in plots.problems]
    title = "Plots of " + ", ".join(plots.revs)
    scripts = _scripts(script()) if any(each.needs_script for each in sections) else []
    parts = {
        "plot_divs": "\n".join([*messages, *(section.html for section in sections)]),
        "scripts": "\n".join(f"<script>{each}</script>" for each in scripts),
        "refresh_tag": "",
        "title": escape(title),
    }
    if html_template is None:
        return Page(_replaced(PAGE, {**parts, "policy": _policy(scripts)}), drawn, faults)
    if "{plot_divs}" not in html_template:
        raise RedoitError(
            "the HTML template has no {plot_divs}",
            hint="the plots go where that stands, the JavaScript where {scripts} does, or behind the plots",
        )
    if "{scripts}" not in html_template:
        parts["plot_divs"] += f"\n{parts['scripts']}"
    return Page(_replaced(html_template, {**parts, "title": "{title}"}), drawn, faults)


def _place(plot: Plot) -> tuple[Any, ...]:
    """Drawings come first, in their order; then images by folder, numbered ones by their number."""
    if not plot.is_image:
        return (False,)
    folder, name = posixpath.split(plot.name)
    stem = posixpath.splitext(name)[0]
    return True, folder, int(stem) if stem.isdecimal() else -1, name


class _Section(NamedTuple):
    name: str
    html: str
    is_drawn: bool
    needs_script: bool
    fault: str | None


def _section(plot: Plot, revs: Sequence[str], find_template: FindTemplate) -> _Section:
    notes = [_message(*message(each)) for each in plot.problems]
    body = ""
    fault = None
    if plot.images:
        body = f'<div class="images">{"".join(_figures(plot))}</div>'
    elif plot.points:
        try:
            template = find_template(plot.template)
            if len(plot.points) > _MANY and template == BUILT_IN["linear"]():
                template = BUILT_IN["simple"]()
                notes.append(
                    _message("", f"{len(plot.points):,} rows: without values at the pointer")
                )
            content = fill(plot, template, revs=revs).content
        except RedoitError as error:
            fault = error.what
            notes.append(_message("", fault))
        else:
            specification = _json(_without_frame(content, plot))
            body = (
                f'<div class="vega"><script type="application/json">{specification}</script></div>'
            )
    elif not notes:
        notes.append(_message("", "there are no rows with such fields"))
    name = "" if plot.title == plot.name else f"<code>{escape(plot.name)}</code>"
    head = f"<header><h2>{escape(plot.title)}</h2>{name}</header>"
    html = f"<section>{head}\n{body}{''.join(notes)}</section>"
    return _Section(plot.name, html, bool(body), bool(body) and not plot.is_image, fault)


def message(unreadable: Unreadable) -> tuple[str, str]:
    """(revision, what is wrong there)."""
    if unreadable.is_absent:
        return unreadable.rev, f"there is no {unreadable.source}"
    return unreadable.rev, unreadable.problem.what


def _message(rev: str, what: str) -> str:
    named = f"<b>{escape(rev)}</b> " if rev else ""
    return f'<p class="note">{named}{escape(what)}</p>'


def _figures(plot: Plot) -> Iterator[str]:
    kind = media_type(plot.name)
    for image in plot.images:
        data = base64.b64encode(image.data).decode()
        rev = escape(image.rev)
        yield (
            f'<figure><figcaption>{rev}</figcaption><img alt="{escape(plot.name)} of {rev}" '
            f'src="data:{kind};base64,{data}"></figure>'
        )


def _without_frame(content: dict[str, Any], plot: Plot) -> dict[str, Any]:
    """The specification without its title, if that is the heading already, and without the version it is for.

    Version 6 of Vega-Lite draws what was written for 5, but would say on the console that it is another.
    """
    title = content.get("title")
    text = title.get("text") if isinstance(title, dict) else title
    dropped = {"$schema", "title"} if text == plot.title else {"$schema"}
    return {key: value for key, value in content.items() if key not in dropped}


def _json(value: Any) -> str:
    """JSON that nothing in it can end the script element of."""
    text = json.dumps(value, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _scripts(script: str) -> list[str]:
    return [re.sub(r"<(?=/script|!--)", r"\\x3c", script, flags=re.IGNORECASE), RUNNER]


def _policy(scripts: Sequence[str]) -> str:
    """Which scripts the browser may run: these and no other, whatever else should get into the page."""
    digests = (hashlib.sha256(each.encode()).digest() for each in scripts)
    return " ".join(f"'sha256-{base64.b64encode(each).decode()}'" for each in digests) or "'none'"


def _replaced(page: str, parts: dict[str, str]) -> str:
    """``page`` with all ``{name}`` at once: what is put in is not looked at again."""
    return re.sub(r"\{(" + "|".join(parts) + r")\}", lambda found: parts[found[1]], page)
