"""Train the model named by the first argument."""

import sys
from pathlib import Path

import joblib
import numpy as np
import yaml
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

name = sys.argv[1]
params = yaml.safe_load(Path("params.yaml").read_text())
options, seed = params["models"][name], params["prepare"]["seed"]
features = np.load("data/features.npz")

if name == "forest":
    model = RandomForestClassifier(
        n_estimators=options["trees"], max_depth=options["depth"], random_state=seed
    )
elif name == "logistic":
    model = LogisticRegression(C=options["strength"], max_iter=options["iterations"])
else:
    sys.exit(f"no such model: {name}")

model.fit(features["train_x"], features["train_y"])

Path("models").mkdir(exist_ok=True)
joblib.dump(model, f"models/{name}.joblib")
print(
    f"{name}: {model.score(features['train_x'], features['train_y']):.1%} right on the training set"
)
