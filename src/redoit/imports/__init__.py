"""The imports room: data of other places and of other Git repositories, brought into the cache."""
