"""Turn pixels into principal components, fitted on the training set alone."""

from pathlib import Path

import numpy as np
import yaml
from sklearn.decomposition import PCA

params = yaml.safe_load(Path("params.yaml").read_text())["featurize"]
split = np.load("data/split.npz")

pca = PCA(n_components=params["components"], svd_solver="full").fit(split["train_x"])

np.savez(
    "data/features.npz",
    train_x=pca.transform(split["train_x"]),
    train_y=split["train_y"],
    test_x=pca.transform(split["test_x"]),
    test_y=split["test_y"],
)
kept = pca.explained_variance_ratio_.sum()
print(f"{pca.n_components_} components keep {kept:.1%} of the variance")
