"""The data room: what a project's data are, and moving them between workspace, cache and remotes."""
