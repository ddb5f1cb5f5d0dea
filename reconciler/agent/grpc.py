"""gRPC's health service (grpc.health.v1.Health/Check) over as much of HTTP/2 as one call without TLS needs.

The answer's message alone decides, so that no header of an answer has to be decoded. A call that fails has no message.
Frames: RFC 9113 section 6; headers: RFC 7541 section 6.2.2, literal and not indexed; messages: gRPC over HTTP2.
"""

from __future__ import annotations

import struct

from reconciler.agent.line import Line
from reconciler.agent.probe import Grpc

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY = 0, 1, 3, 4, 6, 7
_ACK = _END_STREAM = 0x1
_END_HEADERS, _PADDED = 0x4, 0x8
_STREAM = 1
#: The largest frame that may be sent to whoever has not asked for larger ones.
_LONGEST_FRAME = 16_384
_SERVING = 1
_STATES = {0: "UNKNOWN", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN"}


def serving(line: Line, check: Grpc, timeout: float) -> tuple[bool, str]:
    """Return whether a service says SERVING, and if not, why. Raises OSError."""
    line.send(_call(check, timeout))
    message = _answer(line)
    if message is None:
        return False, "the call failed: no such service, or none that tells its health"
    state = _state(message)
    return state == _SERVING, "" if state == _SERVING else f"says {_STATES.get(state, 'something unknown')}"


def _call(check: Grpc, timeout: float) -> bytes:
    headers = (
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/grpc.health.v1.Health/Check"),
        (":authority", f"{check.host}:{check.port}"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("grpc-timeout", f"{max(1, round(timeout * 1000))}m"),
        ("user-agent", "reconciler-agent"),
    )
    block = b"".join(b"\0" + _text(name.encode()) + _text(value.encode()) for name, value in headers)
    name = check.service.encode()
    message = b"\x0a" + _varint(len(name)) + name if name else b""
    return b"".join(
        (
            _PREFACE,
            _frame(_SETTINGS, 0, 0, b""),
            _frame(_HEADERS, _END_HEADERS, _STREAM, block),
            _frame(_DATA, _END_STREAM, _STREAM, struct.pack(">BI", 0, len(message)) + message),
        )
    )


def _answer(line: Line) -> bytes | None:
    """Return the message that is answered, None where the call ends without one."""
    data = b""
    while True:
        length, kind, flags, stream = _header(line.receive_whole(9))
        if length > _LONGEST_FRAME:
            raise ConnectionError("the answer is not HTTP/2")
        payload = line.receive_whole(length)
        if kind == _SETTINGS and not flags & _ACK:
            line.send(_frame(_SETTINGS, _ACK, 0, b""))
        elif kind == _PING and not flags & _ACK:
            line.send(_frame(_PING, _ACK, 0, payload))
        elif kind == _GOAWAY or (kind == _RESET and stream == _STREAM):
            return None
        elif kind == _DATA and stream == _STREAM:
            data += payload[1 : length - payload[0]] if flags & _PADDED and payload else payload
            if len(data) >= 5 and len(data) >= 5 + int.from_bytes(data[1:5], "big"):
                return data[5 : 5 + int.from_bytes(data[1:5], "big")]
        if kind in (_DATA, _HEADERS) and stream == _STREAM and flags & _END_STREAM:
            return None


def _state(message: bytes) -> int:
    """Return field 1 of a HealthCheckResponse, a number below 128; without it the default, 0."""
    return message[1] if len(message) == 2 and message[0] == 0x08 else 0 if not message else -1


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _header(data: bytes) -> tuple[int, int, int, int]:
    kind, flags, stream = struct.unpack(">BBI", data[3:])
    return int.from_bytes(data[:3], "big"), kind, flags, stream & 0x7FFF_FFFF


def _text(text: bytes) -> bytes:
    """Return a text as HPACK has one of less than 127 bytes, which ours all are (RFC 7541 section 5.2)."""
    return bytes((len(text),)) + text


def _varint(value: int) -> bytes:
    """Return a number as protobuf has it: in groups of seven bits, the lowest first."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*found, value))
