"""The graph as text, Mermaid and DOT."""

from __future__ import annotations

from redoit.model import Address, RepoPath, Stage
from redoit.report import dag


def picture(edges: dict[str, str], *, full: bool = False) -> dag.Picture:
    """``{"train": "prepare raw.dvc"}``; ``x@y`` is a member of the group ``x``."""
    stages = {}
    for address in edges:
        name = address.rpartition(":")[2]
        group = name.partition("@")[0] if "@" in name else None
        cmd = None if name.endswith(".dvc") else "true"
        stages[Address(address)] = Stage(
            Address(address), name, RepoPath("dvc.yaml"), RepoPath(""), cmd, group=group
        )
    upstream = {Address(a): tuple(map(Address, found.split())) for a, found in edges.items()}
    return dag.picture(stages, upstream, full=full)


DIGITS = {
    "compare": "evaluate@lr evaluate@svm",
    "evaluate@lr": "train@lr featurize",
    "evaluate@svm": "train@svm featurize",
    "featurize": "prepare",
    "prepare": "raw.dvc",
    "raw.dvc": "",
    "train@lr": "featurize",
    "train@svm": "featurize",
}


def test_groups_are_drawn_as_one() -> None:
    assert dag.text(picture(DIGITS)) == [
        "○ raw.dvc",
        "● prepare",
        "● featurize",
        "├─╮",
        "● │ train (2 stages)",
        "╰─┤",
        "  ● evaluate (2 stages)",
        "  ● compare",
    ]


def test_full_draws_every_member() -> None:
    assert dag.text(picture(DIGITS, full=True)) == [
        "○ raw.dvc",
        "● prepare",
        "● featurize",
        "├─┬─┬─╮",
        "● │ │ │ train@lr",
        "╰─┤ │ │",
        "  ● │ │ evaluate@lr",
        "  │ ● │ train@svm",
        "  │ ╰─┤",
        "  │   ● evaluate@svm",
        "  ├───╯",
        "  ● compare",
    ]


def test_separate_graphs_stand_one_below_the_other() -> None:
    assert dag.text(picture({"a": "", "b": "a", "c": ""})) == ["● a", "● b", "● c"]


def test_a_line_that_only_passes_is_not_joined() -> None:
    assert dag.text(picture({"a": "", "b": "a", "c": "a b", "d": "", "e": "d b"})) == [
        "● a",
        "├─╮",
        "● │ b",
        "├─┤",
        "│ ● c",
        "│ ● d",
        "├─╯",
        "● e",
    ]


def test_groups_whose_members_alternate_are_drawn_in_full() -> None:
    edges = {"a@1": "", "b@1": "a@1", "a@2": "b@1", "z@1": "a@2", "z@2": "a@2"}
    assert dag.text(picture(edges)) == ["● a@1", "● b@1", "● a@2", "● z (2 stages)"]


def test_groups_of_several_files_stay_apart() -> None:
    edges = {"t@1": "", "t@2": "", "sub/dvc.yaml:t@1": "t@1"}
    assert dag.text(picture(edges)) == ["● t (2 stages)", "● sub/dvc.yaml:t@1"]


def test_a_wide_graph_is_listed_by_level() -> None:
    edges = {f"s{i}": "" for i in range(12)}
    edges |= {f"t{i}": " ".join(f"s{k}" for k in range(12)) for i in range(12)}
    lines = dag.text(picture({**edges, "end": "t0"}))
    assert lines[:3] == ["Level  Stage  depends on", "    1  s0", "       s1"]
    assert lines[13] == "    2  t0     ← s0, s1, s2, s3, s4 and 7 more"
    assert lines[-1] == "    3  end    ← t0"


def test_a_wide_fan_in_is_still_a_drawing() -> None:
    edges = {f"s{i}": "" for i in range(12)}
    lines = dag.text(picture({**edges, "sum": " ".join(edges)}))
    assert lines[:3] == ["● s0", "│ ● s1", "├─╯"]


def test_a_thousand_stages_stay_readable() -> None:
    chain = {f"s{i}": f"s{i - 1}" if i else "" for i in range(1000)}
    assert dag.text(picture(chain)) == [f"● s{i}" for i in range(1000)]
    layers = {
        f"l{i}_{j}": " ".join(f"l{i - 1}_{(j + k) % 40}" for k in range(3)) if i else ""
        for i in range(25)
        for j in range(40)
    }
    lines = dag.text(picture(layers))
    assert len(lines) == 1001
    assert max(map(len, lines)) < 60


def test_nothing_to_draw() -> None:
    assert dag.text(picture({})) == ["There are no stages"]
    assert dag.mermaid(picture({})) == ["flowchart TD"]


def test_mermaid() -> None:
    assert dag.mermaid(picture({"raw.dvc": "", 'say "hi"': "raw.dvc", "t@1": "raw.dvc"})) == [
        "flowchart TD",
        '\tnode1[("raw.dvc")]',
        '\tnode2["say &quot;hi&quot;"]',
        '\tnode3["t@1"]',
        "\tnode1 --> node2",
        "\tnode1 --> node3",
    ]


def test_dot() -> None:
    assert dag.dot(picture({"raw.dvc": "", "b": "raw.dvc"})) == [
        "digraph {",
        '    "raw.dvc" [label="raw.dvc", shape=cylinder];',
        '    "b" [label="b", shape=box];',
        '    "raw.dvc" -> "b";',
        "}",
    ]
