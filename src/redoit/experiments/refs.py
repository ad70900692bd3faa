"""The experiments there are: listed by baseline, and found by what a user calls them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from redoit.errors import AmbiguousExperiment, ExperimentNotFound, GitError
from redoit.git import Git
from redoit.git_refs import first_parents, remote_refs, resolve

_REFS = "refs/exps/"
_REF = re.compile(r"refs/exps/([0-9a-f]{2})/([0-9a-f]{38}(?:[0-9a-f]{24})?)/([^/]+)")
_SHA = re.compile(r"[0-9a-f]{4,64}")


class Experiment(NamedTuple):
    """An experiment as Git has it. ``created``: by this call; else it was there before."""

    name: str
    rev: str
    ref: str
    baseline: str
    created: bool = False


class Selection(NamedTuple):
    """Experiments by their baselines: ``revs`` and ``num - 1`` commits before each; or all there are."""

    revs: tuple[str, ...] = ()
    num: int = 1
    all_commits: bool = False


def refs_of(baseline: str) -> str:
    """What the refs of all experiments on the commit ``baseline`` begin with."""
    return f"{_REFS}{baseline[:2]}/{baseline[2:]}/"


def ref_of(baseline: str, name: str) -> str:
    """The ref of the experiment ``name`` on the commit ``baseline``."""
    return f"{refs_of(baseline)}{name}"


def all_experiments(git: Git, remote: str | None = None) -> list[Experiment]:
    """Every experiment here, the newest first; or at the Git remote ``remote``, by ref."""
    if remote is None:
        pairs = [(ref.name, ref.rev) for ref in git.refs(_REFS)]
    else:
        pairs = sorted(remote_refs(git, remote, _REFS))
    return [found for ref, rev in pairs if (found := _parse(ref, rev))]


def _parse(ref: str, rev: str) -> Experiment | None:
    """None for DVC's own refs beside the experiments."""
    match = _REF.fullmatch(ref)
    return Experiment(match[3], rev, ref, match[1] + match[2]) if match else None


def select_experiments(
    git: Git, selection: Selection, remote: str | None = None
) -> list[Experiment]:
    """The experiments of ``selection``, those of one baseline together, newest baseline named first.

    Raises GitError for a revision that there is not.
    """
    found = all_experiments(git, remote)
    if selection.all_commits:
        order = list(dict.fromkeys(each.baseline for each in found))
    else:
        order = baselines(git, selection)
    by_baseline: dict[str, list[Experiment]] = {baseline: [] for baseline in order}
    for each in found:
        if each.baseline in by_baseline:
            by_baseline[each.baseline].append(each)
    return [each for group in by_baseline.values() for each in group]


def baselines(git: Git, selection: Selection) -> list[str]:
    """The commits that ``selection`` names. Raises GitError for one that there is not."""
    commits: dict[str, None] = {}
    for name in selection.revs:
        rev = resolve(git, name)
        if rev is None:
            raise GitError(
                f"'{name}' is no commit of this repository",
                hint="give a branch, a tag or the beginning of a commit's sha",
            )
        commits.update(dict.fromkeys(first_parents(git, rev, selection.num)))
    return list(commits)


def find_experiments(git: Git, names: Iterable[str], remote: str | None = None) -> list[Experiment]:
    """The experiments that ``names`` mean, each once: by name, full ref, or beginning of the sha.

    A name that several baselines have means the one on HEAD. Raises ExperimentNotFound naming all that
    there are not, with what may have been meant; AmbiguousExperiment.
    """
    known = all_experiments(git, remote)
    found: dict[str, Experiment] = {}
    unknown = []
    for name in names:
        experiment = _find(git, name, known)
        if experiment is None:
            unknown.append(name)
        else:
            found[experiment.ref] = experiment
    if unknown:
        raise _not_found(git, unknown, known, remote)
    return list(found.values())


def find_experiment(git: Git, name: str, remote: str | None = None) -> Experiment:
    """As ``find_experiments``, for one."""
    return find_experiments(git, [name], remote)[0]


def _find(git: Git, name: str, known: Sequence[Experiment]) -> Experiment | None:
    for alike in (
        [each for each in known if each.ref == name],
        [each for each in known if each.name == name],
        [each for each in known if _SHA.fullmatch(name) and each.rev.startswith(name)],
    ):
        if len(alike) > 1:
            head = resolve(git, "HEAD")
            alike = [each for each in alike if each.baseline == head] or alike
        if len({each.rev for each in alike}) == 1:
            return alike[0]
        if alike:
            raise AmbiguousExperiment(
                f"'{name}' may mean {len(alike)} experiments",
                facts={f"{i}": each.ref for i, each in enumerate(alike[:8], 1)},
                hint="give the whole ref of the one that you mean",
            )
    return None


def _not_found(
    git: Git, unknown: Sequence[str], known: Sequence[Experiment], remote: str | None
) -> ExperimentNotFound:
    from difflib import get_close_matches

    where = f" at '{remote}'" if remote else ""
    what = (
        f"there is no experiment '{unknown[0]}'{where}"
        if len(unknown) == 1
        else f"there are no experiments {', '.join(map(repr, unknown))}{where}"
    )
    names = list(dict.fromkeys(each.name for each in known))
    near = [m for name in unknown for m in get_close_matches(name, names, 1)]
    if near:
        hint = f"did you mean {' and '.join(map(repr, near))}?"
    elif remote is None and any(resolve(git, name) for name in unknown):
        hint = "it is a commit, but no experiment; `exp list -A` lists the experiments"
    else:
        hint = f"`exp list -A{' ' + remote if remote else ''}` lists all there are"
    return ExperimentNotFound(what, hint=hint)
