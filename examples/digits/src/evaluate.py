"""Score the model named by the first argument on the test set: metrics, curves and a picture."""

import csv
import json
import sys
from pathlib import Path

import joblib
import matplotlib
import numpy as np
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    accuracy_score,
    confusion_matrix,
    f1_score,
    log_loss,
    roc_curve,
)

matplotlib.use("Agg")  # pictures into files; there may be no screen

name = sys.argv[1]
features = np.load("data/features.npz")
actual = features["test_y"]
model = joblib.load(f"models/{name}.joblib")
chances = model.predict_proba(features["test_x"])
predicted = model.classes_[chances.argmax(axis=1)]

results = Path("results") / name
results.mkdir(parents=True, exist_ok=True)

metrics = {
    "accuracy": round(float(accuracy_score(actual, predicted)), 4),
    "f1": round(float(f1_score(actual, predicted, average="macro")), 4),
    "log_loss": round(float(log_loss(actual, chances)), 4),
}
(results / "metrics.json").write_text(json.dumps(metrics, indent=2) + "\n")

# Ten digits, ten curves; one curve for "this digit or not", over all of them.
is_digit = (actual[:, None] == model.classes_).ravel()
false_positive, true_positive, _ = roc_curve(is_digit, chances.ravel())
with (results / "roc.csv").open("w", newline="") as file:
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(["false_positive", "true_positive"])
    rows.writerows(zip(false_positive.round(5), true_positive.round(5), strict=True))

with (results / "confusion.csv").open("w", newline="") as file:
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(["actual", "predicted"])
    rows.writerows(zip(actual, predicted, strict=True))

picture = ConfusionMatrixDisplay(confusion_matrix(actual, predicted), display_labels=model.classes_)
picture.plot(cmap="Blues", colorbar=False)
picture.ax_.set_title(f"{name}: {metrics['accuracy']:.1%} right")
# Without the version of matplotlib in the file, equal pictures are equal files.
picture.figure_.savefig(results / "confusion.png", dpi=100, metadata={"Software": None})

print(f"{name}: {metrics['accuracy']:.1%} right on the test set")
