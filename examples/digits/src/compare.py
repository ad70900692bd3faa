"""Compare the metrics of the models named by the arguments."""

import csv
import json
import sys
from pathlib import Path

names = sys.argv[1:]
results = Path("results")
accuracy = {
    name: json.loads((results / name / "metrics.json").read_text())["accuracy"] for name in names
}
ranked = sorted(names, key=accuracy.__getitem__, reverse=True)
best, second = ranked[0], ranked[1]

comparison = {
    "best": best,
    "accuracy": accuracy[best],
    "ahead_by": round(accuracy[best] - accuracy[second], 4),
}
(results / "comparison.json").write_text(json.dumps(comparison, indent=2) + "\n")

with (results / "comparison.csv").open("w", newline="") as file:
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(["model", "accuracy"])
    rows.writerows((name, accuracy[name]) for name in ranked)

print(f"{best} is ahead by {comparison['ahead_by']:.2%}")
