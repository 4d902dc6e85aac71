"""Makes ND2 files of the kinds that go wrong, out of the tiny one in `tests/data`."""

import struct
from collections.abc import Callable
from pathlib import Path

TINY = Path(__file__).parents[1] / "data" / "tiny_movie.nd2"
MAP = b"ND2 CHUNK MAP SIGNATURE 0000001!"
FILEMAP = b"ND2 FILEMAP SIGNATURE NAME 0001!"
HEADER = struct.Struct("<IIQ")


def read_chunks(path: Path = TINY) -> dict[bytes, bytes]:
    """Name -> data, in the order of the file."""
    data = path.read_bytes()
    place = struct.unpack("<Q", data[-8:])[0]
    _, names, size = HEADER.unpack_from(data, place)
    table = data[place + HEADER.size + names :][:size]
    places, start = {}, 0
    while not table.startswith(MAP, start):
        end = table.index(b"!", start) + 1
        places[table[start:end]] = struct.unpack_from("<Q", table, end)[0]
        start = end + 16
    chunks = {}
    for name, at in sorted(places.items(), key=lambda item: item[1]):
        _, names, size = HEADER.unpack_from(data, at)
        chunks[name] = data[at + HEADER.size + names :][:size]
    return chunks


def write_nd2(path: Path, chunks: dict[bytes, bytes]) -> Path:
    """Write chunks, each at a multiple of 4096 bytes, and their map."""
    source = TINY.read_bytes()
    _, names, size = HEADER.unpack_from(source, 0)
    out = bytearray(source[: HEADER.size + names + size].ljust(4096, b"\0"))
    table = b""
    for name, data in chunks.items():
        table += name + struct.pack("<QQ", len(out), len(data))
        header = HEADER.pack(0x0ABECEDA, 4096 - HEADER.size, len(data))
        out += (header + name).ljust(4096, b"\0") + data
        out += b"\0" * (-len(out) % 4096)
    place = len(out)
    table += MAP + struct.pack("<Q", place)
    out += HEADER.pack(0x0ABECEDA, len(FILEMAP), len(table)) + FILEMAP + table
    path.write_bytes(out)
    return path


def rewrite(path: Path, change: Callable[[dict[bytes, bytes]], None]) -> Path:
    """Write the tiny movie with changed chunks."""
    chunks = read_chunks()
    change(chunks)
    return write_nd2(path, chunks)


def set_number(chunk: bytes, name: str, value: bytes) -> bytes:
    """Overwrite a number in a chunk of metadata, found by its name."""
    key = name.encode("utf-16-le") + b"\0\0"
    at = chunk.index(key) + len(key)
    return chunk[:at] + value + chunk[at + len(value) :]
