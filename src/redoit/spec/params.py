"""Values that stages read from params files."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator, Sequence
from typing import Any

from redoit.errors import ParamsProblem
from redoit.files import digest_bytes
from redoit.model import ParamsDep, Place, RepoPath
from redoit.project import Layout
from redoit.spec.formats import read_values, suffix
from redoit.spec.source import Source, describe

_FORMAT = 1
"""Part of the name under which a parsed file is kept: raise it when reading changes."""
_WILD = frozenset("*?[")


class ParamsFiles:
    """The content of params files, each read once until it is forgotten."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._read: dict[RepoPath, dict[str, Any] | None] = {}

    def values(self, dep: ParamsDep) -> dict[str, Any] | None:
        """Key → value as ``dvc.lock`` has them; without keys, all of the file. None: there is no file.

        A key that the file does not have is absent. Raises ParamsProblem or SyntaxProblem if the file
        cannot be read, is not a mapping, or a key with wildcards stands for more than one value.
        """
        if dep.path not in self._read:
            self._read[dep.path] = self._load(dep.path)
        content = self._read[dep.path]
        if content is None or not dep.keys:
            return content
        result: dict[str, Any] = {}
        for key in dep.keys:
            found = select(content, key)
            if len(found) > 1:
                raise ParamsProblem(
                    f'param "{key}" stands for more than one value',
                    place=Place(dep.path),
                    hint="name each of them",
                )
            if found:
                result[key] = found[0]
        return result

    def forget(self, path: RepoPath) -> None:
        """Read ``path`` anew when it is asked for: a stage wrote it, or something above it."""
        inside = f"{path}/"
        for known in [p for p in self._read if p == path or p.startswith(inside)]:
            del self._read[known]

    def _load(self, path: RepoPath) -> dict[str, Any] | None:
        try:
            with open(self._layout.abspath(path), "rb") as file:
                data = file.read()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except IsADirectoryError:
            raise ParamsProblem(
                f"{path} is a directory, not a params file", hint="name a file in it"
            ) from None
        except OSError as error:
            raise ParamsProblem(
                f"cannot read the params file {path}: {os.strerror(error.errno or 0)}"
            ) from None
        key = f"{_FORMAT}{suffix(path)}-{digest_bytes(data)}"
        kept = self._layout.kept.get("params", key)
        if isinstance(kept, dict):
            return kept
        source = Source.decode(path, data)
        values = read_values(source)
        if not isinstance(values, dict):
            raise source.mistake(
                ParamsProblem,
                f"{path} must be a mapping of keys to values, not {describe(values)}",
                1,
                1,
            )
        self._layout.kept.keep("params", key, values, newest=64)
        return values


def select(content: Any, key: str) -> list[Any]:
    """The values that the dotted ``key`` stands for, at most two: more than one is a mistake.

    A part of the key may be an index of a list or hold wildcards; ``**`` stands for any number of parts.
    """
    if not key or key == "/":
        return [content]
    parts = key.lstrip(".").split(".")
    found: list[Any] = []
    for value in _select(content, parts):
        found.append(value)
        if len(found) > 1:
            break
    return found


def _select(node: Any, parts: Sequence[str]) -> Iterator[Any]:
    head, rest = parts[0], parts[1:]
    if head == "**":
        if rest:
            yield from _select(node, rest)
        for _, child in _children(node):
            if not rest:
                yield child
            yield from _select(child, parts)
        return
    if isinstance(node, dict) and head in node and not _WILD.intersection(head):
        chosen = [node[head]]
    else:
        chosen = [child for name, child in _children(node) if _matches(name, head, node)]
    for child in chosen:
        if rest:
            yield from _select(child, rest)
        else:
            yield child


def _children(node: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(node, dict):
        return iter(node.items())
    if isinstance(node, list | tuple | set):
        return iter(enumerate(node))
    return iter(())


def _matches(name: Any, pattern: str, node: Any) -> bool:
    if isinstance(name, str):
        return name == pattern or fnmatch.fnmatchcase(name, pattern)
    if isinstance(name, int):
        try:
            wanted = int(pattern)
        except ValueError:
            return fnmatch.fnmatchcase(str(name), pattern)
        return name == wanted or (not isinstance(node, dict) and name == wanted + len(node))
    return False
