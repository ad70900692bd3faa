"""What was run: ``dvc.lock``, the journal of the run in progress, the run cache, ``.dvc`` files."""

from redoit.trace.datafile import write_data_file
from redoit.trace.hashing import hash_experiment
from redoit.trace.migrate import migrate_traces
from redoit.trace.runcache import RunCache
from redoit.trace.traces import Traces

__all__ = ["RunCache", "Traces", "hash_experiment", "migrate_traces", "write_data_file"]
