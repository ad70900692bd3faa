"""``exp init``."""

from __future__ import annotations

import click

from redoit.api import Project
from redoit.cli.options import quiet_option, traceback_option


@click.command("init")
@click.option(
    "--hash",
    "algo",
    type=click.Choice(["xxh128", "md5"]),
    default="xxh128",
    show_default=True,
    help="Digest that names content: xxh128 is many times faster, md5 is what DVC can read.",
)
@click.option("--subdir", is_flag=True, help="Make it in a sub-directory of a Git repository.")
@click.option("--no-scm", is_flag=True, help="Make it without Git; `exp run` will need Git.")
@click.option(
    "-f", "--force", is_flag=True, help="Replace the settings of a project; its cache is kept."
)
@quiet_option("Print nothing.")
@traceback_option
def command(algo: str, subdir: bool, no_scm: bool, force: bool, quiet: bool) -> int:
    """Make a project here.

    Writes .dvc/ and .dvcignore as `dvc init` does, adds them to Git's index, and for xxh128 also
    .dvc/redoit.toml.
    """
    project = Project.init(".", hash=algo, subdir=subdir, no_scm=no_scm, force=force)
    if not quiet:
        print(f"Made a project in {project.root}")
        if not no_scm:
            print("Its files are in Git's index: commit them when you like")
        if algo == "xxh128":
            print(
                "Content is named by xxh128, which DVC cannot read; `exp init --hash md5` if it should"
            )
    return 0
