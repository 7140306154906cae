// Runs one captured case through the verifier, with maps that exist only on paper. The format of cases is described in
// verify-cases.test.ts.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Btf } from '../../btf/btf.ts';
import { SysError } from '../../errno.ts';
import { decodeInsns } from '../../isa/insn.ts';
import { MAP_TYPE, type MapTypeName, PROG_TYPE, type ProgTypeName } from '../../isa/uapi.ts';
import type { InfoRecords } from '../../syscall.ts';
import type { KernelImage } from '../image/image.ts';
import { loadImage } from '../image/load.ts';
import { ALL_CAPABILITIES, type Capabilities, type KBtf, type KMap } from '../objects.ts';
import type { VerifierEnv, VerifyRequest } from './env.ts';
import { bpfCheck } from './index.ts';
import { VerifierLog } from './log.ts';
import { parseSpecialRecord, structMetas } from './special-fields.ts';

interface CaseMap {
  type: MapTypeName;
  key?: number;
  value?: number;
  max?: number;
  name?: string;
  flags?: number;
  extra?: number;
  /** Index of another map, the template. */
  inner?: number;
  frozen?: boolean;
  keyBtf?: number;
  valueBtf?: number;
  /** Bytes of element 0 in hex. */
  data?: string;
}

export interface VerifyCase {
  name: string;
  type: ProgTypeName;
  insns: string;
  license?: string;
  flags?: number;
  attachType?: number;
  attachBtfId?: number;
  level?: number;
  logSize?: number;
  caps?: 'all' | 'bpf' | 'none';
  maps?: CaseMap[];
  btf?: string;
  funcInfo?: string;
  funcInfoSize?: number;
  lineInfo?: string;
  lineInfoSize?: number;
  coreRelos?: string;
  fdArray?: number[];
  fdArrayBinds?: boolean;
  mapsAsCaller?: boolean;
  progName?: string;
  expect: {
    errno: number;
    log: string[];
    trueSize?: number;
    verifiedInsns?: number;
    tag?: string;
    xlated?: string;
    jited?: string;
  };
}

export interface CaseFile {
  /** Path below testdata/verifier. */
  file: string;
  cases: VerifyCase[];
}

export interface CaseResult {
  /** Positive, as Linux reports it. */
  errno: number;
  log: string[];
  trueSize: number;
  tag: string;
  env: VerifierEnv;
}

const GPL_COMPATIBLE: ReadonlySet<string> = new Set([
  'GPL',
  'GPL v2',
  'GPL and additional rights',
  'Dual BSD/GPL',
  'Dual MIT/GPL',
  'Dual MPL/GPL',
]);

const BTF_FD = 1000;
const VMLINUX_FD = 1001;
const CAPS: Readonly<Record<'all' | 'bpf' | 'none', Capabilities>> = {
  all: ALL_CAPABILITIES,
  bpf: { bpf: true, perfmon: false, netAdmin: true, sysAdmin: false },
  none: { bpf: false, perfmon: false, netAdmin: false, sysAdmin: false },
};

const FOLDER = fileURLToPath(new URL('../../../testdata/verifier', import.meta.url));

/** All case files in a stable order; other files in JSON are passed over. */
export function readCases(): CaseFile[] {
  const files = (readdirSync(FOLDER, { recursive: true }) as string[]).filter((f) => f.endsWith('.json')).sort();
  return files
    .map((file) => join(FOLDER, file))
    .filter((path) => statSync(path).isFile())
    .map((path) => ({ file: relative(FOLDER, path), cases: JSON.parse(readFileSync(path, 'utf8')).cases }))
    .filter(({ cases }) => Array.isArray(cases));
}

let image: KernelImage | undefined;
const theImage = (): KernelImage => {
  image ??= loadImage();
  return image;
};

const hex = (text: string): Uint8Array => Buffer.from(text.replace(/\s/g, ''), 'hex');

const records = (text: string | undefined, recSize: number): InfoRecords | undefined =>
  text === undefined ? undefined : { recSize, bytes: hex(text) };

const MAP_BASE = 0xffff888100000000n;

/** Where user space is taken to have mapped arenas that do not say. */
const ARENA_START = 0x7f0000000000;

/** BPF_F_RDONLY_PROG */
const RDONLY_PROG = 1 << 7;

function makeMaps(theCase: VerifyCase, btf: KBtf | undefined): KMap[] {
  const maps: KMap[] = [];
  for (const [i, spec] of (theCase.maps ?? []).entries()) {
    const typed = spec.keyBtf !== undefined || spec.valueBtf !== undefined ? btf : undefined;
    const record =
      typed !== undefined && spec.valueBtf
        ? parseSpecialRecord(typed.btf, spec.valueBtf, { size: spec.value ?? 0, kernel: theImage().btf() })
        : undefined;
    const data = spec.data === undefined ? new Uint8Array(spec.value ?? 0) : hex(spec.data);
    const address = MAP_BASE + BigInt(i) * 0x1000n;
    const constant = spec.frozen === true && ((spec.flags ?? 0) & RDONLY_PROG) !== 0 && spec.type === 'array';
    maps.push({
      id: i + 1,
      type: MAP_TYPE[spec.type],
      keySize: spec.key ?? 0,
      valueSize: spec.value ?? 0,
      maxEntries: spec.max ?? 0,
      flags: (spec.flags ?? 0) | (spec.type.startsWith('devmap') ? RDONLY_PROG : 0),
      mapExtra: BigInt(spec.extra || (spec.type === 'arena' ? ARENA_START : 0)),
      name: spec.name ?? '',
      btf: typed,
      btfKeyTypeId: spec.keyBtf ?? 0,
      btfValueTypeId: spec.valueBtf ?? 0,
      btfVmlinuxValueTypeId: 0,
      record: typeof record === 'number' ? undefined : record,
      innerMap: spec.inner === undefined ? undefined : { ...maps[spec.inner], name: '' },
      frozen: spec.frozen === true,
      bypassSpecV1: theCase.mapsAsCaller !== true || (theCase.caps ?? 'all') === 'all',
      address,
      valueAddress: spec.type === 'array' ? address + 0x138n : undefined,
      constantBytes: (offset, size) =>
        constant && offset >= 0 && offset + size <= data.length ? data.subarray(offset, offset + size) : undefined,
    });
  }
  return maps;
}

/** The case's BTF as BPF_BTF_LOAD leaves it. */
function loadBtf(bytes: Uint8Array): KBtf {
  const btf = Btf.parse(bytes);
  structMetas(btf, theImage().btf());
  return { id: 2, btf, kernel: false, name: '' };
}

/** What a case asks of the verifier. */
export function makeRequest(theCase: VerifyCase): VerifyRequest {
  const btf = theCase.btf === undefined ? undefined : loadBtf(hex(theCase.btf));
  const maps = makeMaps(theCase, btf);
  const vmlinux: KBtf = { id: 1, btf: theImage().btf(), kernel: true, name: 'vmlinux' };
  return {
    image: theImage(),
    caps: CAPS[theCase.caps ?? 'all'],
    type: PROG_TYPE[theCase.type],
    expectedAttachType: theCase.attachType ?? 0,
    flags: theCase.flags ?? 0,
    name: theCase.progName ?? 'p',
    gplCompatible: GPL_COMPATIBLE.has(theCase.license ?? 'GPL'),
    insns: decodeInsns(hex(theCase.insns)),
    log: new VerifierLog(theCase.level ?? 2, (theCase.level ?? 2) === 0 ? 0 : (theCase.logSize ?? 1 << 24)),
    btf,
    funcInfo: records(theCase.funcInfo, theCase.funcInfoSize ?? 8),
    lineInfo: records(theCase.lineInfo, theCase.lineInfoSize ?? 16),
    coreRelos: records(theCase.coreRelos, 16),
    attachBtfId: theCase.attachBtfId ?? 0,
    attachBtf: theCase.attachBtfId === undefined ? undefined : vmlinux,
    fdArray: theCase.fdArray,
    fdArrayBinds: theCase.fdArrayBinds === true,
    mapByFd(fd) {
      if (fd >= 1 && fd <= maps.length) return maps[fd - 1];
      throw new SysError(fd === BTF_FD || fd === VMLINUX_FD || fd === 0 ? 'EINVAL' : 'EBADF');
    },
    btfByFd(fd) {
      if (fd === BTF_FD && btf !== undefined) return btf;
      if (fd === VMLINUX_FD) return vmlinux;
      throw new SysError(fd >= 1 && fd <= maps.length ? 'EINVAL' : 'EBADF');
    },
  };
}

/** What differs from run to run in the same way as in the captured text. */
const normalise = (log: string): string =>
  log
    .replace(/(\(18\) r\d+ = )0xffff[0-9a-f]{12}/g, '$10xADDR')
    .replace(/verification time \d+ usec/g, 'verification time N usec');

const result = (env: VerifierEnv, errno: number): CaseResult => ({
  errno: errno === 0 ? 0 : -errno,
  log: normalise(env.log.finish()).split('\n'),
  trueSize: env.log.trueSize,
  tag: Buffer.from(env.tag).toString('hex'),
  env,
});

/** Verifies, rewrites and compiles. */
export function runCase(theCase: VerifyCase): CaseResult {
  const { env, errno } = bpfCheck(makeRequest(theCase));
  return result(env, errno);
}
