// BPF_PROG_LOAD: attributes that are refused before the verifier, and what is kept of those that pass.
import { ATTACH_TYPES, PROG_TYPES, type ProgTypeName } from '../../src/isa/uapi.ts';
import type { Kernel, LogRequest, ProgLoadAttr } from '../../src/syscall.ts';
import { type Answer, ask } from './answer.ts';
import { nothing } from './programs.ts';

/** A local rule of some machines, not Linux's, refuses these; they are left out. */
const LEFT_OUT: ReadonlySet<ProgTypeName> = new Set(['tracing', 'lsm', 'ext', 'unspec']);

const CHANGES: readonly Partial<ProgLoadAttr>[] = [
  {},
  { insns: new Uint8Array(0) },
  ...Array.from({ length: 20 }, (_, i) => ({ flags: 1 << i })),
  { name: 'fifteen_letters' },
  { name: 'dots.are.fine' },
  { name: 'no spaces' },
  { name: 'nö' },
  { attachBtfId: 1 },
  { attachBtfId: 0x100000 },
  { attachBtfId: 0xffffffff },
  { attachProgFd: 9999 },
  { attachBtfObjFd: 9999 },
  { ifindex: 1 },
  { ifindex: 9999 },
  { btfFd: 9999 },
  { kernVersion: 1 },
  { license: '' },
  { license: 'GPL v2' },
  { license: 'Dual BSD/GPL' },
  { license: 'Proprietary' },
  { license: `GPL${' '.repeat(200)}` },
  { log: { level: 0, size: 0 } },
  { log: { level: 1, size: 0 } },
  { log: { level: 0, size: 100 } },
  { log: { level: 1, size: 10 } },
  { log: { level: 4, size: 1000 } },
  { log: { level: 8, size: 1000 } },
  { log: { level: 16, size: 1000 } },
  { fdArray: [] },
  { fdArray: [9999] },
  { fdArray: [9999], fdArrayBinds: true },
];

/** The log without how long it took, and by how much its true size exceeds it. */
function logText({ text = '', trueSize = 0 }: LogRequest): string {
  return `+${trueSize - text.length} ${text.replace(/time \d+ usec/, 'time N usec')}`;
}

export function* askProgAttr(kernel: Kernel): Generator<Answer> {
  const load = (attr: ProgLoadAttr): number | string =>
    ask(() => {
      const fd = kernel.progLoad(attr);
      const i = kernel.progInfo(fd);
      kernel.close(fd);
      return `${i.name} gpl ${i.gplCompatible} insns ${i.verifiedInsns} memlock ${i.memlock} if ${i.ifindex}`;
    });
  for (const type of ['socket_filter', 'xdp', 'syscall'] as const) {
    for (const change of CHANGES) {
      const words = JSON.stringify(change, (key, v) => (key === 'insns' ? `${v.length} bytes` : v));
      const what = `${type} ${words.length > 120 ? words.slice(0, 40) : words}`;
      const log = change.log && { ...change.log };
      yield { what, answer: load({ ...nothing(type), ...change, log }) };
      if (log) yield { what: `${what}: log`, answer: logText(log) };
    }
  }
  for (const type of PROG_TYPES) {
    if (LEFT_OUT.has(type)) continue;
    for (let attach = 0; attach <= ATTACH_TYPES.length; attach++) {
      const answer = load({ ...nothing(type), expectedAttachType: attach });
      yield { what: `${type} for ${ATTACH_TYPES[attach] ?? attach}`, answer };
    }
  }
  for (const type of [0, 33, 1000]) yield { what: `type ${type}`, answer: load({ ...nothing('xdp'), type }) };
}
