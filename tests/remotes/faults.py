"""A web application that fails on demand. Needs nothing but Python: it is also run beside moto, in its environment."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs

_CONTROL = "/-/faults"


class Faults:
    """Owns which of the next requests are answered by an error instead of being served. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.set(0)

    def set(self, status: int, times: int = 0, methods: str = "", longer: int = 0) -> None:
        """Answer ``status`` to the next ``times`` requests of these methods that bring more than ``longer`` bytes."""
        with self._lock:
            self.status, self.times = status, times
            self._methods, self._longer = methods.split(), longer
            self.answered = 0

    def answer(self, method: str, length: int) -> int | None:
        """The status that a request is to be answered with; None: it is to be served."""
        with self._lock:
            meant = not self._methods or method in self._methods
            if not self.times or not meant or length < self._longer:
                return None
            self.times -= 1
            self.answered += 1
            return self.status


class Faulty:
    """A WSGI application that fails as ``faults`` says, and otherwise does what ``app`` does."""

    def __init__(self, app: Callable[..., Iterable[bytes]], faults: Faults) -> None:
        self._app = app
        self._faults = faults

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ["PATH_INFO"] == _CONTROL:
            return self._control(environ, start)
        length = int(environ.get("CONTENT_LENGTH") or 0)
        status = self._faults.answer(environ["REQUEST_METHOD"], length)
        if status is None:
            return self._app(environ, start)
        environ["wsgi.input"].read(length)
        start(f"{status} Fault", [("Content-Length", "0")])
        return [b""]

    def _control(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        query = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
        answered = self._faults.answered
        if query:
            self._faults.set(
                int(query["status"]),
                int(query["times"]),
                query.get("methods", ""),
                int(query["longer"]),
            )
        data = json.dumps({"answered": answered}).encode()
        start("200 OK", [("Content-Length", str(len(data)))])
        return [data]
