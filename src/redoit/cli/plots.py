"""``exp plots``."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click

from redoit.api import Project
from redoit.cli import complete
from redoit.cli.options import one_of, quiet_option, traceback_option
from redoit.cli.values import DiffCommand
from redoit.errors import RedoitError, UsageError
from redoit.experiments.plot_definitions import PlotsAsked
from redoit.experiments.plots import Plots
from redoit.files import write_atomic
from redoit.printable import printable
from redoit.report.plots_json import plots_json, write_images
from redoit.report.plots_page import build_page, message
from redoit.report.plots_script import javascript
from redoit.report.plots_templates import BUILT_IN, FindTemplate, find_template
from redoit.report.plots_vega import fill

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_FIELDS = ("template", "x", "y", "title", "x_label", "y_label")
_OPTIONS = (
    click.option(
        "-t",
        "--template",
        metavar="NAME",
        help="Vega-Lite template: a built-in one, one in .dvc/plots, or a path.",
    ),
    click.option("-x", metavar="FIELD", help="Field on the x axis (default: the row's number)."),
    click.option("-y", metavar="FIELD", help="Field on the y axis (default: the last one)."),
    click.option(
        "--no-header", is_flag=True, help="Tables have no row of names: fields are 0, 1, 2, ..."
    ),
    click.option("--title", metavar="TEXT", help="Title of the plots."),
    click.option("--x-label", metavar="TEXT", help="Label of the x axis."),
    click.option("--y-label", metavar="TEXT", help="Label of the y axis."),
    click.option(
        "-o",
        "--out",
        metavar="DIR",
        help="Directory to write index.html into (default: plots.out_dir, or dvc_plots).",
    ),
    click.option(
        "--show-vega", is_flag=True, help="Print the Vega-Lite specification of the one target."
    ),
    click.option(
        "--json",
        "as_json",
        is_flag=True,
        help="Print JSON: what `dvc plots` prints. Images are written into --out.",
    ),
    click.option(
        "--split",
        is_flag=True,
        help="With --json: data and looks beside the templates, not in them.",
    ),
    click.option("--open", "open_it", is_flag=True, help="Open the page in the browser."),
    click.option(
        "--html-template",
        metavar="PATH",
        help="HTML page of your own, with {plot_divs} where the plots go.",
    ),
    quiet_option("Do not say where the page is."),
    traceback_option,
)


def _plot_options(command: Decorated) -> Decorated:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


class _Form(NamedTuple):
    """How plots are to be put out; each field is an option."""

    out: str | None
    show_vega: bool
    as_json: bool
    split: bool
    open_it: bool
    html_template: str | None
    quiet: bool


@click.group("plots")
def command() -> None:
    """Draw plots, of one or of several experiments."""


@command.command("show")
@click.argument("targets", nargs=-1, shell_complete=complete.plots)
@_plot_options
def _show(targets: tuple[str, ...], **options: Any) -> int:
    """Draw the plots of the workspace into one HTML page.

    TARGETS are files, directories, or names of plots in dvc.yaml; by default all plots of the
    project. The page needs no other file and no network.
    """
    form = _form(options, targets)
    project = Project()
    return _put_out(project, project.plots(_asked(targets, options)), form, options["template"])


@command.command("diff", cls=DiffCommand)
@click.argument("revisions", nargs=-1, shell_complete=complete.revisions)
@click.option(
    "--targets",
    multiple=True,
    metavar="PATH...",
    help="Only these files, directories, or plots of dvc.yaml.",
)
@_plot_options
def _diff(revisions: tuple[str, ...], targets: tuple[str, ...], **options: Any) -> int:
    """Draw the plots of several revisions, one over the other; images side by side.

    REVISIONS are experiments, commits, branches, tags, or "workspace". One alone is compared with
    the workspace; without any it is the workspace, and HEAD if they differ.
    """
    form = _form(options, targets)
    project = Project()
    plots = project.compare_plots(revisions, _asked(targets, options))
    return _put_out(project, plots, form, options["template"])


@command.command("templates")
@click.argument("template", required=False, shell_complete=complete.templates)
@traceback_option
def _templates(template: str | None) -> int:
    """List the built-in templates, or print TEMPLATE, to begin one of your own with."""
    if template is None:
        print("\n".join(BUILT_IN))
    elif template in BUILT_IN:
        print(json.dumps(BUILT_IN[template](), indent=2))
    else:
        raise UsageError(
            f"there is no template '{template}'",
            hint=f"the built-in ones are {', '.join(BUILT_IN)}",
        )
    return 0


def _form(options: dict[str, Any], targets: tuple[str, ...]) -> _Form:
    form = _Form(**{name: options[name] for name in _Form._fields})
    one_of(("--json", form.as_json), ("--show-vega", form.show_vega), ("--open", form.open_it))
    if form.split and not form.as_json:
        raise UsageError("--split says how JSON looks", hint="add --json")
    if form.show_vega and len(targets) != 1:
        raise UsageError("--show-vega needs one target", hint="name a plot or a file")
    return form


def _asked(targets: tuple[str, ...], options: dict[str, Any]) -> PlotsAsked:
    fields = {name: options[name] for name in _FIELDS if options[name] is not None}
    if options["no_header"]:
        fields["header"] = False
    return PlotsAsked(targets, fields, os.getcwd())


def _put_out(project: Project, plots: Plots, form: _Form, template: str | None) -> int:
    layout = project.layout

    def find(name: str | None) -> dict[str, Any]:
        return find_template(name, os.path.join(layout.dvc_dir, "plots"), os.getcwd(), layout.root)

    if template is not None:
        find(template)  # what the command line names is a mistake in it, not one of each plot
    _warn(plots)
    out = form.out or layout.config.text("plots", "out_dir") or "dvc_plots"
    if form.as_json:
        folder = os.path.abspath(out)
        write_images(plots, folder)
        print(json.dumps(plots_json(plots, find, folder, split=form.split)))
        return 0
    if form.show_vega:
        return _print_vega(plots, find)
    if not plots.plots and not plots.problems:
        if not form.quiet:
            print("there are no plots")
        return 0
    page = build_page(plots, find, javascript, _html_template(project, form.html_template))
    for name, what in page.faults:
        print(printable(f"warning: plot '{name}': {what}"), file=sys.stderr)
    path = Path(out).absolute() / "index.html"
    write_atomic(str(path), page.html.encode(), sync=False)
    if not form.quiet:
        print(path.as_uri())
    if form.open_it or layout.config.flag("plots", "auto_open"):
        _open(path)
    return 0 if page.drawn else 1


def _print_vega(plots: Plots, find: FindTemplate) -> int:
    for plot in plots.plots:
        if plot.points:
            print(json.dumps(fill(plot, find(plot.template)).content))
            return 0
    raise RedoitError(
        "the target has no points to draw",
        hint="images have no specification; `exp plots show` draws them",
    )


def _html_template(project: Project, named: str | None) -> str | None:
    if named is None:
        configured = project.layout.config.text("plots", "html_template")
        if configured is None:
            return None
        named = os.path.join(project.layout.dvc_dir, configured)
    try:
        return Path(named).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RedoitError(f"the HTML template {named} cannot be read: {error}") from None


def _open(path: Path) -> None:
    import webbrowser

    if not webbrowser.open(path.as_uri()):
        raise RedoitError(
            "no browser could be opened", hint=f"open {path.as_uri()}, or set BROWSER"
        )


def _warn(plots: Plots) -> None:
    """Say what cannot be read. That a revision has no such file is worth a word only if none has it."""
    for each in plots.problems:
        print(
            printable(f"warning: {each.rev} cannot be read: {each.problem.what}"), file=sys.stderr
        )
    for plot in plots.plots:
        for each in plot.problems:
            if not each.is_absent or plot.is_empty:
                rev, what = message(each)
                print(printable(f"warning: plot '{plot.name}' of {rev}: {what}"), file=sys.stderr)
