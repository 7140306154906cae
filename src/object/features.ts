// What the kernel at hand can do, found out as libbpf 1.8 does: by trying. Each question is asked once per kernel.
import { BtfBuilder } from '../btf/encode.ts';
import { INT_ENCODING } from '../btf/kinds.ts';
import { ERRNO, SysError } from '../errno.ts';
import { encodeInsns, type Insn, insn, LDIMM64 } from '../isa/insn.ts';
import { ALU, CALL_KIND, CLASS, JMP, MODE, PSEUDO, SIZE, SRC } from '../isa/opcode.ts';
import { ATTACH_TYPE, HELPER, MAP_TYPE, PROG_TYPE } from '../isa/uapi.ts';
import type { Kernel, MapCreateAttr, ProgLoadAttr } from '../syscall.ts';
import { errstr } from './errors.ts';
import type { Messages } from './print.ts';

const MOV64_K = CLASS.ALU64 | ALU.MOV | SRC.K;
const MOV64_X = CLASS.ALU64 | ALU.MOV | SRC.X;
const ADD64_K = CLASS.ALU64 | ALU.ADD | SRC.K;
const CALL = CLASS.JMP | JMP.CALL;
const EXIT = insn(CLASS.JMP | JMP.EXIT);
const STORE_DW = CLASS.ST | SIZE.DW | MODE.MEM;

const TRIVIAL = encodeInsns([insn(MOV64_K), EXIT]);
const helperCall = (helper: number): Uint8Array => encodeInsns([insn(CALL, 0, 0, 0, helper), EXIT]);
const valueLoad = (mapFd: number, offset: number): Insn[] => [
  insn(LDIMM64, 1, PSEUDO.MAP_VALUE, 0, mapFd),
  insn(0, 0, 0, 0, offset),
];

/** Present where probes can be made through perf events; the older way is not taken here. */
const KPROBE_PMU = '/sys/bus/event_source/devices/kprobe/type';

/** Runs a call that gives a descriptor, closes that, and tells whether it worked. */
function works(kernel: Kernel, open: () => number): boolean {
  let fd: number;
  try {
    fd = open();
  } catch (error) {
    if (error instanceof SysError) return false;
    throw error;
  }
  kernel.close(fd);
  return true;
}

const loads = (kernel: Kernel, attr: Omit<ProgLoadAttr, 'license'>): boolean =>
  works(kernel, () => kernel.progLoad({ license: 'GPL', ...attr }));

/** Loads BTF that `build` fills. */
const takesBtf = (kernel: Kernel, build: (btf: BtfBuilder) => void): boolean =>
  works(kernel, () => {
    const btf = new BtfBuilder();
    build(btf);
    return kernel.btfLoad({ bytes: btf.bytes() });
  });

const addInt = (btf: BtfBuilder, name: string): number => btf.addInt(name, 4, INT_ENCODING.SIGNED);

/** void x(int a): its FUNC of the given linkage. */
function addFunction(btf: BtfBuilder, linkage: number): void {
  const int = addInt(btf, 'int');
  btf.str('x');
  btf.addFunc('x', linkage, btf.addFuncProto(0, [{ name: 'a', type: int }]));
}

/** static int x, in a section. */
function addSection(btf: BtfBuilder, section: string): void {
  const variable = btf.addVar('x', 0, addInt(btf, ''));
  btf.addDatasec(section, 4, [{ type: variable, offset: 0, size: 4 }]);
}

const smallArray = (name: string, flags = 0): MapCreateAttr => ({
  type: MAP_TYPE.array,
  keySize: 4,
  valueSize: 32,
  maxEntries: 1,
  name,
  flags,
});

/** Makes the map of a probe; errors of it are those of the probe. */
function withMap<T>(kernel: Kernel, attr: MapCreateAttr, use: (fd: number) => T): T {
  const fd = kernel.mapCreate(attr);
  try {
    return use(fd);
  } finally {
    kernel.close(fd);
  }
}

/**
 * A probe gives its answer, or throws SysError, which counts as no and is told. `named` gives a name back where the
 * kernel takes names, otherwise an empty one.
 */
type Probe = (kernel: Kernel, named: (name: string) => string, messages: Messages) => boolean;

const PROBES = {
  MEMCG_ACCOUNT: {
    what: 'memcg-based memory accounting',
    probe: (k) => loads(k, { type: PROG_TYPE.socket_filter, insns: helperCall(HELPER.ktime_get_coarse_ns) }),
  },
  PROG_NAME: {
    what: 'BPF program name',
    probe: (k) => loads(k, { type: PROG_TYPE.socket_filter, insns: TRIVIAL, name: 'libbpf_nametest' }),
  },
  GLOBAL_DATA: {
    what: 'global variables',
    probe: (k, named) => {
      const attr = smallArray(named('libbpf_global'));
      return withMap(k, attr, (fd) => {
        const insns = [...valueLoad(fd, 16), insn(STORE_DW, 1, 0, 0, 42), insn(MOV64_K), EXIT];
        return loads(k, { type: PROG_TYPE.socket_filter, insns: encodeInsns(insns) });
      });
    },
  },
  BTF: { what: 'minimal BTF', probe: (k) => takesBtf(k, (btf) => addInt(btf, 'int')) },
  BTF_FUNC: { what: 'BTF functions', probe: (k) => takesBtf(k, (btf) => addFunction(btf, 0)) },
  BTF_GLOBAL_FUNC: { what: 'BTF global function', probe: (k) => takesBtf(k, (btf) => addFunction(btf, 1)) },
  BTF_DATASEC: {
    what: 'BTF data section and variable',
    probe: (k) => takesBtf(k, (btf) => addSection(btf, '.data')),
  },
  BTF_QMARK_DATASEC: {
    what: "BTF DATASEC names starting from '?'",
    probe: (k) => takesBtf(k, (btf) => addSection(btf, '?.data')),
  },
  BTF_FLOAT: { what: 'BTF_KIND_FLOAT support', probe: (k) => takesBtf(k, (btf) => btf.addFloat('float', 4)) },
  BTF_DECL_TAG: {
    what: 'BTF_KIND_DECL_TAG support',
    // The variable has no name of its own: it shares the tag's.
    probe: (k) => takesBtf(k, (btf) => btf.addDeclTag('tag', btf.addVar('tag', 0, addInt(btf, '')))),
  },
  BTF_TYPE_TAG: {
    what: 'BTF_KIND_TYPE_TAG support',
    probe: (k) => takesBtf(k, (btf) => btf.addPtr(btf.addTypeTag('tag', addInt(btf, '')))),
  },
  BTF_ENUM64: { what: 'BTF_KIND_ENUM64 support', probe: (k) => takesBtf(k, (btf) => btf.addEnum64('enum64', 8, [])) },
  BTF_LAYOUT: { what: 'kernel supports BTF layout', probe: (k) => works(k, () => k.btfLoad({ bytes: layoutBtf() })) },
  ARRAY_MMAP: {
    what: 'ARRAY map mmap()',
    probe: (k, named) => {
      const attr = { ...smallArray(named('libbpf_mmap'), 0x400), valueSize: 4 };
      return works(k, () => k.mapCreate(attr));
    },
  },
  EXP_ATTACH_TYPE: {
    what: 'BPF_PROG_LOAD expected_attach_type attribute',
    probe: (k) =>
      loads(k, {
        type: PROG_TYPE.cgroup_sock,
        insns: TRIVIAL,
        expectedAttachType: ATTACH_TYPE.cgroup_inet_sock_create,
      }),
  },
  PROBE_READ_KERN: {
    what: 'bpf_probe_read_kernel() helper',
    probe: (k) =>
      loads(k, {
        type: PROG_TYPE.tracepoint,
        insns: encodeInsns([
          insn(MOV64_X, 1, 10),
          insn(ADD64_K, 1, 0, 0, -8),
          insn(MOV64_K, 2, 0, 0, 8),
          insn(MOV64_K, 3),
          insn(CALL, 0, 0, 0, HELPER.probe_read_kernel),
          EXIT,
        ]),
      }),
  },
  PROG_BIND_MAP: {
    what: 'BPF_PROG_BIND_MAP support',
    probe: (k, named) => {
      const attr = smallArray(named('libbpf_det_bind'));
      return withMap(k, attr, (map) => {
        let program: number;
        try {
          program = k.progLoad({ type: PROG_TYPE.socket_filter, insns: TRIVIAL, license: 'GPL' });
        } catch (error) {
          if (error instanceof SysError) return false;
          throw error;
        }
        try {
          k.progBindMap(program, map);
          return true;
        } catch (error) {
          if (error instanceof SysError) return false;
          throw error;
        } finally {
          k.close(program);
        }
      });
    },
  },
  MODULE_BTF: {
    what: 'module BTF support',
    // Kernels whose BTF info has no name are older than any that is met behind this door.
    probe: (k) => takesBtf(k, (btf) => addInt(btf, 'int')),
  },
  BPF_COOKIE: {
    what: 'BPF cookie support',
    probe: (k) => loads(k, { type: PROG_TYPE.tracepoint, insns: helperCall(HELPER.get_attach_cookie) }),
  },
  SYSCALL_WRAPPER: {
    what: 'Kernel using syscall wrapper',
    probe: (k, _named, messages) => {
      if (!k.readFile(KPROBE_PMU)) {
        messages.debug(() => `failed to open '${KPROBE_PMU}': ${errstr(ERRNO.ENOENT)}`);
        return false;
      }
      return k.symbolAddress('__x64_sys_bpf') !== undefined;
    },
  },
  UPROBE_MULTI_LINK: {
    what: 'BPF multi-uprobe link support',
    // Making the link is not behind this door; that the program loads for it comes from the same kernel release.
    probe: (k) =>
      loads(k, { type: PROG_TYPE.kprobe, insns: TRIVIAL, expectedAttachType: ATTACH_TYPE.trace_uprobe_multi }),
  },
  ARG_CTX_TAG: {
    what: 'kernel-side __arg_ctx tag',
    probe: (k, named) => {
      const btf = new BtfBuilder();
      const int = addInt(btf, 'a');
      const pointer = btf.addPtr(0);
      const main = btf.addFunc('a', 1, btf.addFuncProto(int, [{ name: 'a', type: pointer }]));
      const sub = btf.addFunc('b', 1, btf.addFuncProto(int, [{ name: 'b', type: pointer }]));
      btf.addDeclTag('arg:ctx', sub, 0);
      const records = new Uint8Array(Uint32Array.of(0, main, 2, sub).buffer);
      const insns = [insn(CALL, 0, CALL_KIND.PSEUDO, 0, 1), EXIT, insn(CALL, 0, 0, 0, HELPER.get_func_ip), EXIT];
      let btfFd: number;
      try {
        btfFd = k.btfLoad({ bytes: btf.bytes() });
      } catch (error) {
        if (error instanceof SysError) return false;
        throw error;
      }
      try {
        return loads(k, {
          type: PROG_TYPE.kprobe,
          insns: encodeInsns(insns),
          name: named('det_arg_ctx'),
          btfFd,
          funcInfo: { recSize: 8, bytes: records },
        });
      } finally {
        k.close(btfFd);
      }
    },
  },
  LDIMM64_FULL_RANGE_OFF: {
    what: 'full range LDIMM64 support',
    probe: (k, named) =>
      withMap(k, { ...smallArray(named('arr')), valueSize: 1 }, (fd) => {
        const insns = encodeInsns([...valueLoad(fd, 2 ** 30), EXIT]);
        const attr = { type: PROG_TYPE.socket_filter, insns, license: 'GPL', name: named('global_reloc') };
        // The first try is without a log; the reason is asked for only when it has failed.
        if (loads(k, attr)) return false;
        const log = { level: 1, size: 1024, text: '' };
        loads(k, { ...attr, log });
        return !log.text.includes('direct value offset of') && log.text.includes('invalid access to map value pointer');
      }),
  },
} as const satisfies Record<string, { what: string; probe: Probe }>;

export type FeatureName = keyof typeof PROBES;

/** One INT behind a header that announces a table of kind layouts. */
function layoutBtf(): Uint8Array {
  const btf = new BtfBuilder();
  addInt(btf, 'int');
  const plain = btf.bytes();
  const view = new DataView(plain.buffer, plain.byteOffset);
  const header = view.getUint32(4, true);
  const types = view.getUint32(12, true);
  // Kinds 0 and 1: void, and INT with 4 bytes of its own.
  const layout = Uint8Array.of(0, 0, 0, 0, 4, 0, 0, 0);
  const out = new Uint8Array(plain.length + layout.length);
  out.set(plain.subarray(0, header + types));
  out.set(layout, header + types);
  out.set(plain.subarray(header + types), header + types + layout.length);
  const fields = new DataView(out.buffer);
  fields.setUint32(16, types + layout.length, true);
  fields.setUint32(24, types, true);
  fields.setUint32(28, layout.length, true);
  return out;
}

const known = new WeakMap<Kernel, Map<FeatureName, boolean>>();

/** The features of one kernel. */
export class Features {
  private readonly kernel: Kernel;
  private readonly messages: Messages;
  private readonly answers: Map<FeatureName, boolean>;

  constructor(kernel: Kernel, messages: Messages) {
    this.kernel = kernel;
    this.messages = messages;
    this.answers = known.get(kernel) ?? new Map();
    known.set(kernel, this.answers);
  }

  /** True when the kernel has it. Rule of each probe: libbpf 1.8. */
  supports(name: FeatureName): boolean {
    let answer = this.answers.get(name);
    if (answer === undefined) {
      answer = this.ask(name);
      this.answers.set(name, answer);
    }
    return answer;
  }

  private ask(name: FeatureName): boolean {
    const { what, probe }: { what: string; probe: Probe } = PROBES[name];
    try {
      return probe(this.kernel, (text) => (this.supports('PROG_NAME') ? text : ''), this.messages);
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
      this.messages.warn(`Detection of kernel ${what} support failed: ${errstr(error.errno || ERRNO.EINVAL)}`);
      return false;
    }
  }
}
