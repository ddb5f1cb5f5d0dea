"""Run as a script on a VM: `workload.py ADDRESS PORT` answers every request, and says the address by which others know it."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections stay open, as Envoy wants them

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("x-served-by", sys.argv[1])
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("", int(sys.argv[2])), _Handler).serve_forever()
