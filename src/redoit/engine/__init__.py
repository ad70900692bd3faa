"""Running stages with doit: the only room that knows it."""
