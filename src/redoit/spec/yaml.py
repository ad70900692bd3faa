"""YAML 1.2 as DVC reads it, built straight from the parser's events.

Only plain values are ever made: no tag constructs a Python object. Nothing recurses over the depth of
the document, so no text can overflow the stack. The fast path keeps no positions; ``locate`` reads the
text again to find them when there is a mistake to report.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from redoit.errors import SpecError, SyntaxProblem
from redoit.spec.scalars import TAGGED, plain
from redoit.spec.source import Source, describe
from redoit.spec.syntax import CONFLICT, malformed, unreadable

_PREFIX = "tag:yaml.org,2002:"
_DEPTH = 100
"""Levels of nesting allowed; a real file has about ten."""
_EXPANDED = 5_000_000
"""Values allowed when every alias is written out ("billion laughs")."""


_MAPPINGS = (None, "!", f"{_PREFIX}map", f"{_PREFIX}set")
_SEQUENCES = (None, "!", f"{_PREFIX}seq", f"{_PREFIX}omap")


class Loaded(NamedTuple):
    """A document's value, and where the keys of its second level stand: (first, second) → line, column."""

    value: Any
    marks: dict[tuple[str, str], tuple[int, int]]


def _tagged(source: Source, event: Any) -> object:
    """The value of a scalar with an explicit tag. Raises SyntaxProblem."""
    name = str(event.tag).removeprefix(_PREFIX)
    try:
        return TAGGED[name](event.value)
    except (KeyError, ValueError, IndexError):
        raise _tag_problem(source, event) from None


def _tag_problem(source: Source, event: Any) -> Exception:
    tag = str(event.tag)
    shown = f"!!{tag.removeprefix(_PREFIX)}" if tag.startswith(_PREFIX) else tag
    return source.mistake(
        SyntaxProblem,
        f'tag "{shown}" cannot be used here',
        event.start_mark.line + 1,
        event.start_mark.column + 1,
        length=len(shown),
        hint="remove the tag: only plain values (text, numbers, lists, mappings) are read",
    )


class Refused(Exception):
    """The fast parser does not take this text; ``problem`` says why."""

    def __init__(self, problem: SpecError) -> None:
        super().__init__(problem.what)
        self.problem = problem


def _parser_events(text: str) -> Iterator[Any]:
    import yaml

    try:
        from yaml._yaml import CParser
    except ImportError:
        return iter(yaml.parse(text, Loader=yaml.SafeLoader))
    return iter(CParser(text).get_event, None)


def events(source: Source) -> Iterator[Any]:
    """The parser's events of the only document. Raises Refused; SyntaxProblem for a second document."""
    import yaml

    documents = 0
    try:
        for event in _parser_events(source.text.removeprefix("\ufeff")):
            kind = type(event)
            if kind is yaml.StreamEndEvent:
                return
            if kind is yaml.DocumentStartEvent:
                documents += 1
                line, column = event.start_mark.line + 1, event.start_mark.column + 1
                if documents > 1:
                    raise source.mistake(
                        SyntaxProblem,
                        "a second YAML document begins here",
                        line,
                        column,
                        length=3,
                        hint="one file holds one document: remove the line with ---",
                    )
                if event.version == (1, 1):
                    raise Refused(source.mistake(SyntaxProblem, "YAML 1.1 is not read", 1, 1))
            elif kind is not yaml.StreamStartEvent and kind is not yaml.DocumentEndEvent:
                yield event
    except yaml.reader.ReaderError as error:
        raise Refused(unreadable(source, error)) from None
    except yaml.MarkedYAMLError as error:
        raise Refused(malformed(source, error)) from None


def load(source: Source) -> Loaded:
    """The value of the document; None for an empty one. Raises SyntaxProblem."""
    try:
        return _load(source)
    except Refused as refused:
        # DVC's parser takes a little more than libyaml does: what it takes, we take.
        return Loaded(_load_slowly(source, refused.problem), {})


def _load_slowly(source: Source, problem: SpecError) -> Any:
    import warnings

    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    hopeless = "Unicode" in str(problem.what) or re.search(CONFLICT, source.text)
    if hopeless or len(source.text) > 1_000_000:
        raise problem
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            value = YAML(typ="safe", pure=True).load(source.text)
    except (YAMLError, ValueError, RecursionError, AttributeError, TypeError):
        raise problem from None
    _check_size(source, value, None)
    return value


class _Open:
    """A list or mapping that is being read."""

    __slots__ = ("anchor", "event", "items", "key", "key_event", "merges", "twice")

    def __init__(self, items: Any, event: Any) -> None:
        self.items = items
        self.event = event
        self.anchor: str | None = event.anchor
        self.key: Any = _NO_KEY
        self.key_event: Any = None
        self.merges: list[dict[Any, Any]] | None = None
        self.twice: tuple[Any, Any] | None = None
        """The first key found twice, with its event: an error unless the mapping merges others."""


_NO_KEY = object()
MERGE = object()


def _load(source: Source) -> Loaded:
    import yaml

    scalar, alias = yaml.ScalarEvent, yaml.AliasEvent
    mapping, sequence = yaml.MappingStartEvent, yaml.SequenceStartEvent
    known: dict[str, object] = {}
    anchors: dict[str, Any] = {}
    marks: dict[tuple[str, str], tuple[int, int]] = {}
    stack: list[_Open] = []
    top: _Open | None = None
    root: Any = None
    aliases: Any = None
    for event in events(source):
        kind = type(event)
        if kind is scalar:
            value = text = event.value
            if event.tag == "!" or (event.implicit[0] and event.tag is None):
                if (
                    text == "<<"
                    and top is not None
                    and top.key is _NO_KEY
                    and type(top.items) is dict
                ):
                    value = MERGE
                elif text in known:
                    value = known[text]
                else:
                    value = known[text] = plain(text)
            elif event.tag is not None:
                value = _tagged(source, event)
            if event.anchor is not None:
                anchors[event.anchor] = value
        elif kind is mapping or kind is sequence:
            if event.tag not in (_MAPPINGS if kind is mapping else _SEQUENCES):
                raise _tag_problem(source, event)
            if len(stack) >= _DEPTH:
                what = f"this is nested more than {_DEPTH} levels deep"
                raise _fault(source, event, what, hint="is this a file of data? link to it instead")
            top = _Open({} if kind is mapping else [], event)
            stack.append(top)
            if top.anchor is not None:
                anchors[top.anchor] = top
            continue
        elif kind is alias:
            value = anchors.get(event.anchor, _NO_KEY)
            if value is _NO_KEY:
                raise _fault(
                    source,
                    event,
                    f'alias "*{event.anchor}" has no anchor',
                    hint="define the anchor (&name) before its alias (*name)",
                )
            if type(value) is _Open:
                what = f'alias "*{event.anchor}" is part of what it stands for'
                raise _fault(source, event, what, hint="write the value out")
            aliases = event
        else:
            done = stack.pop()
            value = _finish(source, done)
            if done.anchor is not None:
                anchors[done.anchor] = value
            top = stack[-1] if stack else None
            event = done.event
        if top is None:
            root = value
        elif type(top.items) is list:
            top.items.append(value)
        elif top.key is _NO_KEY:
            top.key_event = event
            top.key = _hashable(source, event, value)
            if len(stack) == 2 and kind is scalar and type(stack[0].key) is str:
                marks[stack[0].key, value] = (
                    event.start_mark.line + 1,
                    event.start_mark.column + 1,
                )
        else:
            _put(source, top, value, event)
    if aliases is not None:
        _check_size(source, root, aliases)
    return Loaded(root, marks)


def _put(source: Source, top: _Open, value: Any, event: Any) -> None:
    key, top.key = top.key, _NO_KEY
    if key is MERGE:
        if top.merges is not None:
            raise _fault(
                source,
                top.key_event,
                "a second << in the same mapping",
                hint="merge several with <<: [*a, *b]",
            )
        top.merges = value if isinstance(value, list) else [value]
        if not all(isinstance(item, dict) for item in top.merges):
            raise _fault(
                source,
                event,
                f"<< merges mappings, not {describe(value)}",
                hint="name an alias: <<: *name",
            )
        return
    if key in top.items and top.twice is None:
        top.twice = (key, top.key_event)
    top.items[key] = value


def _finish(source: Source, done: _Open) -> Any:
    if done.merges is not None:
        merged: dict[Any, Any] = {}
        for other in reversed(done.merges):
            merged.update(other)
        merged.update(done.items)
        return merged
    if done.twice is not None:
        key, event = done.twice
        raise _fault(
            source,
            event,
            f'key "{key}" stands twice in the same mapping',
            length=len(str(key)),
            hint="remove one of the two",
        )
    if done.event.tag == f"{_PREFIX}set":
        return set(done.items)
    if done.event.tag == f"{_PREFIX}omap":
        return _ordered(source, done)
    return done.items


def _ordered(source: Source, done: _Open) -> dict[Any, Any]:
    result: dict[Any, Any] = {}
    for item in done.items:
        if not isinstance(item, dict) or len(item) != 1 or next(iter(item)) in result:
            what = "!!omap must hold mappings of one key each, all different"
            raise _fault(source, done.event, what, hint="write a plain mapping")
        result.update(item)
    return result


def _hashable(source: Source, event: Any, key: Any) -> Any:
    if type(key) is list:
        key = tuple(key)
    try:
        hash(key)
    except TypeError:
        raise _fault(
            source, event, f"{describe(key)} cannot be a key", hint="put the key in quotes"
        ) from None
    return key


def _fault(
    source: Source, event: Any, what: str, *, length: int = 1, hint: str | None = None
) -> SpecError:
    mark = event.start_mark
    return source.mistake(
        SyntaxProblem, what, mark.line + 1, mark.column + 1, length=length, hint=hint
    )


def _check_size(source: Source, root: Any, alias: Any) -> None:
    """Count the values with every alias written out. Raises SyntaxProblem above _EXPANDED."""
    sizes: dict[int, int] = {}
    stack = [root]
    while stack:
        item = stack[-1]
        children = (
            item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        )
        todo = [c for c in children if isinstance(c, dict | list) and id(c) not in sizes]
        if todo and id(item) not in sizes:
            if len(stack) > _DEPTH * 10_000:
                break
            stack.extend(todo)
            continue
        stack.pop()
        sizes[id(item)] = size = 1 + sum(sizes.get(id(c), 1) for c in children)
        if size > _EXPANDED:
            what = f"aliases stand for more than {_EXPANDED:,} values, this one among them"
            hint = "write the values out, or nest fewer aliases"
            if alias is None:
                raise source.mistake(SyntaxProblem, what, 1, 1, hint=hint)
            raise _fault(source, alias, what, hint=hint)
