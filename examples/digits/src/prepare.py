"""Split the digits: 1,797 pictures of 8 × 8 pixels that ship inside scikit-learn."""

from pathlib import Path

import numpy as np
import yaml
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

params = yaml.safe_load(Path("params.yaml").read_text())["prepare"]

pixels, labels = load_digits(return_X_y=True)
train_x, test_x, train_y, test_y = train_test_split(
    pixels / 16.0,
    labels,
    test_size=params["test_share"],
    random_state=params["seed"],
    stratify=labels,
)

Path("data").mkdir(exist_ok=True)
np.savez("data/split.npz", train_x=train_x, train_y=train_y, test_x=test_x, test_y=test_y)
print(f"{len(train_y)} digits to train on, {len(test_y)} to test with")
