"""What the shell offers behind a command; found out by ``completions``, which is loaded when a shell asks."""

from __future__ import annotations

from redoit.late import late

stages = late("redoit.cli.completions", "stages")
experiments = late("redoit.cli.completions", "experiments")
tasks = late("redoit.cli.completions", "tasks")
revisions = late("redoit.cli.completions", "revisions")
remotes = late("redoit.cli.completions", "remotes")
plots = late("redoit.cli.completions", "plots")
templates = late("redoit.cli.completions", "templates")
overrides = late("redoit.cli.completions", "overrides")
