"""Operations on the pixels of rings by vector instructions, in the notation of LLVM.

A tile holds the pixels of one ring, and words of 64 bits say which of them are usable. One vector
instruction compares up to 32 pixels and leaves a bit for each; bits are counted in one instruction,
too. A loop in Python, compiled, reaches a third of this speed at best. Nothing here depends on the
kind of processor: LLVM splits vectors of any length into those that the processor has.

Input: tiles of integers of at most 32 bits, and their words. Output: numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from blinkpair.arrays import BoolArray

TILE = 128
WORDS = 2
_LANES = TILE // WORDS


def as_words(bits: BoolArray) -> NDArray[np.uint64]:
    """Return (n, 2) words of the bits of (n, TILE or less)."""
    filled = np.zeros((len(bits), TILE), bool)
    filled[:, : bits.shape[1]] = bits
    return np.packbits(filled, axis=1, bitorder="little").view("<u8").astype(np.uint64)


def _vectors(
    context: Any, builder: Any, signature: Any, arguments: Any
) -> tuple[list[Any], list[Any]]:
    """Return the vectors of a tile, and of each the bits of what counts."""
    tile_type, words_type = signature.args[:2]
    number = ir.IntType(64)
    pixel = context.get_value_type(tile_type.dtype)
    vector = ir.VectorType(pixel, _LANES)
    data = context.make_array(tile_type)(context, builder, arguments[0]).data
    words = context.make_array(words_type)(context, builder, arguments[1]).data
    values, bits = [], []
    for i in range(WORDS):
        lane = builder.add(builder.mul(arguments[2], number(TILE)), number(i * _LANES))
        start = builder.gep(data, [lane])
        part = builder.load(builder.bitcast(start, vector.as_pointer()))
        part.align = tile_type.dtype.bitwidth // 8
        values.append(part)
        word = builder.add(builder.mul(arguments[2], number(WORDS)), number(i))
        bits.append(builder.load(builder.gep(words, [word])))
    return values, bits


def _splat(context: Any, builder: Any, tile_type: Any, number: Any) -> Any:
    """Return a vector of one number, given as int64, in all lanes."""
    pixel = context.get_value_type(tile_type.dtype)
    number = builder.trunc(number, pixel)
    vector = ir.VectorType(pixel, _LANES)
    first = builder.insert_element(
        ir.Constant(vector, ir.Undefined), number, ir.Constant(ir.IntType(32), 0)
    )
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), _LANES), [0] * _LANES)
    return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), lanes)


def _compare(builder: Any, tile_type: Any) -> Callable[..., Any]:
    compare = builder.icmp_signed if tile_type.dtype.signed else builder.icmp_unsigned
    return compare


def _reduce(builder: Any, name: str, vector: Any) -> Any:
    """Return the number that LLVM's reduction of that name makes of a vector."""
    lane = vector.type.element
    kind = ir.FunctionType(lane, [vector.type])
    full = f"llvm.vector.reduce.{name}.v{vector.type.count}i{lane.width}"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, full), [vector])


@intrinsic
def count_at_most(typing: Any, tiles: Any, words: Any, k: Any, limit: Any) -> Any:
    """Return how many pixels that count are at most a limit, which their type can hold."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        tile_type = signature.args[0]
        limits = _splat(context, builder, tile_type, arguments[3])
        compare = _compare(builder, tile_type)
        total = ir.Constant(ir.IntType(64), 0)
        for values, bits in zip(*_vectors(context, builder, signature, arguments), strict=True):
            small = builder.bitcast(compare("<=", values, limits), ir.IntType(64))
            total = builder.add(total, builder.ctpop(builder.and_(small, bits)))
        return total

    return types.int64(tiles, words, types.int64, types.int64), generate


@intrinsic
def largest_below(typing: Any, tiles: Any, words: Any, k: Any, limit: Any, smallest: Any) -> Any:
    """Return the largest of the pixels that count and are below a limit, or `smallest`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        tile_type = signature.args[0]
        limits, largest = (_splat(context, builder, tile_type, number) for number in arguments[3:])
        least, compare = largest, _compare(builder, tile_type)
        for values, bits in zip(*_vectors(context, builder, signature, arguments), strict=True):
            counts = builder.bitcast(bits, ir.VectorType(ir.IntType(1), _LANES))
            some = builder.and_(compare("<", values, limits), counts)
            below = builder.select(some, values, least)
            largest = builder.select(compare(">", below, largest), below, largest)
        signed = tile_type.dtype.signed
        found = _reduce(builder, "smax" if signed else "umax", largest)
        return (builder.sext if signed else builder.zext)(found, ir.IntType(64))

    return types.int64(tiles, words, types.int64, types.int64, types.int64), generate


@intrinsic
def add_pixels(typing: Any, tiles: Any, words: Any, k: Any) -> Any:
    """Return the sum of the pixels that count; they have 32 bits at most."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        dtype = signature.args[0].dtype
        wide = ir.IntType(64 if dtype.bitwidth > 16 else 32)
        vector = ir.VectorType(wide, _LANES)
        zero = ir.Constant(vector, [0] * _LANES)
        widen = builder.sext if dtype.signed else builder.zext
        sums = zero
        for values, bits in zip(*_vectors(context, builder, signature, arguments), strict=True):
            counts = builder.bitcast(bits, ir.VectorType(ir.IntType(1), _LANES))
            sums = builder.add(sums, builder.select(counts, widen(values, vector), zero))
        found = _reduce(builder, "add", sums)
        if wide.width == 64:
            return found
        return (builder.sext if dtype.signed else builder.zext)(found, ir.IntType(64))

    return types.int64(tiles, words, types.int64), generate


@intrinsic
def prefetch(typing: Any, pixels: Any, index: Any) -> Any:
    """Ask for a pixel before it is used: a kernel waits for memory more than it computes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        byte = ir.IntType(8).as_pointer()
        number = ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        ask = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        place = builder.bitcast(builder.gep(array.data, [arguments[1]]), byte)
        builder.call(ask, [place, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(pixels, index), generate
