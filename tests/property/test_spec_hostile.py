"""Whatever stands in a project's files, reading ends with stages or with one error."""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from redoit.errors import SpecError
from redoit.project import Layout
from redoit.spec import ParamsFiles, load_index

FIELDS = (  # noqa: SIM905
    "stages vars params metrics plots artifacts cmd deps outs wdir foreach do matrix frozen meta desc cache persist"
    " remote path a b md5 repo url hash"
).split()
WORDS = (
    "", "a", "${a}", "${item}", "x ${a.b} ${key}", "params.yaml", "v.yaml:a", "..", "/", "s3://x", "ds://x", "x.dvc",
    "dvc.yaml", "\0", "${", "${}", "\\${a}", "a@b", "é",
)  # fmt: skip
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-2, 2**70)
    | st.floats()
    | st.sampled_from(WORDS)
    | st.text(max_size=3)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from((*FIELDS, "${a}", "")), inner, max_size=3)
    ),
    max_leaves=12,
)
stages = st.dictionaries(st.sampled_from(FIELDS), values, max_size=4).map(
    lambda fields: {"cmd": "x", **fields}
)
pipelines = st.fixed_dictionaries(
    {"stages": st.dictionaries(st.sampled_from(("s", "t", "a@b")), stages | values, max_size=2)},
    optional={
        "vars": st.lists(values, max_size=2),
        "metrics": values,
        "plots": values,
        "artifacts": values,
    },
)
documents = (
    pipelines.map(lambda value: json.dumps(value).encode())
    | values.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=40)
    | st.text(st.sampled_from("[]{}:,-& *!ab\n\t'\"|>%@#0<?="), max_size=40).map(str.encode)
)


@settings(max_examples=400, deadline=None)
@given(pipeline=documents, params=documents, data=st.none() | documents)
def test_reading_ends_well(pipeline: bytes, params: bytes, data: bytes | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        (root / ".dvc").mkdir()
        (root / ".dvc" / "config").write_text("[core]\n    no_scm = true\n")
        (root / "dvc.yaml").write_bytes(pipeline)
        (root / "params.yaml").write_bytes(params)
        if data is not None:
            (root / "data.dvc").write_bytes(data)
        layout = Layout(str(root))
        try:
            index = load_index(layout)
        except SpecError as error:
            assert error.place is not None
            assert error.hint, error.render()
            return
        # repr: not-a-number is not equal to itself.
        assert repr(load_index(layout)) == repr(index)
        files = ParamsFiles(layout)
        for stage in index.stages.values():
            for dep in stage.params:
                with contextlib.suppress(SpecError):
                    files.values(dep)
