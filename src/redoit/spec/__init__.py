"""Reading pipelines: ``dvc.yaml``, ``.dvc`` and params files → Stages."""

from __future__ import annotations

from redoit.spec.files import Files, WorkFiles
from redoit.spec.formats import read_data
from redoit.spec.ignore import Ignore, read_ignore
from redoit.spec.index import Index, load_index, read_index
from redoit.spec.params import ParamsFiles
from redoit.spec.pipeline import PlotSpec, TopLevel

__all__ = [
    "Files",
    "Ignore",
    "Index",
    "ParamsFiles",
    "PlotSpec",
    "TopLevel",
    "WorkFiles",
    "load_index",
    "read_data",
    "read_ignore",
    "read_index",
]
