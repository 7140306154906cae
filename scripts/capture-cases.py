#!/usr/bin/env python3
"""Ask the running kernel what it says to verifier cases, and write its answers into them.

    sudo python3 scripts/capture-cases.py testdata/verifier/loops/*.json

The format of a case is described in src/kernel/verifier/verify-cases.test.ts. `asm` is assembled with llvm-mc (LLVM 19)
into `insns`; `expect` is replaced. Needs root on Linux 6.18, x86-64. Nothing is pinned or attached.
"""
import ctypes
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

LIBC = ctypes.CDLL(None, use_errno=True)
SYS_BPF = 321
MAP_CREATE, UPDATE_ELEM, PROG_LOAD, INFO_BY_FD, BTF_LOAD, MAP_FREEZE = 0, 2, 5, 15, 18, 22
PROG_GET_FD_BY_ID, BTF_GET_FD_BY_ID = 13, 19
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BTF_FD, VMLINUX_FD = 1000, 1001


def names(table):
    """A name table of src/isa/uapi.ts as a dictionary from name to number."""
    text = open(os.path.join(ROOT, 'src/isa/uapi.ts')).read()
    body = re.search(r'export const %s = \[(.*?)\] as const' % table, text, re.S).group(1)
    return {name: i for i, name in enumerate(re.findall(r"'([^']+)'", body))}


PROG_TYPES, MAP_TYPES, HELPERS = names('PROG_TYPES'), names('MAP_TYPES'), names('HELPERS')


class Memory:
    """Buffers that must outlive one system call."""

    def __init__(self):
        self.kept = []

    def at(self, data):
        if not data:
            return 0
        buffer = ctypes.create_string_buffer(bytes(data), len(data))
        self.kept.append(buffer)
        return ctypes.addressof(buffer)


def bpf(cmd, attr):
    buffer = ctypes.create_string_buffer(bytes(attr), len(attr))
    result = LIBC.syscall(SYS_BPF, cmd, buffer, len(attr))
    return (result if result >= 0 else -ctypes.get_errno()), buffer.raw


class KernelBtf:
    """Just enough of vmlinux BTF to find ids by name."""

    def __init__(self):
        self.data = open('/sys/kernel/btf/vmlinux', 'rb').read()
        self.ids = {}
        hdr_len, type_off, type_len, str_off = struct.unpack_from('<IIII', self.data, 4)
        strings = hdr_len + str_off
        at, end, type_id = hdr_len + type_off, hdr_len + type_off + type_len, 1
        extra = {1: lambda n: 4, 3: lambda n: 12, 4: lambda n: 12 * n, 5: lambda n: 12 * n, 6: lambda n: 8 * n,
                 13: lambda n: 8 * n, 14: lambda n: 4, 15: lambda n: 12 * n, 17: lambda n: 4, 19: lambda n: 12 * n}
        while at < end:
            name_off, info, _ = struct.unpack_from('<III', self.data, at)
            kind, vlen = (info >> 24) & 0x1F, info & 0xFFFF
            stop = self.data.index(0, strings + name_off)
            self.ids.setdefault((self.data[strings + name_off:stop].decode(), kind), type_id)
            at += 12 + extra.get(kind, lambda n: 0)(vlen)
            type_id += 1

    def find(self, name, kinds=(12, 14, 8, 4)):
        for kind in kinds:
            if (name, kind) in self.ids:
                return self.ids[(name, kind)]
        raise SystemExit('no kernel type named %s' % name)


_kernel_btf = None


def kernel_btf():
    global _kernel_btf
    _kernel_btf = _kernel_btf or KernelBtf()
    return _kernel_btf


def number(text):
    return int(text, 0)


def preprocess(lines):
    """The extra lines of the case format as LLVM data directives."""
    out = []
    for i, line in enumerate(lines):
        line = line.split('//')[0].strip()
        words = line.replace('=', ' = ').split()
        def wide(dst, src, low, high=0):
            return ['.byte 0x18, %d, 0, 0' % (dst | src << 4), '.long %s' % low, '.long 0', '.long %s' % high]
        def call(src, imm):
            return ['.byte 0x85, %d, 0, 0' % (src << 4), '.long %s' % imm]
        if len(words) >= 4 and words[0][0] == 'r' and words[1] == '=' and words[2] in ('map', 'mapval', 'func', 'btf'):
            dst, kind = int(words[0][1:]), words[2]
            if kind == 'map':
                out += wide(dst, 1, number(words[3]) + 1)
            elif kind == 'mapval':
                out += wide(dst, 2, number(words[3]) + 1, words[4] if len(words) > 4 else 0)
            elif kind == 'func':
                out += ['.Lcase%d:' % i] + wide(dst, 4, '(%s-.Lcase%d)/8-1' % (words[3], i))
            else:
                ident = number(words[3]) if words[3][0].isdigit() else kernel_btf().find(words[3])
                out += wide(dst, 3, ident)
        elif len(words) == 3 and words[0] == 'call':
            if words[1] == 'sub':
                out += ['.Lcase%d:' % i] + call(1, '(%s-.Lcase%d)/8-1' % (words[2], i))
            elif words[1] == 'kfunc':
                out += call(2, number(words[2]) if words[2][0].isdigit() else kernel_btf().find(words[2], (12,)))
            elif words[1] == 'helper':
                out += call(0, HELPERS[words[2]])
            else:
                raise SystemExit('cannot read "%s"' % line)
        elif len(words) == 2 and words[0] == 'raw':
            out += ['.byte ' + ', '.join('0x%02x' % b for b in bytes.fromhex(words[1]))]
        else:
            out.append(line)
    return out


def assemble(lines):
    with tempfile.TemporaryDirectory() as folder:
        obj, flat = os.path.join(folder, 'o'), os.path.join(folder, 'bin')
        source = '\n'.join(preprocess(lines)) + '\n'
        done = subprocess.run(['llvm-mc-19', '-triple', 'bpfel', '-mcpu=v4', '-filetype=obj', '-o', obj],
                              input=source, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(source + done.stderr)
        subprocess.run(['llvm-objcopy-19', '-O', 'binary', '-j', '.text', obj, flat], check=True)
        symbols = subprocess.run(['llvm-nm-19', obj], capture_output=True, text=True, check=True).stdout
        labels = {line.split()[2]: int(line.split()[0], 16) // 8 for line in symbols.splitlines()}
        return open(flat, 'rb').read(), labels


class BtfBuilder:
    """BTF of a program from prototypes such as `static cb(u64, pair* nonnull)`."""

    INTS = {'int': (4, 1), 'char': (1, 1), 'long': (8, 1), 'u32': (4, 0), 'u64': (8, 0)}

    def __init__(self):
        self.strings, self.types, self.known = bytearray(1), [], {}

    def text(self, name):
        if not name:
            return 0
        at = self.strings.find(name.encode() + b'\0')
        while at > 0 and self.strings[at - 1] != 0:
            at = self.strings.find(name.encode() + b'\0', at + 1)
        if at > 0:
            return at
        self.strings += name.encode() + b'\0'
        return len(self.strings) - len(name) - 1

    def add(self, name, kind, vlen, size, extra=b'', flag=0):
        self.types.append(struct.pack('<III', self.text(name), flag << 31 | kind << 24 | vlen, size) + extra)
        return len(self.types)

    def type(self, name):
        if name == 'void':
            return 0
        if name not in self.known:
            if name.endswith('*'):
                self.known[name] = self.add('', 2, 0, self.type(name[:-1]))
            elif name in self.INTS:
                size, signed = self.INTS[name]
                self.known[name] = self.add(name, 1, 0, size, struct.pack('<I', signed << 24 | size * 8))
            elif name == 'pair':
                of = self.type('int')
                members = struct.pack('<IIIIII', self.text('a'), of, 0, self.text('b'), of, 32)
                self.known[name] = self.add(name, 4, 2, 8, members)
            else:
                self.known[name] = self.add(name, 4, 0, 8)
        return self.known[name]

    def function(self, prototype):
        match = re.fullmatch(r'(?:(static|global) )?(?:(void|u64|int|pair\*?) )?(\w+)\((.*)\)', prototype)
        linkage, result, name, args = match.groups()
        args = [arg.split() for arg in args.split(',') if arg.strip()]
        params = b''.join(struct.pack('<II', self.text('abcdef'[i]), self.type(arg[0])) for i, arg in enumerate(args))
        proto = self.add('', 13, len(args), self.type(result or 'int'), params)
        func = self.add(name, 12, 0 if linkage == 'static' else 1, proto)
        for i, arg in enumerate(args):
            for tag in arg[1:]:
                self.add('arg:' + tag, 17, 0, func, struct.pack('<i', i))
        return name, func

    def tag(self, func, text):
        self.add(text, 17, 0, func, struct.pack('<i', -1))

    def data(self):
        types = b''.join(self.types)
        header = struct.pack('<HBBIIIII', 0xEB9F, 1, 0, 24, 0, len(types), len(types), len(self.strings))
        return header + types + bytes(self.strings)


def describe(case, labels):
    """Turns `functions`, `exception` and `lines` into btf, funcInfo and lineInfo."""
    builder = BtfBuilder()
    records = b''
    for i, prototype in enumerate(case['functions']):
        name, func = builder.function(prototype)
        records += struct.pack('<II', labels[name] if i else 0, func)
        if i == 0 and 'exception' in case:
            builder.tag(func, 'exception_callback:' + case['exception'])
    lines = b''
    for at, number_, text in case.get('lines', []):
        at = labels[at] if isinstance(at, str) else at
        lines += struct.pack('<IIII', at, builder.text('dir/case.c'), builder.text(text), number_ << 10 | 1)
    case['btf'], case['funcInfo'] = builder.data().hex(), records.hex()
    if lines:
        case['lineInfo'] = lines.hex()


def map_create(spec, fds, btf_fd):
    uses_btf = 'keyBtf' in spec or 'valueBtf' in spec
    inner = fds[spec['inner']] if 'inner' in spec else 0
    attr = struct.pack('<IIIIII', MAP_TYPES[spec['type']], spec.get('key', 0), spec.get('value', 0),
                       spec.get('max', 0), spec.get('flags', 0), inner)
    attr += struct.pack('<I16sIIIII', 0, spec.get('name', '').encode(), 0, btf_fd if uses_btf else 0,
                        spec.get('keyBtf', 0), spec.get('valueBtf', 0), 0)
    attr += struct.pack('<Qii', spec.get('extra', 0), 0, 0)
    fd, _ = bpf(MAP_CREATE, attr)
    if fd < 0:
        raise SystemExit('map %r: errno %d' % (spec, -fd))
    memory = Memory()
    if 'data' in spec:
        update = struct.pack('<IIQQQ', fd, 0, memory.at(b'\0' * 4), memory.at(bytes.fromhex(spec['data'])), 0)
        if bpf(UPDATE_ELEM, update)[0] < 0:
            raise SystemExit('map %r: no element' % spec)
    if spec.get('frozen'):
        bpf(MAP_FREEZE, struct.pack('<I', fd))
    return fd


def btf_load(data):
    memory = Memory()
    log = ctypes.create_string_buffer(65536)
    fd, _ = bpf(BTF_LOAD, struct.pack('<QQIIIIII', memory.at(data), ctypes.addressof(log), len(data), 65536, 1, 0, 0, 0))
    if fd < 0:
        raise SystemExit('BTF: errno %d\n%s' % (-fd, log.value.decode()))
    return fd


def set_caps(kind):
    """Has only some capabilities in effect; the others can be had again."""
    header = struct.pack('<Ii', 0x20080522, 0)
    held = ctypes.create_string_buffer(24)
    LIBC.capget(header, held)
    permitted = struct.unpack('<6I', held.raw)[1], struct.unpack('<6I', held.raw)[4]
    bits = {'all': permitted[0] | permitted[1] << 32, 'bpf': (1 << 39) | (1 << 12), 'none': 0}[kind]
    low, high = bits & 0xFFFFFFFF, bits >> 32
    if LIBC.capset(header, struct.pack('<6I', low, permitted[0], 0, high, permitted[1], 0)) != 0:
        raise SystemExit('capset failed')


def with_real_fds(code, fds, records):
    """Instructions with the case's descriptors replaced by real ones."""
    out = bytearray(code)
    i = 0
    while i < len(out):
        if out[i] == 0x18:
            if out[i + 1] >> 4 in (1, 2):
                number_, = struct.unpack_from('<i', out, i + 4)
                struct.pack_into('<i', out, i + 4, fds.get(number_, number_))
            i += 8
        i += 8
    return bytes(out)


def load(case, fds, btf_fd):
    memory = Memory()
    code = with_real_fds(bytes.fromhex(case['insns'].replace(' ', '')), fds, case)
    level, size = case.get('level', 2), case.get('logSize', 1 << 24)
    log = ctypes.create_string_buffer(size) if level else None
    records = lambda name: bytes.fromhex(case.get(name, '').replace(' ', ''))
    func, line, relo = records('funcInfo'), records('lineInfo'), records('coreRelos')
    fd_array = [fds.get(n, n) for n in case.get('fdArray', [])]
    attach = case.get('attachBtf', 0)
    if isinstance(attach, str):
        attach = kernel_btf().find(attach, (8, 12, 4))
    if attach:
        case['attachBtfId'] = attach
    attr = struct.pack('<IIQQIIQ', PROG_TYPES[case['type']], len(code) // 8, memory.at(code),
                       memory.at(case.get('license', 'GPL').encode() + b'\0'), level, size if level else 0,
                       ctypes.addressof(log) if level else 0)
    attr += struct.pack('<II16sII', 0, case.get('flags', 0), case.get('progName', 'p').encode(), 0,
                        case.get('attachType', 0))
    attr += struct.pack('<IIQI', btf_fd, case.get('funcInfoSize', 8) if func else 0, memory.at(func),
                        len(func) // case.get('funcInfoSize', 8))
    attr += struct.pack('<IQI', case.get('lineInfoSize', 16) if line else 0, memory.at(line),
                        len(line) // case.get('lineInfoSize', 16))
    attr += struct.pack('<III', attach, 0, len(relo) // 16)
    attr += struct.pack('<Q', memory.at(struct.pack('<%di' % len(fd_array), *fd_array)))
    attr += struct.pack('<QIIi', memory.at(relo), 16 if relo else 0, 0, 0)
    attr += struct.pack('<I', len(fd_array) if case.get('fdArrayBinds') else 0)
    fd, raw = bpf(PROG_LOAD, attr)
    true_size, = struct.unpack_from('<I', raw, 140)
    return fd, log.value.decode('latin-1') if log else '', true_size


def prog_info(fd, fds):
    size = 240
    def ask(extra):
        buffer = ctypes.create_string_buffer(extra, size)
        result, _ = bpf(INFO_BY_FD, struct.pack('<IIQ', fd, size, ctypes.addressof(buffer)))
        if result < 0:
            raise SystemExit('no program info')
        return buffer.raw
    # What is shown depends on who opened the descriptor.
    fd = bpf(PROG_GET_FD_BY_ID, struct.pack('<III', struct.unpack_from('<I', ask(b'\0' * size), 4)[0], 0, 0))[0]
    first = ask(b'\0' * size)
    jited_len, xlated_len = struct.unpack_from('<II', first, 16)
    jited, xlated = ctypes.create_string_buffer(jited_len or 1), ctypes.create_string_buffer(xlated_len or 1)
    second = bytearray(size)
    struct.pack_into('<IIQQ', second, 16, jited_len, xlated_len, ctypes.addressof(jited), ctypes.addressof(xlated))
    info = ask(bytes(second))
    ids = {}
    for number_, real in fds.items():
        if number_ < BTF_FD:
            buffer = ctypes.create_string_buffer(88)
            bpf(INFO_BY_FD, struct.pack('<IIQ', real, 88, ctypes.addressof(buffer)))
            ids[struct.unpack_from('<I', buffer.raw, 4)[0]] = number_
    code = bytearray(xlated.raw[:xlated_len])
    for i in range(0, len(code), 8):
        if code[i] == 0x18 and code[i + 1] >> 4 in (1, 2):
            map_id, = struct.unpack_from('<I', code, i + 4)
            struct.pack_into('<I', code, i + 4, ids.get(map_id, 0))
    return {'tag': info[8:16].hex(), 'verifiedInsns': struct.unpack_from('<I', info, 216)[0],
            'xlated': code.hex(), 'jited': jited.raw[:jited_len].hex()}


def normalise(log):
    log = re.sub(r'(\(18\) r\d+ = )0xffff[0-9a-f]{12}', r'\g<1>0xADDR', log)
    return re.sub(r'verification time \d+ usec', 'verification time N usec', log)


def answer(case):
    fds = {}
    btf_fd = 0
    if 'btf' in case:
        btf_fd = btf_load(bytes.fromhex(case['btf'].replace(' ', '')))
        fds[BTF_FD] = btf_fd
    if VMLINUX_FD in case.get('fdArray', []):
        fds[VMLINUX_FD] = bpf(BTF_GET_FD_BY_ID, struct.pack('<III', 1, 0, 0))[0]
    maps = {}
    set_caps(case.get('caps', 'all') if case.get('mapsAsCaller') else 'all')
    for i, spec in enumerate(case.get('maps', [])):
        maps[i] = fds[i + 1] = map_create(spec, maps, btf_fd)
    set_caps(case.get('caps', 'all'))
    fd, log, true_size = load(case, fds, btf_fd)
    expect = {'errno': max(0, -fd), 'log': normalise(log).split('\n'), 'trueSize': true_size}
    if case.get('level', 2) & 4:
        del expect['trueSize']
    set_caps('all')
    if fd >= 0:
        expect.update(prog_info(fd, fds))
    return expect


def isolated(case):
    """The answer, found in a child: all descriptors and dropped capabilities go with it."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        with os.fdopen(write, 'w') as out:
            try:
                json.dump({'case': case, 'expect': answer(case)}, out)
            except SystemExit as failure:
                json.dump({'error': str(failure)}, out)
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    reply = json.loads(text) if text else {'error': 'no answer'}
    if 'error' in reply:
        raise SystemExit('%s: %s' % (case['name'], reply['error']))
    return dict(reply['case'], expect=reply['expect'])


def main():
    for path in sys.argv[1:]:
        document = json.load(open(path))
        for i, case in enumerate(document['cases']):
            if 'asm' in case:
                code, labels = assemble(case['asm'])
                case['insns'] = code.hex()
            if 'functions' in case:
                describe(case, labels)
            case.pop('expect', None)
            document['cases'][i] = isolated(case)
            print(path, case['name'], '->', document['cases'][i]['expect']['errno'])
        with open(path, 'w') as out:
            json.dump(document, out, indent=1)
            out.write('\n')


main()
