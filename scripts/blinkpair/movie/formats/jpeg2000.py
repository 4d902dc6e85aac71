"""Whether a JPEG 2000 stream holds every bit of the image that was compressed.

The reversible transform (5-3) loses nothing by itself, but an encoder that was given a size or a
quality leaves out the last coding passes of some code-blocks. The header of each packet states how
many passes of a block it holds, and how many of its bit planes are zero; a block with B planes
left has 3 B - 2 passes (ISO 15444-1, annexes B and D).

Input: a stream. Output: whole, cut, or not known.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

_SOT, _SOD, _EOC = 0x90, 0x93, 0xD9
_SIZ, _COD, _COC, _QCD, _QCC, _POC, _PPM, _PPT = 0x51, 0x52, 0x53, 0x5C, 0x5D, 0x5F, 0x60, 0x61
_REVERSIBLE, _NO_QUANTISATION = 1, 0
_MOST_BLOCKS = 2**20  # of a damaged header


class _OtherKindError(ValueError):
    """A stream that is allowed and not read here."""


def is_whole(stream: bytes) -> bool | None:
    """Return whether a codestream with the reversible transform holds every coding pass.

    Parameters
    ----------
    stream : bytes
        From its SOC marker on.

    Returns
    -------
    bool or None
        None where that is not known: a damaged stream, or one of a kind that is not read (several
        components, progressions that change, packet headers apart from the packets).
    """
    try:
        return _Stream(stream).is_whole()
    except (_OtherKindError, IndexError, struct.error, ZeroDivisionError):
        return None


class _Bits:
    """The bits of packet headers; a 0 follows each byte of ones."""

    def __init__(self, data: bytes, at: int) -> None:
        self.data, self.at = data, at
        self._left, self._byte = 0, 0

    def bit(self) -> int:
        if not self._left:
            self._left = 7 if self._byte == 0xFF else 8
            self._byte = self.data[self.at]
            self.at += 1
        self._left -= 1
        return self._byte >> self._left & 1

    def number(self, bits: int) -> int:
        value = 0
        for _ in range(bits):
            value = 2 * value + self.bit()
        return value

    def ones(self, most: int) -> int:
        """Count ones up to a zero."""
        count = 0
        while count < most and self.bit():
            count += 1
        return count

    def align(self) -> int:
        """Return the place of the next whole byte."""
        if self._byte == 0xFF:
            self.at += 1
        self._left, self._byte = 0, 0
        return self.at


class _Tree:
    """A tag tree: the least of each group of four stands above them."""

    def __init__(self, width: int, height: int) -> None:
        self._levels = [(width, height)]
        while max(self._levels[-1]) > 1:
            w, h = self._levels[-1]
            self._levels.append(((w + 1) // 2, (h + 1) // 2))
        self._value = [[0] * (w * h) for w, h in self._levels]
        self._known = [[False] * (w * h) for w, h in self._levels]

    def below(self, bits: _Bits, x: int, y: int, limit: int) -> bool:
        """Read on until it is known whether a leaf is below a limit."""
        least = 0
        for level in reversed(range(len(self._levels))):
            at = (y >> level) * self._levels[level][0] + (x >> level)
            value = max(self._value[level][at], least)
            while value < limit and not self._known[level][at]:
                if bits.bit():
                    self._known[level][at] = True
                else:
                    value += 1
            self._value[level][at] = least = value
        return least < limit

    def value(self, bits: _Bits, x: int, y: int) -> int:
        """Read a leaf."""
        limit = 1
        while not self.below(bits, x, y, limit):
            limit += 1
            if limit > 99:
                raise _OtherKindError("more bit planes than there are")
        return self._value[0][y * self._levels[0][0] + x]


@dataclass
class _Band:
    """The code-blocks of a precinct in one subband."""

    columns: int
    rows: int
    planes: int
    included: _Tree = field(init=False)
    zeros: _Tree = field(init=False)
    length_bits: dict[int, int] = field(default_factory=dict)
    passes: dict[int, int] = field(default_factory=dict)
    left: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.columns * self.rows > _MOST_BLOCKS:
            raise _OtherKindError("too many code-blocks")
        self.included = _Tree(self.columns, self.rows)
        self.zeros = _Tree(self.columns, self.rows)


class _Stream:
    """Headers of a stream, and a walk through its packets."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._parts: dict[int, list[tuple[int, int]]] = {}  # of each tile: from, to
        self._main()

    def _main(self) -> None:
        data, at = self._data, 2
        coding = quantisation = size = b""
        while data[at + 1] != _EOC:
            marker, n = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
            body = data[at + 4 : at + 2 + n]
            if data[at] != 0xFF or marker in (_COC, _QCC, _POC, _PPM, _PPT):
                raise _OtherKindError(f"marker {marker:x}")
            if marker == _SIZ:
                size = body
            elif marker in (_COD, _QCD) and self._parts:
                raise _OtherKindError("a tile of its own kind")
            elif marker == _COD:
                coding = body
            elif marker == _QCD:
                quantisation = body
            elif marker == _SOT:
                tile, length = struct.unpack(">HI", body[:6])
                end = at + length if length else len(data) - 2
                inner = at + 2 + n
                while data[inner + 1] != _SOD:
                    if data[inner + 1] in (_COD, _COC, _QCD, _QCC, _POC, _PPT):
                        raise _OtherKindError("a tile of its own kind")
                    inner += 2 + int.from_bytes(data[inner + 2 : inner + 4], "big")
                self._parts.setdefault(tile, []).append((inner + 2, end))
                at = end
                if at + 2 > len(data):
                    break
                continue
            at += 2 + n
        x1, y1, x0, y0, *tiles, components = struct.unpack(">8IH", size[2:36])
        if components != 1 or size[37:39] != b"\x01\x01":
            raise _OtherKindError("several components")
        self._area, self._tiles = (x0, y0, x1, y1), tiles
        style, order, self._layers, _, self._levels, bw, bh, how, kind = struct.unpack(
            ">BBHBBBBBB", coding[:10]
        )
        if kind != _REVERSIBLE or quantisation[0] & 31 != _NO_QUANTISATION or how:
            raise _OtherKindError("not the plain reversible kind")
        self._order = order
        self._sop, self._eph = bool(style & 2), bool(style & 4)
        self._block = bw + 2, bh + 2
        sizes = coding[10:] if style & 1 else bytes([0xFF] * (self._levels + 1))
        self._precincts = [(one & 15, one >> 4) for one in sizes]
        guard = quantisation[0] >> 5
        self._planes = [guard + (one >> 3) - 1 for one in quantisation[1:]]

    def is_whole(self) -> bool:
        return all(self._tile_is_whole(tile, parts) for tile, parts in self._parts.items())

    def _tile_is_whole(self, tile: int, parts: list[tuple[int, int]]) -> bool:
        data = b"".join(self._data[start:end] for start, end in parts)
        grid = [self._resolution(tile, r) for r in range(self._levels + 1)]
        at = 0
        for layer, r, precinct in self._sequence([len(one) for one in grid]):
            if at >= len(data):  # later packets were left out
                return False
            at = self._packet(data, at, grid[r][precinct], layer)
        bands = [band for one in grid for precinct in one for band in precinct]
        blocks = [(band, k) for band in bands for k in range(band.columns * band.rows)]
        # A block without a pass is all zero, or was left out: other blocks of a cut stream show it.
        return all(
            band.passes[k] == 3 * band.left[k] - 2 for band, k in blocks if band.passes.get(k)
        ) and any(band.passes for band in bands)

    def _resolution(self, tile: int, r: int) -> list[list[_Band]]:
        """Precincts of a resolution: the subbands of each."""
        x0, y0, x1, y1 = self._area
        tw, th, tx, ty = self._tiles
        across = -(-(x1 - tx) // tw)
        p, q = tile % across, tile // across
        area = (
            max(tx + p * tw, x0), max(ty + q * th, y0),
            min(tx + (p + 1) * tw, x1), min(ty + (q + 1) * th, y1),
        )  # fmt: skip
        left = self._levels - r
        rx0, ry0, rx1, ry1 = (-(-v // 2**left) for v in area)
        pw, ph = self._precincts[min(r, len(self._precincts) - 1)]
        columns = -(-rx1 // 2**pw) - rx0 // 2**pw if rx1 > rx0 else 0
        rows = -(-ry1 // 2**ph) - ry0 // 2**ph if ry1 > ry0 else 0
        found = []
        level = left if r == 0 else left + 1
        for k in range(columns * rows):
            px, py = rx0 // 2**pw + k % columns, ry0 // 2**ph + k // columns
            bands = []
            for index, (bx, by) in enumerate([(0, 0)] if r == 0 else [(1, 0), (0, 1), (1, 1)]):
                shift = 0 if r == 0 else 1
                half = 2**level // 2
                x = [-(-(v - bx * half) // 2**level) for v in area[::2]]
                y = [-(-(v - by * half) // 2**level) for v in area[1::2]]
                w, h = pw - shift, ph - shift
                x = [max(x[0], px * 2**w), min(x[1], (px + 1) * 2**w)]
                y = [max(y[0], py * 2**h), min(y[1], (py + 1) * 2**h)]
                cw, ch = min(self._block[0], w), min(self._block[1], h)
                nx, ny = (
                    -(-v[1] // 2**c) - v[0] // 2**c if v[1] > v[0] else 0
                    for v, c in ((x, cw), (y, ch))
                )
                planes = self._planes[0 if r == 0 else 3 * r - 2 + index]
                bands.append(_Band(nx if ny else 0, ny if nx else 0, planes))
            found.append(bands)
        return found

    def _sequence(self, precincts: list[int]) -> Iterator[tuple[int, int, int]]:
        """Layer, resolution and precinct of the packets, in their order."""
        if self._order == 0:
            for layer in range(self._layers):
                for r, n in enumerate(precincts):
                    yield from ((layer, r, k) for k in range(n))
        elif self._order in (1, 2) or max(precincts) == 1:
            inner = self._order == 1
            for r, n in enumerate(precincts):
                if inner:
                    for layer in range(self._layers):
                        yield from ((layer, r, k) for k in range(n))
                else:
                    for k in range(n):
                        yield from ((layer, r, k) for layer in range(self._layers))
        else:
            raise _OtherKindError("a progression by position")

    def _packet(self, data: bytes, at: int, bands: list[_Band], layer: int) -> int:
        """Read a packet's header, and return the place behind the packet."""
        if self._sop and data[at : at + 2] == b"\xff\x91":
            at += 6
        bits = _Bits(data, at)
        body = 0
        if bits.bit():
            for band in bands:
                for k in range(band.columns * band.rows):
                    body += _block(bits, band, k, layer)
        at = bits.align()
        if self._eph and data[at : at + 2] == b"\xff\x92":
            at += 2
        return at + body


def _block(bits: _Bits, band: _Band, k: int, layer: int) -> int:
    """Read what a packet's header holds on a code-block; return its bytes in the packet."""
    x, y = k % band.columns, k // band.columns
    seen = k in band.passes
    if not (bits.bit() if seen else band.included.below(bits, x, y, layer + 1)):
        return 0
    if not seen:
        band.left[k] = band.planes - band.zeros.value(bits, x, y)
        band.passes[k], band.length_bits[k] = 0, 3
    passes = _number_of_passes(bits)
    band.length_bits[k] += bits.ones(32)
    band.passes[k] += passes
    return bits.number(band.length_bits[k] + passes.bit_length() - 1)


def _number_of_passes(bits: _Bits) -> int:
    """Read a number of coding passes (table B.4)."""
    if not bits.bit():
        return 1
    if not bits.bit():
        return 2
    if (more := bits.number(2)) < 3:
        return 3 + more
    if (more := bits.number(5)) < 31:
        return 6 + more
    return 37 + bits.number(7)
