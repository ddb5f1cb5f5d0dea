"""A small exporter that tests own: series in Prometheus' text format, set from the test's thread, served on loopback.

See https://prometheus.io/docs/instrumenting/exposition_formats/.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Self

Labels = Mapping[str, str]


class Exporter:
    """Series by name and labels; a context manager that stops it. `hidden` makes every scrape fail.

    `name` is a name of its own, for the label `test` of its series.
    """

    def __init__(self) -> None:
        self.name = f"test-{secrets.token_hex(6)}"
        self._lock = Lock()
        self._values: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
        self.hidden = False
        exporter = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = exporter.text().encode()
                self.send_response(503 if exporter.hidden else 200)
                self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name is the base's
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def address(self) -> str:
        """Where it is scraped."""
        return f"127.0.0.1:{self._server.server_port}"

    def set(self, name: str, labels: Labels, value: float) -> None:
        """Give a series a value."""
        with self._lock:
            self._values[name, tuple(sorted(labels.items()))] = value

    def add(self, name: str, labels: Labels, value: float) -> None:
        """Raise a series, which begins at zero."""
        with self._lock:
            key = (name, tuple(sorted(labels.items())))
            self._values[key] = self._values.get(key, 0) + value

    def reset(self) -> None:
        """Set all series back to zero, as a process does that starts anew."""
        with self._lock:
            self._values = dict.fromkeys(self._values, 0)

    def clear(self) -> None:
        """Drop all series, and be seen."""
        with self._lock:
            self._values = {}
        self.hidden = False

    def text(self) -> str:
        """What a scrape reads."""
        with self._lock:
            lines = [
                f"{name}{{{','.join(f'{label}={_quoted(text)}' for label, text in labels)}}} {value!r}"
                for (name, labels), value in sorted(self._values.items())
            ]
        return "\n".join([*lines, ""])

    def close(self) -> None:
        """Serve no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
