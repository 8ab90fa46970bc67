"""Writes the engine's innermost tiles for one instruction set: straight-line C over its vocabulary.

    python csrc/tiles.py avx2 OUT.inc.h      all tiles
    python csrc/tiles.py avx2 - --only pw_n3m4

GCC keeps arrays of accumulators in memory, so every accumulator here has a name.  The
build writes these files into its temporary folder; none is kept in the tree.

    pw_nNmM      M pixels x N blocks of a pointwise convolution: per input channel k, N
                 vectors of weights, M broadcasts, M*N multiply-adds.          (contract: engine.h, rm_pw)
    stem_nNmM    M pixels x N blocks of a dense convolution of the image.                      (rm_stem)
    gc_nNmM      M pixels x N blocks of a grouped convolution: pw's step over every channel of
                 every window's pixel, the M windows anywhere.                                  (rm_gc)
    dw_kKsSrR    R pixels of one block of a depthwise convolution.                            (rm_dw)

Order     every output is one chain of multiply-adds from its bias: pw by k; stem by kernel
          row, then column and channel; gc likewise; dw by kernel row, then column.  The same for every
          N, M and instruction set.
Registers M*N accumulators, N weights (or M inputs), one more: at most as many as there are.
"""

import argparse
import sys
from pathlib import Path

# block: channels of a vector; pixels[N]: most pixels beside N blocks, so many that GCC 12 spills none.
SHAPES = {
    "narrow": {"block": 8, "pixels": {1: 8, 2: 6, 3: 4}, "dense": 8, "stem": {1: 8, 2: 4}, "grouped": {1: 8, 2: 6, 3: 4}},
    "wide": {
        "block": 16, "pixels": {1: 14, 2: 10, 3: 7}, "dense": 8, "stem": {1: 7, 2: 7, 3: 5}, "grouped": {1: 10, 2: 8, 3: 6},
    },
}
SHAPE_OF = {"avx2": "narrow", "neon": "narrow", "scalar": "narrow", "avx512": "wide", "wide16": "wide"}
ROLLED = ("scalar", "wide16")  # out-of-line vocabularies: unrolling costs compile time and gains nothing
WINDOWS = ((3, 1), (3, 2), (5, 1), (5, 2), (7, 1), (7, 2))
SEVEN, EIGHT = 7, 8  # pixels of a depthwise tile: eight chains keep two units of latency 4 busy; seven are a row of 7
LINE = 16  # floats of a cache line
LATER = 2  # lines of a later layer that a tile asks for at once: more of them cost the tile time (refmnas/engine/early.py)
DENSE_AHEAD = 1024  # floats of weights that a panel of one pixel asks for in advance
PIECE = 8  # channels of a pass of a grouped convolution's loop, where its groups are whole multiples of it
ASSEMBLED = 12  # accumulators at which GCC 12 spills on AVX2, where the loop's body is given as assembly


def listing(template, *ranges):
    """`template` with {0}, {1}, ... for every index of the ranges, in order."""
    if not ranges:
        return [template]
    if len(ranges) == 1:
        return [template.format(i) for i in ranges[0]]
    return [template.format(i, j) for i in ranges[0] for j in ranges[1]]


def pointwise(isa, n, m):
    """The lines of pw_nNmM."""
    block = SHAPES[SHAPE_OF[isa]]["block"]
    unroll = 1 if isa in ROLLED else 8
    pixels, blocks = range(m), range(n)
    body = _assembly(n, m, block) if isa == "avx2" and n * m == ASSEMBLED else _steps(n, m, block, unroll)
    return [
        f"static void RM_NAME(pw_n{n}m{m})(rm_pw *r, int64_t first, int64_t tiles)",
        "{",
        "    const int64_t a_plane = r->a_plane, blocks = r->blocks;",
        "    const float *start = r->a + first * RM_BLOCK, *later = r->later;",
        f"    const float *ahead = r->ahead + first / {m} * blocks * {LINE};",
        "    const int32_t *at = r->at + first;",
        f"    for (; tiles; tiles--, start += {m * block}, at += {m}) {{",
        "        const float *x = start, *w = r->w;",
        "        ahead = ahead < r->ahead_end ? ahead : w; /* all is asked for: what is here already costs nothing */",
        "        later = later < r->later_end ? later : w;",
        *listing(f"        const blk bias{{0}} = blk_load(r->b + {{0}} * {block});", blocks),
        *listing("        blk c{0}_{1} = bias{1};", pixels, blocks),
        f"        for (int64_t k = 0; k < blocks * {block // unroll}; k++) {{",
        *body,
        f"            w += {unroll * n * block};",
        f"            ahead += {LINE}, later += {LATER * LINE};",
        *_advance(block, unroll),
        "        }",
        "        const int64_t y_plane = r->y_plane;",
        *_summed(pixels, blocks),
        *_activated(pixels, blocks),
        *listing("        blk_store(r->y + at[{0}] + {1} * y_plane, c{0}_{1});", pixels, blocks),
        "    }",
        "    r->later = later;",
        "}",
    ]


def _advance(block, unroll):
    """x to the next channels: within its block, then to the next block's plane."""
    if block == unroll:
        return ["            x += a_plane;"]
    passes = block // unroll
    return [f"            x += k % {passes} == {passes - 1} ? a_plane - {block - unroll} : {unroll};"]


def _steps(n, m, block, unroll):
    """`unroll` channels of the loop's body."""
    lines = []
    for u in range(unroll):
        lines.append("            {")
        if n == 8:
            lines += [
                f"                RM_PREFETCH(w + {DENSE_AHEAD + (u * n + j) * block});" for j in range(0, n, LINE // block)
            ]
        elif u == 0:
            lines += ["                RM_PREFETCH(ahead);"]
            lines += [f"                RM_PREFETCH(later + {k * LINE});" for k in range(LATER)]
        lines += [f"                blk b{j} = blk_load(w + {(u * n + j) * block});" for j in range(n)]
        lines += [f"                RM_PIN(b{j});" for j in range(n)] if n < 8 else []
        for p in range(m):
            lines.append(f"                const blk a{p} = blk_set(x + {p * block + u});")
            lines += [f"                blk_mac(&c{p}_{j}, &a{p}, &b{j});" for j in range(n)]
        lines.append("            }")
    return lines


def _assembly(n, m, block):
    """The same for 8 channels as AVX2 instructions: weights in ymm12 and up, the input in ymm15."""
    text = ["prefetcht1 (%[ahead])", *(f"prefetcht1 {4 * k * LINE}(%[later])" for k in range(LATER))]
    for u in range(8):
        text += [f"vmovups {(u * n + j) * block * 4}(%[w]), %%ymm{12 + j}" for j in range(n)]
        for p in range(m):
            text.append(f"vbroadcastss {(p * block + u) * 4}(%[x]), %%ymm15")
            text += [f"vfmadd231ps %%ymm{12 + j}, %%ymm15, %[c{p}{j}]" for j in range(n)]
    return _block_of_assembly(text, n, m, '[x] "r"(x), [w] "r"(w), [ahead] "r"(ahead), [later] "r"(later)')


def _summed(pixels, blocks):
    """The residual, before the activation."""
    added = "            c{0}_{1} = blk_add(c{0}_{1}, blk_load(r->res + at[{0}] + {1} * y_plane));"
    return ["        if (r->res) {", *listing(added, pixels, blocks), "        }"]


def _activated(pixels, blocks):
    """ReLU and ReLU6 in registers; the others act on what is stored."""
    relu = listing("            c{0}_{1} = blk_max(c{0}_{1}, zero);", pixels, blocks)
    six = listing("                c{0}_{1} = blk_min(c{0}_{1}, most);", pixels, blocks)
    return [
        "        if (r->act == RM_ACT_RELU || r->act == RM_ACT_RELU6) {",
        "            const blk zero = blk_zero();",
        *relu,
        "            if (r->act == RM_ACT_RELU6) {",
        "                const blk most = blk_set(&RM_SIX);",
        *six,
        "            }",
        "        }",
    ]


def stem(isa, n, m):
    """The lines of stem_nNmM."""
    unroll = 1 if isa in ROLLED else 9  # a row of a 3 x 3 window
    block, pixels, blocks = SHAPES[SHAPE_OF[isa]]["block"], range(m), range(n)
    return [
        f"static void RM_NAME(stem_n{n}m{m})(const rm_stem *r, int64_t first, int64_t tiles)",
        "{",
        "    const int64_t step = r->x_step, rows = r->rows, columns = r->columns, y_plane = r->y_plane;",
        f"    float *y = r->y + first * {block};",
        *listing(f"    const blk bias{{0}} = blk_load(r->b + {{0}} * {block});", blocks),
        f"    for (int64_t at = first * step; tiles; tiles--, at += {m} * step, y += {m * block}) {{",
        *listing("        blk c{0}_{1} = bias{1};", pixels, blocks),
        "        const float *w = r->w;",
        "        for (int64_t i = 0; i < rows; i++) {",
        "            const float *x = r->x[i] + at;",
        "            int64_t j = 0;",
        f"            for (; columns - j >= {unroll}; j += {unroll}, x += {unroll}, w += {unroll * n * block}) {{",
        *[line for u in range(unroll) for line in _stem_step(n, m, block, u)],
        "            }",
        f"            for (; j < columns; j++, x++, w += {n * block}) {{",
        *_stem_step(n, m, block, 0),
        "            }",
        "        }",
        *_activated(pixels, blocks),
        *listing(f"        blk_store(y + {{0}} * {block} + {{1}} * y_plane, c{{0}}_{{1}});", pixels, blocks),
        "    }",
        "}",
    ]


def _stem_step(n, m, block, u):
    """Column and channel number u of a kernel row."""
    lines = ["                {"]
    for j in range(n):
        lines += [f"                blk b{j} = blk_load(w + {(u * n + j) * block});", f"                RM_PIN(b{j});"]
    for p in range(m):
        lines.append(f"                const blk a{p} = blk_set(x + {p} * step + {u});")
        lines += [f"                blk_mac(&c{p}_{j}, &a{p}, &b{j});" for j in range(n)]
    return [*lines, "                }"]


def grouped(isa, n, m):
    """The lines of gc_nNmM."""
    block, pixels, blocks = SHAPES[SHAPE_OF[isa]]["block"], range(m), range(n)
    is_assembled = isa == "avx2" and n > 1 and n * m == ASSEMBLED
    windows = f"const float *x[{m}] = {{{', '.join(f'r->u + at[{p}]' for p in pixels)}}};"
    apart = [f"const float *const x{p} = r->u + at[{p}];" for p in pixels]
    whole = _grouped_assembly(n, m, block) if is_assembled else _grouped_steps(n, m, block, range(PIECE), "x{0}")
    single = _grouped_steps(n, m, block, range(1), "x[{0}]" if is_assembled else "x{0}")
    if isa in ROLLED:
        loops = _over_pieces(_channel_by_channel(single, n, block))
    else:
        asked = [] if is_assembled else ["RM_PREFETCH(ahead);"]
        whole = [*asked, *whole, f"w += {PIECE * n * block};", f"ahead += {LINE};"]
        loops = [f"        if (r->piece == {PIECE}) {{", *_over_pieces(whole)]
        loops += ["        } else {", *_over_pieces(_channel_by_channel(single, n, block)), "        }"]
    return [
        f"static void RM_NAME(gc_n{n}m{m})(const rm_gc *r, int64_t first, int64_t tiles)",
        "{",
        "    const int64_t y_plane = r->y_plane, rows = r->rows, count = r->piece_count;",
        "    const int32_t *at = r->pixels + first;",
        f"    float *y = r->y + first * {block};",
        *([] if isa in ROLLED else [f"    const float *ahead = r->ahead + first / {m} * rows * count * {LINE};"]),
        f"    for (; tiles; tiles--, at += {m}, y += {m * block}) {{",
        *(f"        {line}" for line in ([windows] if is_assembled else apart)),
        "        const float *w = r->w;",
        *([] if isa in ROLLED else ["        ahead = ahead < r->ahead_end ? ahead : w;"]),
        *listing(f"        const blk bias{{0}} = blk_load(r->b + {{0}} * {block});", blocks),
        *listing("        blk c{0}_{1} = bias{1};", pixels, blocks),
        *loops,
        *_activated(pixels, blocks),
        *listing(f"        blk_store(y + {{0}} * {block} + {{1}} * y_plane, c{{0}}_{{1}});", pixels, blocks),
        "    }",
        "}",
    ]


def _over_pieces(body):
    """`body` for every piece of a window: k floats from a pixel's place to its first channel."""
    return [
        "            for (int64_t i = 0; i < rows; i++) {",
        "                const int64_t row = r->row[i];",
        "                for (int64_t t = 0; t < count; t++) {",
        "                    int64_t k = row + r->pieces[t];",
        *(f"                    {line}" for line in body),
        "                }",
        "            }",
    ]


def _channel_by_channel(single, n, block):
    return [f"for (int64_t e = 0; e < r->piece; e++, k++, w += {n * block}) {{", *single, "}"]


def _grouped_steps(n, m, block, channels, x):
    """The channels of a piece; `x` names a pixel's place."""
    lines = []
    for u in channels:
        lines.append("{")
        lines += [f"    blk b{j} = blk_load(w + {(u * n + j) * block});" for j in range(n)]
        lines += [f"    RM_PIN(b{j});" for j in range(n)]
        for p in range(m):
            lines.append(f"    const blk a{p} = blk_set({x.format(p)} + k + {u});")
            lines += [f"    blk_mac(&c{p}_{j}, &a{p}, &b{j});" for j in range(n)]
        lines.append("}")
    return lines


def _grouped_assembly(n, m, block):
    """The same for a piece as AVX2 instructions; the pixels' places come from memory, a few for all its channels."""
    places = ("rax", "rcx", "r8", "r9", "r10", "r11")[:m]
    text = ["prefetcht1 (%[ahead])", *(f"mov {8 * p}(%[x]), %%{place}" for p, place in enumerate(places))]
    for u in range(PIECE):
        text += [f"vmovups {(u * n + j) * block * 4}(%[w]), %%ymm{12 + j}" for j in range(n)]
        for p, place in enumerate(places):
            text.append(f"vbroadcastss {u * 4}(%%{place},%[k],4), %%ymm15")
            text += [f"vfmadd231ps %%ymm{12 + j}, %%ymm15, %[c{p}{j}]" for j in range(n)]
    return _block_of_assembly(text, n, m, '[x] "r"(x), [w] "r"(w), [k] "r"(k), [ahead] "r"(ahead)', places)


def _block_of_assembly(text, n, m, inputs, places=()):
    """Lines of C around instructions that change the accumulators c0_0 and on, and the registers `places`."""
    outputs = ", ".join(f'[c{p}{j}] "+x"(c{p}_{j})' for p in range(m) for j in range(n))
    clobbers = ", ".join(f'"{name}"' for name in ("ymm12", "ymm13", "ymm14", "ymm15", *places, "memory"))
    lines = [f'                "{line}\\n\\t"' for line in text]
    return ["            __asm__(", *lines, f"                : {outputs} : {inputs} : {clobbers});"]


def depthwise(isa, kernel, stride, length):
    """The lines of dw_kKsSrR."""
    block, run, taps = SHAPES[SHAPE_OF[isa]]["block"], range(length), range(kernel)
    meets = []
    for m in range((length - 1) * stride + kernel):
        used = [t for t in run if 0 <= m - t * stride < kernel]
        meets += [f"            {{ blk v = blk_load(x + {m * block}); {'RM_PIN(v);' if len(used) > 1 else ''}"]
        meets += [f"              blk_mac(&c{t}, &v, &w{m - t * stride});" for t in used]
        meets += ["            }"]
    unroll = f'    _Pragma("GCC unroll {kernel}")' if kernel == 3 and isa not in ROLLED else ""
    name = f"dw_k{kernel}s{stride}r{length}"
    return [
        f"static void RM_NAME({name})(const rm_dw *r, const int64_t *row, int64_t q, float *y)",
        "{",
        f"    const float *u = r->u + q * {stride * block}, *w = r->w;",
        "    const blk bias = blk_load(r->b);",
        *listing("    blk c{0} = bias;", run),
        unroll,
        f"    for (int64_t i = 0; i < {kernel}; i++, w += {kernel * block}) {{",
        "        const float *x = u + row[i];",
        *listing(f"        const blk w{{0}} = blk_load(w + {{0}} * {block});", taps),
        *meets,
        "    }",
        "    if (r->act == RM_ACT_RELU || r->act == RM_ACT_RELU6) {",
        "        const blk zero = blk_zero();",
        *listing("        c{0} = blk_max(c{0}, zero);", run),
        "        if (r->act == RM_ACT_RELU6) {",
        "            const blk most = blk_set(&RM_SIX);",
        *listing("            c{0} = blk_min(c{0}, most);", run),
        "        }",
        "    }",
        *listing(f"    blk_store(y + {{0}} * {block}, c{{0}});", run),
        "}",
    ]


def runs(isa, kernel):
    """The lengths of the tiles: with 16 registers, eight chains and seven taps leave none for the input."""
    return (SEVEN,) if kernel == 7 and SHAPE_OF[isa] == "narrow" else (SEVEN, EIGHT)


def depthwise_rows(isa, kernel, stride):
    """The lines of dw_kKsS: all rows by the tiles of both lengths."""
    name = f"dw_k{kernel}s{stride}"
    short, *long = (f"RM_NAME({name}r{length})" for length in runs(isa, kernel))
    tiles = f"{short}, {(*long, 'NULL')[0]}"
    return [f"static void RM_NAME({name})(const rm_dw *r)", "{", f"    RM_NAME(dw_rows)(r, {tiles});", "}"]


def tables(isa):
    """The lines of the tables that find a tile by its sizes."""
    shape = SHAPES[SHAPE_OF[isa]]
    most = max(shape["pixels"].values())
    lines = [f"enum {{ RM_NAME(most) = {most}, RM_NAME(dense_blocks) = {shape['dense']} }};"]
    rows = [_row(f"pw_n{n}m", shape["pixels"].get(n, 0), most) for n in range(1, 4)]
    lines += [f"static void (*const RM_NAME(pw_tiles)[3][{most}])(rm_pw *, int64_t, int64_t) = {{"]
    lines += [f"    {{{row}}}," for row in rows] + ["};"]
    lines += [f"static const int RM_NAME(pw_pixels)[3] = {{{', '.join(str(shape['pixels'][n]) for n in (1, 2, 3))}}};"]
    widest, stems = max(shape["stem"]), max(shape["stem"].values())
    lines += [f"static void (*const RM_NAME(stem_tiles)[{widest}][{stems}])(const rm_stem *, int64_t, int64_t) = {{"]
    lines += [f"    {{{_row(f'stem_n{n}m', shape['stem'][n], stems)}}}," for n in range(1, widest + 1)] + ["};"]
    pixels = ", ".join(str(shape["stem"][n]) for n in range(1, widest + 1))
    lines += [f"static const int RM_NAME(stem_pixels)[{widest}] = {{{pixels}}};"]
    lines += _tables_of_grouped(shape["grouped"])
    lines += [
        "static const struct {",
        "    int kernel, stride;",
        "    void (*run)(const rm_dw *);",
        "} RM_NAME(dw_tiles)[] = {",
    ]
    lines += [f"    {{{k}, {s}, RM_NAME(dw_k{k}s{s})}}," for k, s in WINDOWS] + ["};"]
    lines += [f"static void (*const RM_NAME(pw_dense))(rm_pw *, int64_t, int64_t) = RM_NAME(pw_n{shape['dense']}m1);"]
    return [*lines, f"enum {{ RM_NAME(stem_blocks) = {widest} }};"]


def _tables_of_grouped(most):
    """The tiles of a grouped convolution, and the most pixels of each width."""
    longest, widths = max(most.values()), range(1, 4)
    lines = [f"static void (*const RM_NAME(gc_tiles)[3][{longest}])(const rm_gc *, int64_t, int64_t) = {{"]
    lines += [f"    {{{_row(f'gc_n{n}m', most[n], longest)}}}," for n in widths] + ["};"]
    return [*lines, f"static const int RM_NAME(gc_pixels)[3] = {{{', '.join(str(most[n]) for n in widths)}}};"]


def _row(prefix, count, length):
    return ", ".join([f"RM_NAME({prefix}{m})" for m in range(1, count + 1)] + ["0"] * (length - count))


def tiles(isa):
    """{name: lines} of every tile that some plan uses."""
    shape = SHAPES[SHAPE_OF[isa]]
    found = {f"pw_n{n}m{m}": pointwise(isa, n, m) for n, most in shape["pixels"].items() for m in range(1, most + 1)}
    found[f"pw_n{shape['dense']}m1"] = pointwise(isa, shape["dense"], 1)
    found |= {f"stem_n{n}m{m}": stem(isa, n, m) for n, most in shape["stem"].items() for m in range(1, most + 1)}
    found |= {f"gc_n{n}m{m}": grouped(isa, n, m) for n, most in shape["grouped"].items() for m in range(1, most + 1)}
    for k, s in WINDOWS:
        found |= {f"dw_k{k}s{s}r{r}": depthwise(isa, k, s, r) for r in runs(isa, k)}
        found[f"dw_k{k}s{s}"] = depthwise_rows(isa, k, s)
    return found


def text(isa):
    """The whole file of an instruction set."""
    lines = [f"/* Written by csrc/tiles.py for {isa}. */"]
    for body in tiles(isa).values():
        lines += [line for line in body if line]
    return "\n".join([*lines, *tables(isa)]) + "\n"


def write(folder):
    """tiles_ISA.inc.h for every instruction set, in `folder`; files that are already so stay untouched."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for isa in SHAPE_OF:
        path, body = Path(folder) / f"tiles_{isa}.inc.h", text(isa)
        if not path.exists() or path.read_text(encoding="utf-8") != body:
            path.write_text(body, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("isa", choices=SHAPE_OF)
    parser.add_argument("out", help="a file, or - for standard output")
    parser.add_argument("--only", metavar="NAME", help="one tile, as pw_n3m4")
    args = parser.parse_args()
    body = "\n".join(tiles(args.isa)[args.only]) + "\n" if args.only else text(args.isa)
    if args.out == "-":
        sys.stdout.write(body)
    else:
        Path(args.out).write_text(body, encoding="utf-8")


if __name__ == "__main__":
    main()
