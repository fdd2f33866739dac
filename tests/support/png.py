"""A reader of PNG files of 8 bits a channel, for pictures that a browser made."""

import struct
import zlib

import numpy as np

CHANNELS = {2: 3, 6: 4}  # by colour type


def read_png(data):
    """The pixels (height, width, channels) uint8."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, body = 8, b""
    while at < len(data):
        (length,), kind = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
        chunk = data[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, color, _, _, interlaced = struct.unpack(">IIBBBBB", chunk)
        elif kind == b"IDAT":
            body += chunk
        at += length + 12
    assert depth == 8 and not interlaced
    return _unfiltered(zlib.decompress(body), width, height, CHANNELS[color])


def _unfiltered(raw, width, height, n):
    """The pixels of lines that were written as differences to their neighbours."""
    size = width * n
    above, lines = bytearray(size + n), []  # n zeros before each line
    for start in range(0, len(raw), 1 + size):
        line = bytearray(n) + raw[start + 1 : start + 1 + size]
        _add(line, above, n, raw[start])
        lines.append(bytes(line[n:]))
        above = line
    return np.frombuffer(b"".join(lines), "uint8").reshape(height, width, n)


def _add(line, above, n, kind):
    if kind == 1:
        for i in range(n, len(line)):
            line[i] = (line[i] + line[i - n]) & 255
    elif kind == 2:
        for i in range(n, len(line)):
            line[i] = (line[i] + above[i]) & 255
    elif kind == 3:
        for i in range(n, len(line)):
            line[i] = (line[i] + (line[i - n] + above[i]) // 2) & 255
    elif kind == 4:
        for i in range(n, len(line)):
            line[i] = (line[i] + _paeth(line[i - n], above[i], above[i - n])) & 255


def _paeth(left, up, corner):
    """The one of three neighbours that is nearest to left + up - corner."""
    a, b, c = abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)
    if a <= b and a <= c:
        return left
    return up if b <= c else corner
