"""Carry out one probe. Every way in which it can fail is an outcome, never an exception."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
from contextlib import suppress
from functools import lru_cache

from reconciler.agent import grpc
from reconciler.agent.health import Outcome
from reconciler.agent.line import Line
from reconciler.agent.probe import Check, Exec, Grpc, HttpGet

WELL = Outcome(well=True)
#: Of an answer to an HTTP probe so many bytes are read: its first line decides.
LONGEST_LINE = 1_024


def carry_out(check: Check, timeout: float) -> Outcome:
    """Return what a check finds within so many seconds."""
    if isinstance(check, Exec):
        return _exec(check, timeout)
    try:
        with Line(check.host, check.port, timeout) as line:
            if isinstance(check, HttpGet):
                return _http(check, line)
            if isinstance(check, Grpc):
                return Outcome(*grpc.serving(line, check, timeout))
            return WELL
    except socket.timeout:
        return Outcome(well=False, reason=f"no answer within {timeout:g} s")
    except OSError as error:
        return Outcome(well=False, reason=error.strerror or type(error).__name__)


def _http(check: HttpGet, line: Line) -> Outcome:
    if check.secure:
        line.secure(_trusting(), check.host)
    line.send(_request(check))
    answer = b""
    while b"\n" not in answer and len(answer) < LONGEST_LINE:
        piece = line.receive(LONGEST_LINE)
        if not piece:
            break
        answer += piece
    words = answer.partition(b"\n")[0].split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        return Outcome(well=False, reason="the answer is not HTTP")
    status = int(words[1][:3])
    return WELL if 200 <= status < 400 else Outcome(well=False, reason=f"HTTP status {status}")


def _request(check: HttpGet) -> bytes:
    """Return the request's text. Redirects are not followed: they would let a workload choose whom we call."""
    given = {name.lower() for name, _ in check.headers}
    host = f"[{check.host}]" if ":" in check.host else check.host
    standard = (("Host", f"{host}:{check.port}"), ("User-Agent", "reconciler-agent"), ("Accept", "*/*"))
    headers = [*(one for one in standard if one[0].lower() not in given), *check.headers, ("Connection", "close")]
    lines = [f"GET {check.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode()


@lru_cache(maxsize=1)
def _trusting() -> ssl.SSLContext:
    """Return what takes any certificate; one for all probes, since each costs memory."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _exec(check: Exec, timeout: float) -> Outcome:
    """Run a command in a session of its own, so that its children end with it. What it prints is not looked at."""
    nothing = subprocess.DEVNULL
    try:
        process = subprocess.Popen(check.command, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)
    except OSError as error:
        return Outcome(well=False, reason=f"the command cannot be run: {error.strerror}")
    try:
        status = process.wait(timeout)
    except subprocess.TimeoutExpired:
        with suppress(PermissionError):  # of a command that has become somebody else
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return Outcome(well=False, reason=f"the command did not end within {timeout:g} s")
    return WELL if status == 0 else Outcome(well=False, reason=f"the command ended with {status}")
