"""One ``dvc.lock`` as text: cut into the blocks of its stages, changed block by block.

A lock file that DVC or Redoit wrote is a head (``schema``, perhaps ``datasets``), the line
``stages:``, one block per stage at an indent of two, and perhaps a tail. Such a file is never
parsed or written as a whole: a block whose text is known is not parsed again, and a stage that
did not change keeps its text byte for byte. Anything else (other indents, flow style, anchors,
comments in a block that changes) goes through ruamel.yaml as in DVC.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import xxhash

from redoit.errors import SpecError, TraceError
from redoit.files import digest_bytes
from redoit.model import Place, RepoPath, Trace
from redoit.spec.source import Source
from redoit.spec.yaml import load
from redoit.trace.emit import emit_block
from redoit.trace.record import BadEntry, Record, encode, lock_data, trace_of_lock
from redoit.trace.versions import with_versions

_EMPTY = b"schema: '2.0'\nstages:\n"
_STAGES_LINE = re.compile(rb"^stages:[ ]*\n", re.M)
_TOP_LINE = re.compile(rb"^[^\s#]", re.M)
_BLOCK_LINE = re.compile(rb"^  (?![ #\n])(.*)$", re.M)
_NAME = re.compile(
    r"(?:'(?P<quoted>(?:[^']|'')*)'|(?P<plain>[^\s\"'#&*!|>%@`\[\]{},?:-](?:[^\s#:]|(?<!\s)#|:(?!\s|$)| )*)):[ ]*$"
)
_ANCHOR = re.compile(rb" *(?:- )*(?:[^\s'\"#]+: +)?[&*][^\s&*./'\"=|-]")
_LEADING_COMMENT = re.compile(rb"[^\n]*\n *#")
_VERSIONS = re.compile(rb"^ +(?:- )?(?:cloud|files):", re.M)
_COMMENTS = re.compile(rb"(?:\s*(?:#[^\n]*)?\n)*\s*\Z")
_RESTORE = "settle it by hand or with `git checkout`; without its entry a stage is restored from the run cache, or runs"


@dataclass(slots=True)
class LockText:
    """The text of a lock file with what was read from it.

    ``records`` has the record of each stage (``record.encode``), in the order of the file.
    ``starts`` has the offset of each stage's block and, last, where the blocks end; it is empty if
    the text could not be cut into blocks.
    """

    text: bytes
    records: dict[str, Record] = field(default_factory=dict)
    starts: list[int] = field(default_factory=list)

    def state(self) -> list[Any]:
        """What is worth keeping of this text, as plain data."""
        sums = [xxhash.xxh3_64_hexdigest(part) for part in self._parts()]
        lists: dict[str, int] = {}
        rows = [
            [lists.setdefault(record.deps, len(lists)), record.rest]
            for record in self.records.values()
        ]
        # Many stages may have the same list of deps: each is kept once.
        kept = [list(lists), rows]
        return [digest_bytes(self.text), list(self.records), kept, self.starts, sums]

    def is_state(self, state: Any) -> bool:
        """Whether ``state`` is ``self.state()``, judged by the digest of the text."""
        return isinstance(state, list) and state[:1] == [digest_bytes(self.text)]

    def _parts(self) -> Iterator[bytes]:
        for start, end in zip(self.starts, self.starts[1:], strict=False):
            yield self.text[start:end]


def read_text(text: bytes, file: RepoPath, kept: Any = None) -> LockText:
    """Read a lock file's ``text``; ``kept`` is a ``LockText.state`` of this or an earlier text.

    Raises TraceError with the line if it is not a lock file of schema 1.0 or 2.0.
    """
    known: dict[str, tuple[str, Record]] = {}
    with contextlib.suppress(
        TypeError, ValueError, IndexError
    ):  # a foreign state is as good as none
        digest, names, (lists, rows), starts, sums = kept
        records = [Record(lists[deps], rest) for deps, rest in rows]
        if digest == digest_bytes(text):
            return LockText(text, dict(zip(names, records, strict=True)), starts)
        known = dict(zip(names, zip(sums, records, strict=True), strict=True))
    if not text.strip():
        return LockText(text)
    cut = _cut(text)
    if cut is not None:
        lock = _read_blocks(text, *cut, known)
        if lock is not None:
            return lock
    return _read_whole(text, file)


def _cut(text: bytes) -> tuple[list[str], list[int]] | None:
    """Names and offsets of the stages' blocks, and where the last one ends; None if there are none."""
    if b"\r" in text or b"\t" in text or text.startswith(b"\xef\xbb\xbf"):
        return None
    stages = _STAGES_LINE.search(text)
    if stages is None:
        return None
    after = _TOP_LINE.search(text, stages.end())
    end = after.start() if after else len(text)
    names: list[str] = []
    starts: list[int] = []
    for line in _BLOCK_LINE.finditer(text, stages.end(), end):
        name = _name(line[1])
        if name is None:
            return None
        names.append(name)
        starts.append(line.start())
    if not names or len(set(names)) != len(names):
        return None
    if not _COMMENTS.match(text[stages.end() : starts[0]]) or not text.endswith(b"\n"):
        return None
    return names, [*starts, end]


def _name(line: bytes) -> str | None:
    """The stage's name in the first line of its block, if it stands alone there."""
    try:
        match = _NAME.match(line.decode())
    except UnicodeDecodeError:
        return None
    if match is None:
        return None
    return match["plain"] if match["quoted"] is None else match["quoted"].replace("''", "'")


def _read_blocks(
    text: bytes, names: list[str], starts: list[int], known: Mapping[str, tuple[str, Record]]
) -> LockText | None:
    """Read the blocks, parsing only those that ``known`` does not have; None to read it whole."""
    records: dict[str, Record | None] = {}
    fresh: list[str] = []
    pieces = [b"stages:\n"]
    for name, start, end in zip(names, starts, starts[1:], strict=False):
        part = text[start:end]
        old = known.get(name)
        if old is not None and old[0] == xxhash.xxh3_64_hexdigest(part):
            records[name] = old[1]
        else:
            records[name] = None
            fresh.append(name)
            pieces.append(part)
    try:
        if text[: starts[0]] != _EMPTY or text[starts[-1] :]:
            around = _parse(text[: starts[0]] + text[starts[-1] :])
            if not isinstance(around, dict) or around.get("schema") != "2.0":
                return None
        if fresh:
            stages = _parse(b"".join(pieces))["stages"]
            if list(stages) != fresh:
                return None
            for name, data in stages.items():
                records[name] = encode(trace_of_lock(data))
    except (SpecError, BadEntry):
        return None  # reading it whole finds the place
    return LockText(text, records, starts)  # type: ignore[arg-type]


def _parse(text: bytes) -> Any:
    return load(Source.decode("", text)).value


def _read_whole(text: bytes, file: RepoPath) -> LockText:
    """Read a text that is not cut into blocks, or has a mistake."""
    try:
        loaded = load(Source.decode(file, text))
    except SpecError as error:
        raise TraceError(
            error.what, place=error.place, excerpt=error.excerpt, hint=_RESTORE
        ) from None
    data, marks = loaded.value, loaded.marks
    if data is None:
        return LockText(text)
    if not isinstance(data, dict):
        raise _bad(file, "does not hold a mapping")
    if "schema" in data or "stages" in data:
        if data.get("schema") != "2.0":
            raise _bad(file, f"has schema {data.get('schema')!r} instead of '2.0'")
        stages = data.get("stages") or {}
    else:
        stages = data  # schema 1.0: nothing but stages
    if not isinstance(stages, dict):
        raise _bad(file, "has stages that are not a mapping")
    records: dict[str, Record] = {}
    for name, entry in stages.items():
        try:
            records[name] = encode(trace_of_lock(entry))
        except BadEntry as error:
            line, column = marks.get(("stages", name), (0, 0))
            raise _bad(file, f"has a bad entry: stage '{name}' {error}", line, column) from None
    return LockText(text, records)


def _bad(file: RepoPath, what: str, line: int = 0, column: int = 0) -> TraceError:
    return TraceError(f"{file} {what}", place=Place(file, line, column), hint=_RESTORE)


# -- changing ----------------------------------------------------------------------------------


class Recorded(NamedTuple):
    """A trace and its record."""

    trace: Trace
    record: Record


Changes = Mapping[str, Recorded | None]
"""What becomes of stages: None takes a stage out."""


def change(lock: LockText, changes: Changes, order: Sequence[str]) -> LockText:
    """``lock`` with the stages of ``changes`` replaced, taken out, or added at the end in ``order``.

    A stage whose new trace equals its old one keeps its text.
    """
    wanted = {
        name: new
        for name, new in changes.items()
        if (new.record if new else None) != lock.records.get(name)
    }
    if not wanted:
        return lock
    rank = {name: number for number, name in enumerate(order)}
    added = sorted(
        (name for name in wanted if name not in lock.records),
        key=lambda name: rank.get(name, len(rank)),
    )
    records = {name: record for name, record in lock.records.items() if wanted.get(name, True)}
    records.update((name, new.record) for name, new in wanted.items() if new and name in records)
    records.update((name, new.record) for name in added if (new := wanted[name]))
    if not records:
        return LockText(b"")
    if lock.text.strip() and (not lock.starts or _has_more_than_data(lock, wanted)):
        return _change_whole(lock, wanted, records)
    return _change_blocks(lock, wanted, records)


def _change_blocks(lock: LockText, wanted: Changes, records: dict[str, Record]) -> LockText:
    text = lock.text if lock.starts else _EMPTY
    bounds = lock.starts or [len(_EMPTY)]
    spans = dict(zip(lock.records, itertools.pairwise(bounds), strict=False))
    pieces = [text[: bounds[0]]]
    starts: list[int] = []
    length = bounds[0]
    for name in records:
        new = wanted.get(name)
        if new is None:
            start, end = spans[name]
            piece = text[start:end]
        else:
            data = lock_data(new.trace)
            if name in spans and _VERSIONS.search(text, *spans[name]):
                start, end = spans[name]
                data = with_versions(data, _parse(b"stages:\n" + text[start:end])["stages"][name])
            piece = emit_block({name: data}, 2).encode("utf-8", "surrogatepass")
        starts.append(length)
        pieces.append(piece)
        length += len(piece)
    starts.append(length)
    pieces.append(text[bounds[-1] :])
    return LockText(b"".join(pieces), records, starts)


def _has_more_than_data(lock: LockText, wanted: Changes) -> bool:
    """Whether stages may share anchors, or one that changes has a comment that DVC would keep.

    That is a comment above its first field; all others of a stage that changes DVC drops as well.
    """
    if _has_anchors(lock.text):
        return True
    return any(
        name in wanted and _LEADING_COMMENT.match(lock.text, start) is not None
        for name, start in zip(lock.records, lock.starts, strict=False)
    )


def _has_anchors(text: bytes) -> bool:
    """Whether a value may be an anchor or an alias; only lines that hold such a sign are looked at."""
    for sign in (b"&", b"*"):
        at = text.find(sign)
        while at >= 0:
            if _ANCHOR.match(text, text.rfind(b"\n", 0, at) + 1):
                return True
            at = text.find(sign, at + 1)
    return False


def _change_whole(lock: LockText, wanted: Changes, records: dict[str, Record]) -> LockText:
    """Change a text with a form of its own as DVC does: ruamel's round trip."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    yaml = YAML()
    yaml.default_flow_style = False
    try:
        data = yaml.load(lock.text) or {"schema": "2.0"}
    except YAMLError as error:
        raise TraceError(
            "dvc.lock is written in a way that cannot be kept when a stage of it changes",
            facts={"problem": str(error).replace("\n", " ")},
            hint=_RESTORE,
        ) from None
    if "schema" not in data:  # schema 1.0: nothing but stages
        data = {"schema": "2.0", "stages": data}
    if not data.get("stages"):
        data["stages"] = {}
    stages = data["stages"]
    for name in [name for name in stages if name not in records]:
        del stages[name]
    for name in records:
        new = wanted.get(name)
        if new is not None:
            stages[name] = with_versions(lock_data(new.trace), stages.get(name))
    stream = io.StringIO()
    yaml.dump(data, stream)
    text = stream.getvalue().encode()
    cut = _cut(text)
    return LockText(text, records, cut[1] if cut is not None and cut[0] == list(records) else [])
