"""Runs in DVC's environment: applies overrides to params files as ``dvc exp run -S`` does.

Standard input: a JSON list of [file, [override, ...]]. Standard output: for each, the file's values as DVC
reads them then, or null if DVC refused. The files are changed in place.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def main() -> None:
    from dvc.fs import LocalFileSystem
    from dvc.utils.hydra import apply_overrides
    from dvc.utils.serialize import load_path

    answers: list[Any] = []
    for file, overrides in json.load(sys.stdin):
        try:
            apply_overrides(file, overrides)
            answers.append({"values": load_path(file, LocalFileSystem())})
        except Exception as error:  # noqa: BLE001 - whatever DVC raises is a refusal
            answers.append({"refused": f"{type(error).__name__}: {error} / {error.__cause__}"})
    json.dump(answers, sys.stdout, default=repr)


if __name__ == "__main__":
    main()
