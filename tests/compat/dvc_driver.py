"""Runs inside DVC's own Python: executes many DVC commands, importing DVC once.

Reads requests as JSON lines from stdin, ``{"args": [...], "cwd": "...", "env": {...}}``, and answers
each with ``{"code": 0, "stdout": "...", "stderr": "..."}``. Each command runs in a forked child,
so that nothing of it stays behind. It knows nothing of this project.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import sys
import tempfile
import traceback

PRELOADED = (
    "antlr4.LL1Analyzer",
    "celery.app.amqp",
    "celery.bootsteps",
    "celery.canvas",
    "celery.concurrency",
    "celery.fixups.django",
    "celery.loaders.app",
    "celery.worker",
    "dulwich.filters",
    "dulwich.gc",
    "dulwich.line_ending",
    "dulwich.porcelain",
    "dulwich.stash",
    "dulwich.worktree",
    "dvc._debug",
    "dvc.cachemgr",
    "dvc.cli",
    "dvc.cli.parser",
    "dvc.commands.repro",
    "dvc.commands.status",
    "dvc.data_cloud",
    "dvc.dependency",
    "dvc.dirs",
    "dvc.logger",
    "dvc.output",
    "dvc.render.convert",
    "dvc.render.match",
    "dvc.repo",
    "dvc.repo.artifacts",
    "dvc.repo.brancher",
    "dvc.repo.datasets",
    "dvc.repo.experiments.apply",
    "dvc.repo.experiments.brancher",
    "dvc.repo.experiments.collect",
    "dvc.repo.experiments.diff",
    "dvc.repo.experiments.executor.local",
    "dvc.repo.experiments.ls",
    "dvc.repo.experiments.queue.celery",
    "dvc.repo.experiments.queue.tempdir",
    "dvc.repo.experiments.remove",
    "dvc.repo.experiments.run",
    "dvc.repo.experiments.save",
    "dvc.repo.experiments.show",
    "dvc.repo.graph",
    "dvc.repo.index",
    "dvc.repo.init",
    "dvc.repo.open_repo",
    "dvc.repo.plots",
    "dvc.repo.reproduce",
    "dvc.repo.stage",
    "dvc.repo.status",
    "dvc.repo.trie",
    "dvc.repo.worktree",
    "dvc.stage.cache",
    "dvc.stage.loader",
    "dvc.stage.run",
    "dvc.ui.table",
    "dvc.utils.hydra",
    "dvc.utils.strictyaml",
    "dvc_data.fs",
    "dvc_data.hashfile._progress",
    "dvc_data.hashfile.build",
    "dvc_data.hashfile.checkout",
    "dvc_data.hashfile.db.local",
    "dvc_data.hashfile.status",
    "dvc_data.index",
    "dvc_data.index.checkout",
    "dvc_data.index.collect",
    "dvc_data.index.fetch",
    "dvc_data.index.push",
    "dvc_task.app",
    "dvc_task.proc",
    "fsspec.implementations.memory",
    "git",
    "hydra",
    "networkx",
    "pygit2",
    "pygtrie",
    "rich.emoji",
    "rich.highlighter",
    "rich.json",
    "rich.table",
    "ruamel.yaml",
    "ruamel.yaml.mergevalue",
    "scmrepo.fs",
    "scmrepo.git",
    "scmrepo.git.backend.pygit2.filter",
)


def pin_orders() -> None:
    """Give DVC one order where it has several.

    Two things make the order of its stages differ from run to run: views of graphs walk a Python
    set when few nodes are selected, so that the order hangs on string hashes, and folders are read
    in the order of the file system. Each order is as good as another; these are the ones that
    both have in common with the usual case: the order of the graph, and names sorted.
    """
    import networkx.classes.coreviews as views

    def in_graph_order(self):
        return (node for node in self._atlas if self.NODE_OK(node))

    views.FilterAtlas.__iter__ = in_graph_order
    views.FilterAdjacency.__iter__ = in_graph_order
    walk = os.walk

    def sorted_walk(top, topdown=True, onerror=None, followlinks=False):
        for folder, folders, files in walk(top, topdown, onerror, followlinks):
            folders.sort()
            yield folder, folders, sorted(files)

    os.walk = sorted_walk


def build_parser() -> None:
    """Build the parser of DVC's command line once: it would be half of a short command."""
    from dvc.cli import parser

    built = parser.get_main_parser()
    parser.get_main_parser = lambda: built


def child(request: dict, out: int, err: int) -> int:
    """One DVC command with its output going to the descriptors ``out`` and ``err``."""
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.environ.clear()
    os.environ.update(request["env"])
    os.chdir(request["cwd"])
    from dvc.cli import main

    return main(request["args"])


def execute(request: dict) -> dict:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        pid = os.fork()
        if pid == 0:
            code = 255
            try:
                code = child(request, out.fileno(), err.fileno()) or 0
            except SystemExit as stop:
                code = int(stop.code or 0)
            except Exception:  # noqa: BLE001 (reported as the command's own failure)
                traceback.print_exc()
            finally:
                with contextlib.suppress(Exception):
                    sys.stdout.flush()
                    sys.stderr.flush()
                os._exit(code)
        _, status = os.waitpid(pid, 0)
        out.seek(0)
        err.seek(0)
        return {
            "code": os.waitstatus_to_exitcode(status),
            "stdout": out.read().decode(errors="replace"),
            "stderr": err.read().decode(errors="replace"),
        }


def serve() -> None:
    answers = os.fdopen(os.dup(1), "w")
    requests = os.fdopen(os.dup(0))
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    for name in PRELOADED:
        with contextlib.suppress(ImportError):  # only a saving of time
            importlib.import_module(name)
    pin_orders()
    build_parser()
    gc.freeze()  # what is here stays: no child looks through it
    for line in requests:
        answers.write(json.dumps(execute(json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    serve()
