"""Phases of a run: inner time is not outer time, and the main thread's adds up."""

from __future__ import annotations

import json
import threading

from redoit.model import Address, Outcome, RunResult, StageResult
from redoit.profile import Phase, Profile, Spent, Unprofiled
from redoit.report.profile import profile_json, profile_table


class Clock:
    """Stands still until it is told to go on."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def made() -> tuple[Profile, Clock]:
    clock = Clock()
    return Profile(clock=clock, start=lambda: 0.25), clock


def test_inner_time_is_not_outer_time_and_all_adds_up() -> None:
    profile, clock = made()
    clock.now += 1  # of no phase
    with profile.phase(Phase.CHECK):
        clock.now += 2
        for _ in range(2):
            with profile.phase(Phase.COMMAND):
                clock.now += 10
                with profile.phase(Phase.COMMIT):
                    clock.now += 3
        clock.now += 4
    assert profile.spent() == [
        Spent(Phase.START, 0.25, 0, 1),
        Spent(Phase.CHECK, 6, 0, 1),
        Spent(Phase.COMMAND, 20, 0, 2),
        Spent(Phase.COMMIT, 6, 0, 2),
        Spent(Phase.OTHER, 1, 0, 1),
    ]


def test_time_counts_although_an_error_ends_the_phase() -> None:
    profile, clock = made()
    try:
        with profile.phase(Phase.LOAD):
            clock.now += 1
            raise KeyError
    except KeyError:
        clock.now += 1
    assert profile.spent()[1:] == [Spent(Phase.LOAD, 1, 0, 1), Spent(Phase.OTHER, 1, 0, 1)]


def test_workers_have_a_column_of_their_own() -> None:
    profile, clock = made()

    def work() -> None:
        with profile.phase(Phase.COMMAND):
            clock.now += 5

    with profile.phase(Phase.WAIT):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert profile.spent()[1:3] == [Spent(Phase.WAIT, 5, 0, 1), Spent(Phase.COMMAND, 0, 5, 1)]
    lines = profile_table(profile.spent()).splitlines()
    assert lines[0] == "phase        seconds  share  in workers"
    assert lines[2] == "wait           5.000  95.2%              nothing to do but wait for stages"
    assert lines[3] == "command        0.000   0.0%       5.000  the commands themselves"
    assert lines[-1] == "total          5.250"


def test_nothing_is_measured_for_those_who_do_not_ask() -> None:
    phases = Unprofiled()
    assert phases.phase(Phase.LOAD) is phases.phase(Phase.CHECK)


def test_json_has_the_stages_that_took_time_the_longest_first() -> None:
    profile, _ = made()
    stages = [("a", 1.0), ("b", 3.0), ("c", 0.0)]
    result = RunResult(
        tuple(StageResult(Address(name), Outcome.RAN, (), took) for name, took in stages)
    )
    whole = json.loads(profile_json(profile.spent(), result))
    assert whole["seconds"] == 0.25
    assert [phase["phase"] for phase in whole["phases"]] == ["start", "other"]
    assert [stage["stage"] for stage in whole["stages"]] == ["b", "a"]
