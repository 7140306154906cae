"""Asks the running kernel for the machine code of small programs (root, Linux x86-64).

    python3 scripts/capture-jit.py [--seed N] [--scale N] [--families a,b,...] > captures.jsonl

Writes one JSON object a line: first the kernel (release, CPU settings, symbols), then the programs as loaded:
rewritten instructions as user space sees them, machine code, addresses and what the verifier says of stack depths.
scripts/jit-parity.ts compares them with our own code and makes test data of them. Nothing is attached or pinned.
"""
import argparse
import contextlib
import ctypes
import json
import os
import random
import re
import struct
import sys

libc = ctypes.CDLL(None, use_errno=True)
BPF = 321
MAP_CREATE, MAP_UPDATE, PROG_LOAD, GET_INFO, BTF_LOAD = 0, 2, 5, 15, 18

LD, LDX, ST, STX, ALU, JMP, JMP32, ALU64 = range(8)
W, H, B, DW = 0x00, 0x08, 0x10, 0x18
SIZES = (W, H, B, DW)
MEM, MEMSX, ATOMIC = 0x60, 0x80, 0xC0
ADD, SUB, MUL, DIV, OR, AND, LSH, RSH, NEG, MOD, XOR, MOV, ARSH, END = (n << 4 for n in range(14))
JA, JEQ, JGT, JGE, JSET, JNE, JSGT, JSGE, CALL, EXIT, JLT, JLE, JSLT, JSLE, JCOND = (n << 4 for n in range(15))
CONDITIONS = (JEQ, JGT, JGE, JSET, JNE, JSGT, JSGE, JLT, JLE, JSLT, JSLE)
X = 8
TYPES = dict(socket_filter=1, kprobe=2, sched_cls=3, tracepoint=5, xdp=6, cgroup_skb=8, raw_tracepoint=17, syscall=31)
MAPS = dict(hash=1, array=2, prog_array=3, perf_event_array=4, percpu_hash=5, percpu_array=6, lru_hash=9,
            hash_of_maps=13, array_of_maps=12, ringbuf=27, arena=33)

keep = []


def sys_bpf(cmd, attr):
    buf = ctypes.create_string_buffer(bytes(attr), len(attr))
    result = libc.syscall(BPF, cmd, buf, len(attr))
    return (result if result >= 0 else -ctypes.get_errno()), buf.raw


def pointer(data):
    buf = ctypes.create_string_buffer(data, len(data)) if isinstance(data, (bytes, bytearray)) else data
    keep.append(buf)
    return ctypes.addressof(buf)


def insn(code, dst=0, src=0, off=0, imm=0):
    imm &= 0xFFFFFFFF
    return struct.pack('<BBhI', code, dst | src << 4, off, imm)


def alu_k(op, dst, imm, wide=True, off=0):
    return insn((ALU64 if wide else ALU) | op, dst, 0, off, imm)


def alu_x(op, dst, src, wide=True, off=0, imm=0):
    return insn((ALU64 if wide else ALU) | op | X, dst, src, off, imm)


def mov(dst, imm):
    return alu_k(MOV, dst, imm)


def jump_k(op, dst, imm, off, wide=True):
    return insn((JMP if wide else JMP32) | op, dst, 0, off, imm)


def jump_x(op, dst, src, off, wide=True):
    return insn((JMP if wide else JMP32) | op | X, dst, src, off)


def goto(off):
    return insn(JMP | JA, 0, 0, off)


def load(size, dst, src, off, mode=MEM):
    return insn(LDX | size | mode, dst, src, off)


def store(size, dst, off, src):
    return insn(STX | size | MEM, dst, src, off)


def store_k(size, dst, off, imm):
    return insn(ST | size | MEM, dst, 0, off, imm)


def atomic(size, dst, off, src, op):
    return insn(STX | size | ATOMIC, dst, src, off, op)


def const64(dst, value, kind=0):
    value &= (1 << 64) - 1
    return insn(LD | DW, dst, kind, 0, value & 0xFFFFFFFF) + insn(0, imm=value >> 32)


def map_fd(dst, fd):
    return const64(dst, fd, 1)


def map_value(dst, fd, off=0):
    return insn(LD | DW, dst, 2, 0, fd) + insn(0, imm=off)


def function(dst, distance):
    return insn(LD | DW, dst, 4, 0, distance) + insn(0)


def call(helper):
    return insn(JMP | CALL, imm=helper)


def call_local(distance):
    return insn(JMP | CALL, 0, 1, 0, distance)


def call_kernel(btf_id):
    return insn(JMP | CALL, 0, 2, 0, btf_id)


EXIT_INSN = insn(JMP | EXIT)


def count(code):
    return len(code) // 8


def map_create(kind, key, value, entries, flags=0, inner=0, extra=0):
    attr = struct.pack('<IIIIII', MAPS[kind], key, value, entries, flags, inner)
    attr += struct.pack('<I16sIIIII', 0, b'm', 0, 0, 0, 0, 0) + struct.pack('<Qii', extra, 0, 0)
    fd, _ = sys_bpf(MAP_CREATE, attr)
    if fd < 0:
        raise OSError(-fd, 'map ' + kind)
    return fd


def map_update(fd, key, value):
    result, _ = sys_bpf(MAP_UPDATE, struct.pack('<IIQQQ', fd, 0, pointer(key), pointer(value), 0))
    if result < 0:
        raise OSError(-result, 'map update')


def function_types(total, handler=None):
    """Descriptor of type information for functions f0, f1, ... and their type ids; `handler` handles exceptions."""
    strings, types = b'\0', b''

    def name(text):
        nonlocal strings
        strings += text.encode() + b'\0'
        return len(strings) - len(text) - 1

    types += struct.pack('<IIII', name('int'), 1 << 24, 4, 1 << 24 | 32)
    types += struct.pack('<IIII', name('long'), 1 << 24, 8, 1 << 24 | 64)
    types += struct.pack('<III', 0, 13 << 24, 1)
    types += struct.pack('<IIIII', 0, 13 << 24 | 1, 1, name('cookie'), 2)
    for n in range(total):
        types += struct.pack('<III', name(f'f{n}'), 12 << 24 | (1 if n == handler else 0), 4 if n == handler else 3)
    if handler is not None:
        types += struct.pack('<IIIi', name(f'exception_callback:f{handler}'), 17 << 24, 5, -1)
    data = struct.pack('<HBBIIIII', 0xEB9F, 1, 0, 24, 0, len(types), len(types), len(strings)) + types + strings
    fd, _ = sys_bpf(BTF_LOAD, struct.pack('<QQIIIIII', pointer(data), 0, len(data), 0, 0, 0, 0, 0))
    if fd < 0:
        raise OSError(-fd, 'type information')
    return fd, [5 + n for n in range(total)]


def prog_load(code, kind, level=4, starts=(), handler=None):
    """(fd or negative errno, log); log level 4: statistics only. `starts`: first instruction of each function."""
    log = ctypes.create_string_buffer(1 << 20 if level & 1 else 1 << 14)
    attr = struct.pack('<IIQQIIQ', TYPES[kind], len(code) // 8, pointer(code), pointer(b'GPL\0'), level, len(log),
                       ctypes.addressof(log))
    attr += struct.pack('<II16sII', 0, 16 if kind == 'syscall' else 0, b'p', 0, 0)
    types = -1
    if starts:
        types, ids = function_types(len(starts), handler)
        records = b''.join(struct.pack('<II', start, ident) for start, ident in zip(starts, ids))
        attr += struct.pack('<IIQI', types, 8, pointer(records), len(starts)) + bytes(52)
    else:
        attr += bytes(72)
    fd, _ = sys_bpf(PROG_LOAD, attr)
    if types >= 0:
        os.close(types)
    keep.clear()
    return fd, log.value.decode(errors='replace')


def info(fd):
    """xlated, jited, addresses and lengths of the functions of a loaded program."""
    size = 232
    first = ctypes.create_string_buffer(size)
    sys_bpf(GET_INFO, struct.pack('<IIQ', fd, size, ctypes.addressof(first)))
    jited_len, xlated_len = struct.unpack_from('<II', first.raw, 16)
    functions = struct.unpack_from('<I', first.raw, 104)[0]
    jited, xlated = ctypes.create_string_buffer(jited_len or 1), ctypes.create_string_buffer(xlated_len or 1)
    ksyms, lens = (ctypes.c_uint64 * functions)(), (ctypes.c_uint32 * functions)()
    ask = ctypes.create_string_buffer(size)
    struct.pack_into('<IIQQ', ask, 16, jited_len, xlated_len, ctypes.addressof(jited), ctypes.addressof(xlated))
    struct.pack_into('<IIQQ', ask, 104, functions, functions, ctypes.addressof(ksyms), ctypes.addressof(lens))
    sys_bpf(GET_INFO, struct.pack('<IIQ', fd, size, ctypes.addressof(ask)))
    return xlated.raw[:xlated_len], jited.raw[:jited_len], list(ksyms), list(lens)


def kernel():
    """What machine code depends on besides the program: symbols, and the CPU settings that two programs betray."""
    symbols = {}
    wanted = re.compile(r'^(__bpf_call_base|\w*return_thunk|__x86_indirect_\w*thunk_rcx|clear_bhb_loop)$')
    with open('/proc/kallsyms') as lines:
        for line in lines:
            address, _, name = line.split()[:3]
            if wanted.match(name):
                symbols.setdefault(int(address, 16), name)
    flags = re.search(r'^flags\s*:(.*)$', open('/proc/cpuinfo').read(), re.M).group(1).split()

    def jump_target(code, base, at):
        return symbols.get(base + at + 5 + struct.unpack_from('<i', code, at + 1)[0])

    _, code, (base,), _ = info(prog_load(mov(0, 0) + EXIT_INSN, 'xdp')[0])
    thunk = jump_target(code, base, len(code) - 5) if code[-5] == 0xE9 else None
    tail = map_fd(2, map_create('prog_array', 4, 4, 1)) + load(W, 3, 1, 0) + call(12) + mov(0, 0) + EXIT_INSN
    _, code, (base,), _ = info(prog_load(tail, 'xdp')[0])
    leave = code.index(bytes((0x48, 0x83, 0xC1))) + 4
    jump = jump_target(code, base, leave) if code[leave] == 0xE9 else None
    cpu = dict(bmi2='bmi2' in flags, la57='la57' in flags, returnThunk=thunk, sls=code[-1] == 0xCC,
               ibt=code[:4] == b'\xf3\x0f\x1e\xfa', callDepthTracking=False, clearBhb=False,
               its=bool(jump and 'its' in jump),
               retpoline='generic' if jump else 'amd' if code[leave] == 0x0F else 'none')
    # An address that no symbol table shows: the per-CPU base, in the code of a private stack.
    _, code, _, _ = info(prog_load(store_k(DW, 10, -128, 0) + mov(0, 0) + EXIT_INSN, 'kprobe')[0])
    low, = struct.unpack_from('<i', code, code.index(bytes.fromhex('654c030c25')) + 5)
    symbols[low & (1 << 64) - 1] = 'this_cpu_off'
    return dict(release=os.uname().release, cpu=cpu, symbols={name: hex(at) for at, name in symbols.items()})


def btf_function_ids(names):
    """Ids of functions in the kernel's own type information."""
    data = open('/sys/kernel/btf/vmlinux', 'rb').read()
    _, _, _, header, type_off, type_len, str_off, _ = struct.unpack_from('<HBBIIIII', data, 0)
    at, end, strings, ident, found = header + type_off, header + type_off + type_len, header + str_off, 0, {}
    tail = {1: 4, 3: 12, 14: 4, 17: 4}
    each = {4: 12, 5: 12, 6: 8, 13: 8, 15: 12, 19: 12}
    while at < end:
        ident += 1
        name, what, _ = struct.unpack_from('<III', data, at)
        kind, members = what >> 24 & 0x1F, what & 0xFFFF
        if kind == 12:
            text = data[strings + name:data.index(b'\0', strings + name)].decode()
            if text in names:
                found[text] = ident
        at += 12 + tail.get(kind, 0) + each.get(kind, 0) * members
    return found


# Programs. Each generator yields (name, code, options).

IMMEDIATES = (0, 1, 2, 7, 127, 128, -1, -128, -129, 255, 256, 1000, 0x7FFFFFFF, -0x80000000, 0x12345678, -0x12345678)
SIMPLE = (ADD, SUB, AND, OR, XOR, MUL, MOV)


def scalars(registers):
    """Loads of unknown numbers from a socket buffer in r1 into the registers; r1 comes last."""
    ordered = sorted(registers, key=lambda r: r == 1)
    return b''.join(load(W, r, 1, 8 if r % 2 else 0) for r in ordered)


def finish(code, registers):
    return code + (b'' if 0 in registers else mov(0, 0)) + EXIT_INSN


def chunks(items, size):
    for i in range(0, len(items), size):
        yield items[i:i + size]


def systematic(rng, scale):
    """Every operation with every pair of registers and the interesting constants."""
    every = range(10)
    start = scalars(every)
    units = []
    for wide in (True, False):
        for op in SIMPLE:
            units += [alu_k(op, d, k, wide) for d in every for k in IMMEDIATES]
            units += [alu_x(op, d, s, wide) for d in every for s in every]
        for op in (LSH, RSH, ARSH):
            units += [alu_k(op, d, k, wide) for d in every for k in (0, 1, 2, 16, 31, 63 if wide else 30)]
            units += [alu_x(op, d, s, wide) for d in every for s in every]
        for op in (DIV, MOD):
            for off in (0, 1):
                units += [alu_k(op, d, k, wide, off) for d in every for k in (1, 2, 7, 1000, -1, -1000)]
                units += [alu_x(op, d, s, wide, off) for d in every for s in every]
        units += [insn((ALU64 if wide else ALU) | NEG, d) for d in every]
        units += [alu_x(MOV, d, s, wide, off) for d in every for s in every for off in ((8, 16, 32) if wide else (8, 16))]
    for bits in (16, 32, 64):
        units += [insn(code | END, d, imm=bits) for code in (ALU, ALU | X, ALU64) for d in every]
    units += [const64(d, v) for d in every for v in
              (0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 32, -1, -0x80000000, -0x80000001, 0x123456789ABCDEF0)]
    for i, group in enumerate(chunks(units, 60)):
        yield f'systematic-{i}', finish(start + b''.join(group), every), {}
    # Memory on the stack: each width, register and reach.
    units = []
    for size in SIZES:
        for off in (-8, -128, -136, -256, -512):
            units += [store_k(size, 10, off, k) for k in (0, 1, -1, 0x1234567)]
            units += [store(size, 10, off, s) for s in every]
            units += [load(size, d, 10, off) for d in every]
            if size != DW:
                units += [load(size, d, 10, off, MEMSX) for d in every]
    fill = b''.join(store_k(DW, 10, off, 0) for off in (-8, -128, -136, -256, -512))
    for i, group in enumerate(chunks(units, 60)):
        yield f'stack-{i}', finish(start + fill + b''.join(group), every), {}
    # Atomic operations.
    operations = [op | f for op in (ADD, AND, OR, XOR) for f in (0, 1)] + [0xE1, 0xF1]
    units = [atomic(size, 10, off, s, op) for size in (W, DW) for op in operations for s in every for off in (-8, -136)]
    units += [atomic(size, 10, off, s, 0x110) for size in SIZES for s in every for off in (-8, -136)]
    units += [atomic(size, d, off, 10, 0x100) for size in SIZES for d in every for off in (-8, -136)]
    for i, group in enumerate(chunks(units, 40)):
        yield f'atomic-{i}', finish(start + fill + b''.join(group), every), {}
    # Conditional jumps.
    units = []
    for wide in (True, False):
        for op in CONDITIONS:
            units += [jump_k(op, d, k, 0, wide) for d in every for k in (0, 1, -1, 127, 128, -128, -129, 0x12345678)]
            units += [jump_x(op, d, s, 0, wide) for d in every for s in every]
    for i, group in enumerate(chunks(units, 30)):
        again = b''.join(alu_x(XOR, r, (r + 1) % 10) for r in every)
        yield f'jump-{i}', finish(start + b''.join(u + (again if j % 6 == 5 else b'') for j, u in enumerate(group)), every), {}


EDGES = (0, 1, -1, 127, 128, -128, -129, 0x7FFFFFFF, -0x80000000)
REACHES = (0, 1, -1, 127, 128, -127, -128, -129, 32760, -32767, -32768)
ALIGNED = (0, 8, -8, 120, 128, -128, -136, 32760, -32768)


def edges(rng, scale):
    """Every opcode with each register and the edges of immediates and of offsets, as far as a loader can bring them."""
    every = range(10)
    start = scalars(every)
    units = []
    for wide in (True, False):
        for op in SIMPLE:
            units += [alu_k(op, d, k, wide) for d in every for k in EDGES]
        for op in (DIV, MOD):
            units += [alu_k(op, d, k, wide, off) for d in every for k in EDGES if k for off in (0, 1)]
        for op in (LSH, RSH, ARSH):
            units += [alu_k(op, d, k, wide) for d in every for k in (0, 1, 31, 63 if wide else 31)]
    units += [const64(d, low | high << 32) for d in every for high in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000)
              for low in (0, 1, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000)]
    for i, group in enumerate(chunks(units, 200)):
        yield f'edges-alu-{i}', finish(start + b''.join(group), every), {}
    # Memory of a map, whose middle is in any register.
    fd = map_create('array', 4, 1 << 16, 1)
    for base in every:
        values = [r for r in every if r != base]
        head = scalars(every) + map_value(base, fd, 1 << 15)
        units = []
        for size in SIZES:
            for off in REACHES:
                units += [store_k(size, base, off, k) for k in (EDGES if off in (0, 128) else (-129,))]
                units += [store(size, base, off, s) for s in values]
                units += [load(size, d, base, off) for d in values]
                units += [load(size, d, base, off, MEMSX) for d in values if size != DW]
        operations = [op | f for op in (ADD, AND, OR, XOR) for f in (0, 1)] + [0xE1, 0xF1]
        for off in ALIGNED:
            for size in (W, DW):
                units += [atomic(size, base, off, s, op) for op in operations for s in values if base or op != 0xF1]
            units += [atomic(size, base, off, s, 0x110) for size in SIZES for s in values]
            units += [atomic(size, d, off, base, 0x100) for size in SIZES for d in values]
        for i, group in enumerate(chunks(units, 400)):
            yield f'edges-memory-{base}-{i}', finish(head + b''.join(group), every), {}
    # Jumps over each distance around where one byte is too short.
    for wide in (True, False):
        for op in CONDITIONS:
            for j, distance in enumerate((0, 2, 3, *range(118, 131), 300)):
                fill = b''
                left = distance
                while left >= 14:
                    fill += const64(2, 1 << 40)
                    left -= 10
                if left % 2:
                    fill += insn(ALU64 | NEG, 0)
                    left -= 3
                fill += alu_x(MOV, 0, 0, False) * (left // 2) if left > 0 else b''
                jump = jump_k(op, 7, 1000, count(fill), wide) if j % 2 else jump_x(op, 8, 9, count(fill), wide)
                yield f'edges-jump-{wide}-{op}-{j}', finish(start + jump + fill, every), {}


def random_alu(rng, registers, wide=None):
    """One operation that the verifier accepts on unknown numbers."""
    wide = rng.random() < 0.6 if wide is None else wide
    d, s = rng.choice(registers), rng.choice(registers)
    kind = rng.random()
    if kind < 0.35:
        return alu_k(rng.choice(SIMPLE), d, rng.choice(IMMEDIATES) if rng.random() < 0.6 else rng.getrandbits(32), wide)
    if kind < 0.6:
        return alu_x(rng.choice(SIMPLE), d, s, wide)
    if kind < 0.7:
        return alu_k(rng.choice((LSH, RSH, ARSH)), d, rng.randrange(64 if wide else 32), wide)
    if kind < 0.77:
        return alu_x(rng.choice((LSH, RSH, ARSH)), d, s, wide)
    if kind < 0.82:
        return insn((ALU64 if wide else ALU) | NEG, d)
    if kind < 0.87:
        return insn(rng.choice((ALU, ALU | X, ALU64)) | END, d, imm=rng.choice((16, 32, 64)))
    if kind < 0.92:
        return alu_x(MOV, d, s, wide, rng.choice((8, 16, 32) if wide else (8, 16)))
    if kind < 0.95:
        return const64(d, rng.choice((rng.getrandbits(64), rng.getrandbits(32), -rng.getrandbits(31))))
    if kind < 0.98:
        return alu_k(rng.choice((DIV, MOD)), d, rng.choice((1, 3, 1000, -5)), wide, rng.randrange(2))
    return alu_x(rng.choice((DIV, MOD)), d, s, wide, rng.randrange(2))


def random_memory(rng, registers, depth):
    size = rng.choice(SIZES)
    off = -8 * rng.randint(1, depth // 8)
    r = rng.choice(registers)
    kind = rng.random()
    if kind < 0.3:
        return store(size, 10, off, r)
    if kind < 0.5:
        return store_k(size, 10, off, rng.getrandbits(32))
    if kind < 0.8:
        return load(size, r, 10, off)
    if kind < 0.9:
        return load(rng.choice((W, H, B)), r, 10, off, MEMSX)
    return atomic(rng.choice((W, DW)), 10, off, r, rng.choice((ADD, AND | 1, OR, XOR | 1, ADD | 1, 0xE1, 0xF1)))


def subset(rng):
    return sorted(rng.sample(range(10), rng.randint(2, 10)))


def straight(rng, scale):
    for i in range(150 * scale):
        registers = subset(rng)
        depth = 8 * rng.choice((1, 2, 5, 16, 17, 33, 64))
        code = scalars(set(registers) | {0}) + b''.join(store_k(DW, 10, -8 * k, k) for k in range(1, depth // 8 + 1))
        for _ in range(rng.choice((3, 10, 40, 120))):
            code += random_memory(rng, registers, depth) if rng.random() < 0.3 else random_alu(rng, registers)
        yield f'straight-{i}', code + mov(0, 0) + EXIT_INSN, {}


def random_condition(rng, registers, off):
    wide = rng.random() < 0.6
    d = rng.choice(registers)
    op = rng.choice(CONDITIONS)
    if rng.random() < 0.5:
        return jump_k(op, d, rng.choice(IMMEDIATES), off, wide)
    return jump_x(op, d, rng.choice(registers), off, wide)


def plain_filler(rng, registers):
    """An operation that stays one instruction and keeps a number unknown."""
    d, s = rng.choice(registers), rng.choice(registers)
    return rng.choice((
        alu_x(rng.choice((ADD, XOR, OR)), d, s), alu_k(ADD, d, rng.choice((1, 1000))), alu_k(XOR, d, rng.getrandbits(31)),
        alu_x(MOV, d, s), alu_x(ADD, d, s, False), alu_k(ADD, d, 5, False)))


def branches(rng, scale):
    """Forward jumps over blocks whose lengths lie around the limits of short jumps."""
    for i in range(250 * scale):
        registers = subset(rng)
        blocks = [b''.join(plain_filler(rng, registers) for _ in range(rng.choice((0, 1, 3, 10, 25, 28, 30, 32, 35, 60))))
                  for _ in range(rng.randint(2, 25))]
        sizes = [count(b) + 1 for b in blocks]
        code = b''
        for k, block in enumerate(blocks):
            target = rng.randint(k + 1, min(len(blocks), k + 4))
            off = sum(sizes[k + 1:target]) + sizes[k] - 1
            kind = rng.random()
            if kind < 0.85 or not off:
                code += random_condition(rng, registers, off) + block
            elif kind < 0.93:
                code += random_condition(rng, registers, 1) + insn(JMP32 | JA, imm=off) + block
                sizes[k] += 1
            else:
                code += random_condition(rng, registers, 1) + goto(off) + block
                sizes[k] += 1
        exits = mov(0, 0) + EXIT_INSN
        yield f'branches-{i}', scalars(set(registers) | {0}) + code + exits, {}


def exits(rng, scale):
    """Several exits: the first is the epilogue, near and far jumps to it follow."""
    for i in range(60 * scale):
        registers = subset(rng)
        code = b''
        for _ in range(rng.randint(1, 12)):
            block = b''.join(plain_filler(rng, registers) for _ in range(rng.choice((0, 2, 10, 30, 60)))) + mov(0, 0) + EXIT_INSN
            code += random_condition(rng, registers, count(block)) + block
        yield f'exits-{i}', scalars(set(registers) | {0}) + code + mov(0, 1) + EXIT_INSN, {}


def loops(rng, scale):
    """Backward jumps: bounded loops, also nested, and may_goto."""
    for i in range(120 * scale):
        registers = [r for r in subset(rng) if r not in (8, 9)] or [2]
        filler = lambda n: b''.join(plain_filler(rng, registers) for _ in range(n))
        inner = filler(rng.choice((0, 1, 5, 20, 28, 30, 31, 33, 50)))
        if rng.random() < 0.4:
            loop = mov(9, 3) + inner + alu_k(SUB, 9, 1)
            loop += jump_k(JNE, 9, 0, -count(inner) - 2)
            inner = loop
        body = inner + filler(rng.choice((0, 1, 10, 25, 40)))
        kind = rng.random()
        if kind < 0.6:
            loop = body + alu_k(ADD, 8, 1)
            loop = mov(8, 0) + loop + jump_k(rng.choice((JNE, JLT, JSLT)), 8, 3, -count(loop) - 1, rng.random() < 0.5)
        elif kind < 0.8:
            loop = mov(8, 0) + body + insn(JMP | JCOND, 0, 0, 1) + goto(-count(body) - 2)
        else:
            loop = mov(8, 0) + body + alu_k(ADD, 8, 1) + jump_k(JGT, 8, 2, 1)
            loop += insn(JMP32 | JA, imm=-count(body) - 3)
        yield f'loops-{i}', scalars(set(registers) | {0}) + loop + mov(0, 0) + EXIT_INSN, {}


def shrinking(rng, scale):
    """Chains of jumps of which each gets short only after the next one did: as many passes as links, or too many."""
    block_of = dict(condition=b''.join(alu_x(MOV, 4, 5) for _ in range(18)) + alu_k(ADD, 4, 5),
                    goto=b''.join(alu_x(MOV, 4, 5) for _ in range(19)))
    start = scalars((0, 2, 3, 4, 5))
    for links in (3, 8, 12, 13, 14, 15, 16, 17, 18, 25, 40):
        for kind, block in block_of.items():
            code, size = b'', count(block)
            for k in range(links):
                if kind == 'condition':
                    code += jump_x(JGT, 2, 3, 2 * size + 1 if k + 1 < links else size) + block
                else:
                    code += jump_x(JGT, 2, 3, 1) + insn(JMP32 | JA, imm=2 * size + 2 if k + 1 < links else size) + block
            for tail in (mov(0, 0) + EXIT_INSN, jump_k(JEQ, 2, 5, 2) + mov(0, 0) + EXIT_INSN + block + mov(0, 1) + EXIT_INSN):
                yield f'shrinking-{kind}-{links}-{count(tail)}', start + code + block + tail, {}
        # Jumps over nothing but jumps: they vanish from the innermost outwards.
        code = b''.join(jump_k(JEQ, 2, k, links - 1) for k in range(1, links))
        code += b''.join(insn(JMP32 | JA, imm=links - k - 1) for k in range(links))
        yield f'shrinking-nested-{links}', start + code + mov(0, 0) + EXIT_INSN, {}


def dense(rng, scale):
    """Hundreds of instructions, jumps everywhere."""
    for i in range(10 * scale):
        registers = subset(rng)
        length = rng.choice((200, 500, 900))
        body = []
        for k in range(length):
            if rng.random() < 0.25:
                body.append(random_condition(rng, registers, min(rng.choice((0, 1, 5, 20, 28, 31, 36, 80)), length - k - 1)))
            else:
                body.append(plain_filler(rng, registers))
        yield f'dense-{i}', scalars(set(registers) | {0}) + b''.join(body) + mov(0, 0) + EXIT_INSN, {}


def wide_constants(rng, scale):
    """64-bit constants among jumps: they take two slots."""
    for i in range(30 * scale):
        registers = subset(rng)
        code = b''
        for _ in range(rng.randint(1, 12)):
            block = b''.join(const64(rng.choice(registers), rng.getrandbits(rng.choice((8, 32, 64)))) for _ in range(rng.randint(1, 14)))
            code += random_condition(rng, registers, count(block)) + block
        yield f'wide-{i}', scalars(set(registers) | {0}) + code + mov(0, 0) + EXIT_INSN, {}


def helpers(rng, scale):
    hash_fd, array, percpu = map_create('hash', 4, 16, 8), map_create('array', 4, 24, 8), map_create('percpu_array', 4, 8, 4)
    percpu_hash, lru, single = map_create('percpu_hash', 4, 8, 8), map_create('lru_hash', 8, 8, 64), map_create('array', 4, 24, 1)
    for i in range(40 * scale):
        code = alu_x(MOV, 6, 1)
        for _ in range(rng.randint(1, 6)):
            kind = rng.random()
            if kind < 0.4:
                code += call(rng.choice((5, 7, 8, 125, 42)))
                code += alu_x(MOV, rng.choice((7, 8, 9)), 0)
                continue
            fd = rng.choice((hash_fd, array, percpu, percpu_hash, lru))
            key = store_k(DW, 10, -8, 1) + alu_x(MOV, 2, 10) + alu_k(ADD, 2, -8)
            code += key + (map_fd(1, fd)) + call(1)
            access = b''.join((load(DW, 3, 0, 0), store_k(W, 0, 4, 7), atomic(DW, 0, 0, 3, ADD)))
            code += jump_k(JEQ, 0, 0, count(access)) + access
            if rng.random() < 0.5:
                code += map_value(4, single, 8) + load(DW, 5, 4, 0) + store(DW, 4, 8, 5)
        yield f'helpers-{i}', code + mov(0, 0) + EXIT_INSN, {}


def private_stack(rng, scale):
    """Tracing programs with much stack keep it in per-CPU memory."""
    for i in range(40 * scale):
        registers = sorted(set(subset(rng)) - {1}) or [2]
        depth = 8 * rng.choice((8, 9, 16, 33, 64))
        kind = rng.choice(('kprobe', 'tracepoint', 'raw_tracepoint'))
        code = b''.join(mov(r, r + 1) for r in set(registers) | {0})
        code += b''.join(store_k(DW, 10, -8 * k, k) for k in range(1, depth // 8 + 1))
        for _ in range(rng.choice((5, 20, 60))):
            part = rng.random()
            if part < 0.4:
                code += random_memory(rng, registers, depth)
            elif part < 0.55:
                code += alu_x(MOV, 1, 10) + alu_k(ADD, 1, -16) + mov(2, 8) + mov(3, 0) + call(113)
                code += b''.join(mov(r, r) for r in registers if r < 6)
            else:
                code += plain_filler(rng, registers)
        yield f'private-{i}', code + mov(0, 0) + EXIT_INSN, dict(type=kind)


def function_body(rng, registers, depth, helpers_too=True):
    code = b''.join(store_k(DW, 10, -8 * k, k) for k in range(1, depth // 8 + 1))
    for _ in range(rng.choice((1, 5, 20, 40))):
        kind = rng.random()
        if kind < 0.2 and depth:
            code += random_memory(rng, registers, depth)
        elif kind < 0.3 and helpers_too:
            code += call(7) + b''.join(alu_x(MOV, r, 0) for r in registers if 0 < r < 6)
        elif kind < 0.4:
            code += random_condition(rng, registers, 0)
        else:
            code += random_alu(rng, registers)
    return code


def link(functions):
    """Joins functions, gives code and starts; ('call', n) and ('address', dst, n) stand for calls and addresses of function n."""
    starts, at = [], 0
    for parts in functions:
        starts.append(at)
        at += sum(count(p) if isinstance(p, bytes) else (2 if p[0] == 'address' else 1) for p in parts)
    code = b''
    for parts in functions:
        for p in parts:
            if isinstance(p, bytes):
                code += p
            elif p[0] == 'call':
                code += call_local(starts[p[1]] - count(code) - 1)
            else:
                code += function(p[1], starts[p[2]] - count(code) - 1)
    return code, starts


def subprograms(rng, scale):
    for i in range(80 * scale):
        total = rng.randint(2, 6)
        kind = rng.choice(('socket_filter', 'xdp', 'sched_cls', 'kprobe', 'raw_tracepoint'))
        functions = []
        for n in range(total):
            registers = sorted(set(subset(rng)) | {2})
            depth = 8 * rng.choice((0, 1, 4, 8))
            parts = [b''.join(call(7) + alu_x(MOV, r, 0) if r > 5 else b'' for r in registers), call(7),
                     b''.join(alu_x(MOV, r, 0) for r in registers if r < 6)]
            parts.append(function_body(rng, registers, depth))
            # Each function is called at least once, so that none is removed.
            callees = [n + 1] if n + 1 < total else []
            callees += [rng.randint(n + 1, total - 1) for _ in range(rng.randint(0, 2))] if n + 1 < total else []
            for callee in callees:
                parts += [b''.join(mov(r, r) for r in (1, 2, 3, 4, 5)), ('call', callee)]
                parts.append(b''.join(alu_x(MOV, r, 0) for r in registers if r < 6))
                parts.append(function_body(rng, registers, depth))
            parts.append(mov(0, 0) + EXIT_INSN)
            functions.append(parts)
        code, starts = link(functions)
        yield f'subprograms-{i}', code, dict(type=kind, starts=starts)


def callbacks(rng, scale):
    """Addresses of functions: callbacks of bpf_loop, inlined and not, and of for_each_map_elem."""
    array = map_create('array', 4, 8, 4)
    for i in range(12 * scale):
        registers = subset(rng)
        body = [mov(2, 1) + function_body(rng, [2], 8), mov(0, 0) + EXIT_INSN]
        main = [call(7) + b''.join(alu_x(MOV, r, 0) for r in registers if r > 5)]
        for _ in range(rng.randint(1, 3)):
            if rng.random() < 0.5:
                main += [mov(1, rng.choice((1, 10, 1000))), ('address', 2, 1), mov(3, 0), mov(4, 0), call(181)]
            else:
                main += [map_fd(1, array), ('address', 2, 1), mov(3, 0), mov(4, 0), call(164)]
        main += [mov(0, 0) + EXIT_INSN]
        code, starts = link([main, body])
        yield f'callbacks-{i}', code, dict(starts=starts)


def tail_calls(rng, scale):
    """Through the map and direct, into empty and filled slots, from main and from functions."""
    target, _ = prog_load(mov(0, 0) + EXIT_INSN, 'xdp')
    empty, full = map_create('prog_array', 4, 4, 4), map_create('prog_array', 4, 4, 4)
    for slot in (0, 1):
        map_update(full, struct.pack('<I', slot), struct.pack('<I', target))
    for i in range(60 * scale):
        direct, targets = [], []

        def tail(context):
            fd = rng.choice((empty, full))
            if rng.random() < 0.6:
                slot = rng.randrange(4)
                direct.append(1)
                targets.append(fd == full and slot < 2)
                return alu_x(MOV, 1, context) + map_fd(2, fd) + mov(3, slot) + call(12)
            direct.append(0)
            return call(7) + alu_x(MOV, 3, 0) + alu_k(AND, 3, 7) + alu_x(MOV, 1, context) + map_fd(2, fd) + call(12)

        functions = []
        total = rng.choice((1, 1, 2, 3))
        for n in range(total):
            depth = 8 * rng.choice((0, 1, 3, 8))
            registers = [r for r in subset(rng) if r > 6] or [7]
            parts = [alu_x(MOV, 6, 1) + call(7) + b''.join(alu_x(MOV, r, 0) for r in registers)]
            parts.append(function_body(rng, registers, depth, False))
            if total == 1 or rng.random() < 0.6:
                parts += [tail(6) for _ in range(rng.randint(1, 2))]
            if n + 1 < total:
                parts += [alu_x(MOV, 1, 6), ('call', n + 1)]
                if rng.random() < 0.3:
                    parts.append(tail(6))
            parts.append(mov(0, 0) + EXIT_INSN)
            functions.append(parts)
        if not direct:
            continue
        code, starts = link(functions)
        yield f'tail-{i}', code, dict(type='xdp', direct=direct, targets=targets, target_fd=target, starts=starts)


def guarded(rng, scale):
    """Loads from kernel memory that may have gone."""
    cast = btf_function_ids({'bpf_rdonly_cast'})['bpf_rdonly_cast']
    for i in range(30 * scale):
        registers = [6, 7, 8, 9]
        code = alu_x(MOV, 6, 1) + alu_x(MOV, 1, 6) + mov(2, 0) + call_kernel(cast)
        base = rng.choice(range(10))
        code += alu_x(MOV, base, 0) if base else b''
        for _ in range(rng.randint(1, 30)):
            dst = rng.choice([r for r in range(10) if r != base])
            size = rng.choice(SIZES)
            mode = MEMSX if size != DW and rng.random() < 0.4 else MEM
            code += load(size, dst, base, rng.choice((0, 1, 8, 127, 128, 1000)), mode)
        yield f'guarded-{i}', code + mov(0, 0) + EXIT_INSN, dict(type='raw_tracepoint', probe='kernel', probed=[base])


def arena(rng, scale):
    user = 0x7F0000000000 + (rng.randrange(128) << 32)
    fd = map_create('arena', 0, 0, 4, flags=1 << 10, extra=user)
    for i in range(30 * scale):
        pointers = rng.sample([0, 2, 3, 4, 5, 6, 7, 8, 9], 3)
        values = [r for r in (0, 2, 3, 4, 5, 6, 7, 8, 9) if r not in pointers]
        code = map_fd(1, fd) + b''.join(mov(r, r + 4) for r in values)
        for p in pointers:
            code += mov(p, 0x1000) + insn(ALU64 | MOV | X, p, p, 1, 1)
        for _ in range(rng.randint(1, 30)):
            p, v, off, size = rng.choice(pointers), rng.choice(values), rng.choice((0, 8, 120, 127, 128, 2000)), rng.choice(SIZES)
            kind = rng.random()
            if kind < 0.3:
                code += load(size, v, p, off, MEMSX if size != DW and rng.random() < 0.4 else MEM)
            elif kind < 0.5:
                code += store(size, p, off, v)
            elif kind < 0.65:
                code += store_k(size, p, off, rng.getrandbits(32))
            elif kind < 0.8:
                code += atomic(rng.choice((W, DW)), p, off & ~7, v, rng.choice((ADD, AND, OR, XOR, ADD | 1, 0xE1, 0xF1)))
            elif kind < 0.87:
                code += atomic(size, p, off & ~7, v, 0x110)
            elif kind < 0.93:
                code += atomic(size, v, off & ~7, p, 0x100)
            else:
                code += insn(ALU64 | MOV | X, v, p, 1, 1 << 16) + mov(v, 3)
        yield f'arena-{i}', code + mov(0, 0) + EXIT_INSN, dict(type='syscall', probe='arena', probed=pointers, user=hex(user))


def exceptions(rng, scale):
    throw = btf_function_ids({'bpf_throw'})['bpf_throw']
    for i in range(12 * scale):
        registers = subset(rng)
        depth = 8 * rng.choice((0, 1, 5))
        head = call(7) + b''.join(alu_x(MOV, r, 0) for r in registers)
        parts = [head, function_body(rng, [r for r in registers if r > 5] or [0], depth, False), ('call', 1),
                 mov(0, 0) + EXIT_INSN]
        callee = [call(7), jump_k(JEQ, 0, 5, 2), mov(1, 3) + call_kernel(throw), mov(0, 0) + EXIT_INSN]
        handler = [alu_x(MOV, 0, 1) + function_body(rng, [0], rng.choice((0, 8))) + mov(0, 1) + EXIT_INSN]
        own = i % 2 == 1
        code, starts = link([parts, callee] + ([handler] if own else []))
        yield f'exceptions-{i}', code, dict(type='sched_cls', exception=True, starts=starts, handler=2 if own else None)


def mixed(rng, scale):
    """Functions full of jumps, in programs with tail calls or without: sizes are settled before addresses are known."""
    slots = map_create('prog_array', 4, 4, 4)
    for i in range(40 * scale):
        total, direct, functions = rng.randint(2, 4), [], []
        with_tail = rng.random() < 0.5
        for n in range(total):
            registers = sorted(set(r for r in subset(rng) if r > 6) | {7})
            parts = [alu_x(MOV, 6, 1) + b''.join(call(7) + alu_x(MOV, r, 0) for r in registers)]
            for _ in range(rng.randint(1, 8)):
                block = b''.join(plain_filler(rng, registers) for _ in range(rng.choice((0, 3, 26, 31, 34, 60))))
                parts.append(random_condition(rng, registers, count(block)) + block)
            if with_tail and rng.random() < 0.6:
                direct.append(1)
                parts.append(alu_x(MOV, 1, 6) + map_fd(2, slots) + mov(3, rng.randrange(4)) + call(12))
            if n + 1 < total:
                body = [alu_x(MOV, 1, 6), ('call', n + 1)]
                if rng.random() < 0.5:
                    parts += [mov(9, 0), *body, alu_k(ADD, 9, 1), jump_k(JLT, 9, 3, -4)]
                else:
                    parts += body
            parts.append(mov(0, 0) + EXIT_INSN)
            functions.append(parts)
        code, starts = link(functions)
        yield f'mixed-{i}', code, dict(type='xdp', direct=direct, targets=[False] * len(direct), target_fd=-1, starts=starts)


def restricted(rng, scale):
    """Programs of somebody without CAP_PERFMON: speculation barriers, masks and dead code."""
    fd = map_create('array', 4, 64, 4)
    for i in range(20 * scale):
        code = alu_x(MOV, 6, 1) + load(W, 7, 1, 0) + load(W, 8, 1, 8)
        for _ in range(rng.randint(1, 4)):
            off = -8 * rng.randint(2, 8)
            code += store(DW, 10, off, 6) + load(DW, 9, 10, off)
            key = store_k(W, 10, -4, rng.randrange(4)) + alu_x(MOV, 2, 10) + alu_k(ADD, 2, -4) + map_fd(1, fd) + call(1)
            access = alu_x(MOV, 1, 7) + alu_k(AND, 1, rng.choice((7, 15, 31))) + alu_x(rng.choice((ADD, ADD, ADD)), 0, 1)
            access += load(B, 3, 0, 0) + jump_k(JGT, 8, rng.choice((0, 5, 1000)), 1) + alu_k(ADD, 8, 1)
            code += key + jump_k(JEQ, 0, 0, count(access)) + access
        code += mov(4, 1) + jump_k(JEQ, 4, 1, 2) + mov(0, 7) + EXIT_INSN
        yield f'restricted-{i}', code + mov(0, 0) + EXIT_INSN, dict(restricted=True)


class Restricted:
    """Within it, this process lacks CAP_SYS_ADMIN and CAP_PERFMON."""

    HEADER = struct.pack('<Ii', 0x20080522, 0)

    def __enter__(self):
        self.data = ctypes.create_string_buffer(24)
        libc.capget(self.HEADER, self.data)
        low, permitted_low, inherited_low, high, permitted_high, inherited_high = struct.unpack('<6I', self.data.raw)
        libc.capset(self.HEADER, struct.pack('<6I', low & ~(1 << 21), permitted_low, inherited_low,
                                             high & ~(1 << 6), permitted_high, inherited_high))

    def __exit__(self, *_):
        libc.capset(self.HEADER, self.data)


FAMILIES = dict(systematic=systematic, edges=edges, straight=straight, branches=branches, exits=exits, loops=loops,
                shrinking=shrinking, dense=dense, wide=wide_constants, helpers=helpers, private=private_stack,
                subprograms=subprograms, callbacks=callbacks, tail=tail_calls, guarded=guarded, arena=arena,
                exceptions=exceptions, mixed=mixed, restricted=restricted)


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--seed', type=int, default=1)
    options.add_argument('--scale', type=int, default=1)
    options.add_argument('--families', default=','.join(FAMILIES))
    options.add_argument('--show-rejected', action='store_true')
    args = options.parse_args()
    print(json.dumps(kernel()))
    rejected = {}
    for family in args.families.split(','):
        rng = random.Random(f'{family} {args.seed}')
        for name, code, extra in FAMILIES[family](rng, args.scale):
            kind = extra.get('type', 'socket_filter')
            types = dict(starts=extra.get('starts', ()), handler=extra.get('handler'))
            with Restricted() if extra.get('restricted') else contextlib.nullcontext():
                fd, log = prog_load(code, kind, 4, **types)
            if fd < 0:
                rejected[family] = rejected.get(family, 0) + 1
                if args.show_rejected:
                    print(name, fd, prog_load(code, kind, 1, **types)[1][-300:], file=sys.stderr)
                continue
            xlated, jited, ksyms, lens = info(fd)
            depths = [int(n) for n in re.search(r'^stack depth ([\d+]+)$', log, re.M).group(1).split('+')]
            case = dict(name=name, type=kind, xlated=xlated.hex(), jited=jited.hex(), depths=depths, lens=lens,
                        ksyms=[hex(k) for k in ksyms])
            for key in ('direct', 'targets', 'probe', 'probed', 'exception', 'handler', 'user'):
                if extra.get(key) is not None:
                    case[key] = extra[key]
            if extra.get('target_fd', -1) >= 0:
                case['target'] = hex(info(extra['target_fd'])[2][0])
            print(json.dumps(case))
            os.close(fd)
    for family, number in rejected.items():
        print(f'{family}: the verifier rejected {number}', file=sys.stderr)


main()
