"""Changing values in a document that keeps its comments: ruamel.yaml's and tomlkit's round trip."""

from __future__ import annotations

import copy
import io
import re
from typing import Any

from redoit.spec.source import Source


def edit_document(source: Source, new: dict[str, Any], *, shared: bool) -> str:
    """Round trip through ruamel.yaml. Without ``shared`` every alias is first written out."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 100_000
    mapping, offset = _indents(source.text)
    yaml.indent(mapping=mapping, sequence=offset + 2, offset=offset)
    try:
        document = yaml.load(source.text)
    except YAMLError:
        return dumped(new)
    if not isinstance(document, dict):
        # An empty file, perhaps with comments: they stay in front.
        return (
            source.text
            + ("" if source.text.endswith("\n") or not source.text else "\n")
            + (dumped(new))
        )
    if not shared:
        document = _unshared(document, set())
    merge(document, new)
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue()


def dumped(new: dict[str, Any]) -> str:
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 100_000
    out = io.StringIO()
    yaml.dump(new, out)
    return out.getvalue()


def _indents(text: str) -> tuple[int, int]:
    """How far mappings are indented, and how far the dashes of lists, by the first of each kind."""
    mapping = re.search(
        r"^( *)[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\n(?: *(?:#[^\n]*)?\n)*\1( +)[^\s#-]", text, re.M
    )
    dashes = re.search(
        r"^( *)[^\s#-][^\n]*:[ \t]*(?:#[^\n]*)?\n(?: *(?:#[^\n]*)?\n)*\1( *)- ", text, re.M
    )
    return len(mapping[2]) if mapping else 2, len(dashes[2]) if dashes else 0


def _unshared(node: Any, seen: set[int]) -> Any:
    """``node`` with every mapping and list at one place only, and without merge keys."""
    if not isinstance(node, dict | list):
        return node
    if id(node) in seen:
        node = copy.deepcopy(node)
    seen.add(id(node))
    if hasattr(node, "yaml_set_anchor"):
        node.yaml_set_anchor(None)
    if getattr(node, "merge", None):
        inherited = dict(node)
        node.merge.clear() if hasattr(node.merge, "clear") else None
        for key, value in inherited.items():
            node[key] = copy.deepcopy(value)
    for key in list(node) if isinstance(node, dict) else range(len(node)):
        node[key] = _unshared(node[key], seen)
    return node


def merge(node: Any, new: Any, *, whole_lists: bool = False) -> None:
    """Make the document's mapping or list ``node`` hold ``new``, touching only what differs."""
    if isinstance(new, dict):
        for key in [key for key in node if key not in new]:
            del node[key]
        for key, value in new.items():
            if key not in node:
                node[key] = value
            else:
                _put(node, key, value, whole_lists)
        return
    while len(node) > len(new):
        del node[-1]
    for index, value in enumerate(new):
        if index < len(node):
            _put(node, index, value, whole_lists)
        else:
            node.append(value)


def _put(node: Any, key: Any, value: Any, whole_lists: bool) -> None:
    here = node[key]
    if not value and isinstance(value, dict):
        node[key] = value  # a mapping that lost its last key is written wrongly
    elif (isinstance(here, dict) and isinstance(value, dict)) or (
        isinstance(here, list) and isinstance(value, list) and not whole_lists
    ):
        merge(here, value, whole_lists=whole_lists)
    elif not _is_same_scalar(here, value):
        node[key] = value


def _is_same_scalar(here: Any, value: Any) -> bool:
    """As ``same``, for a document's own scalars: subclasses of str, int and float that know their spelling."""
    if isinstance(here, bool) or isinstance(value, bool) or here is None or value is None:
        return type(here) is type(value) and bool(here == value)
    return any(
        isinstance(here, kind) and isinstance(value, kind) for kind in (str, int, float)
    ) and (bool(here == value) or (here != here and value != value))
