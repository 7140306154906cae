// Programs by mutation of the captured cases in testdata/verifier, which reach what the generator does not know of.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ProgTypeName } from '../../src/isa/uapi.ts';
import { mutate } from './mutate.ts';
import type { FuzzProgram, WorldMap } from './program.ts';
import { Rng } from './rng.ts';

/** The fields of a case that matter here; the format is described in src/kernel/verifier/verify-cases.test.ts. */
interface Case {
  type: ProgTypeName;
  insns: string;
  license?: string;
  flags?: number;
  attachType?: number;
  attachBtfId?: number;
  caps?: 'all' | 'bpf' | 'none';
  maps?: WorldMap[];
  btf?: string;
  funcInfo?: string;
  funcInfoSize?: number;
  lineInfo?: string;
  lineInfoSize?: number;
  coreRelos?: string;
  fdArray?: number[];
  fdArrayBinds?: boolean;
}

const FOLDER = fileURLToPath(new URL('../../testdata/verifier', import.meta.url));
/** Longer cases are there to reach limits. */
const MAX_HEX = 4000 * 16;

const bytes = (hex: string | undefined): Uint8Array | undefined =>
  hex === undefined ? undefined : Uint8Array.from(Buffer.from(hex.replace(/\s/g, ''), 'hex'));

function pairs(hex: string | undefined): [number, number][] | undefined {
  const data = bytes(hex);
  if (data === undefined) return undefined;
  const view = new DataView(data.buffer);
  return Array.from({ length: data.length >> 3 }, (_, i) => [
    view.getUint32(i * 8, true),
    view.getUint32(i * 8 + 4, true),
  ]);
}

let cases: { key: string; item: Case }[] | undefined;

function allCases(): { key: string; item: Case }[] {
  if (cases) return cases;
  const files = (readdirSync(FOLDER, { recursive: true }) as string[]).filter((f) => f.endsWith('.json')).sort();
  cases = files.flatMap((file) => {
    const list = (JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as { cases?: Case[] }).cases;
    return (list ?? [])
      .map((item, i) => ({ key: `${file} ${i}`, item }))
      .filter(({ item }) => item.caps !== 'none' && item.insns.length <= MAX_HEX)
      .filter(({ item }) => (item.funcInfoSize ?? 8) === 8 && (item.lineInfoSize ?? 16) === 16 && !item.coreRelos);
  });
  return cases;
}

/** Changed a little; the seed decides how. */
export function mutantOf(base: FuzzProgram, seed: number): FuzzProgram {
  const rng = new Rng(seed);
  const flags = rng.chance(0.15) ? base.flags ^ rng.pick([1, 8, 8, 16, 128]) : base.flags;
  return { ...base, seed, flags, insns: mutate(rng, base.insns, rng.pick([1, 1, 1, 2, 3])) };
}

/** The mutant of a seed. Neighbouring seeds stem from the same case, so that its maps are made once. */
export function mutant(seed: number): FuzzProgram {
  const list = allCases();
  const { key, item } = list[new Rng(Math.floor(seed / 32)).below(list.length)];
  const rng = new Rng(seed);
  const funcs = pairs(item.funcInfo);
  return {
    seed,
    type: item.type,
    attachType: item.attachType ?? 0,
    attachBtfId: item.attachBtfId ?? 0,
    flags: rng.chance(0.1) ? (item.flags ?? 0) ^ rng.pick([1, 8, 16, 128]) : (item.flags ?? 0),
    caps: item.caps === 'bpf' ? 'bpf' : 'all',
    license: item.license ?? 'GPL',
    insns: mutate(rng, bytes(item.insns) ?? new Uint8Array(), rng.pick([1, 1, 2, 4])),
    world: { key, maps: item.maps ?? [], btf: bytes(item.btf) },
    ...(funcs ? { funcs } : {}),
    ...(item.lineInfo ? { lines: bytes(item.lineInfo) } : {}),
    ...(item.fdArray ? { fdArray: item.fdArray, fdArrayBinds: item.fdArrayBinds ?? false } : {}),
  };
}
