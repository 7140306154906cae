// Programs of object files, as libbpf would hand them to the kernel, each with the world it refers to.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { SysError } from '../../src/errno.ts';
import { decodeInsns, encodeInsns, LDIMM64 } from '../../src/isa/insn.ts';
import { PSEUDO } from '../../src/isa/opcode.ts';
import { MAP_TYPES, PROG_TYPES } from '../../src/isa/uapi.ts';
import { LoadError } from '../../src/object/errors.ts';
import { loadObject } from '../../src/object/load.ts';
import { openObject } from '../../src/object/open.ts';
import { entryPrograms } from '../../src/object/spec.ts';
import type { InfoRecords, Kernel, MapCreateAttr, ProgLoadAttr } from '../../src/syscall.ts';
import { BTF_FD, type FuzzProgram, VMLINUX_FD, type WorldMap } from './program.ts';

/** Longest name of a program. */
const MAX_NAME = 15;

interface Recorded {
  maps: { fd: number; map: WorldMap }[];
  btfs: { fd: number; bytes: Uint8Array }[];
  loads: ProgLoadAttr[];
}

/** Stands before a kernel and notes what a loader asks of it; the program of that name is refused. */
function recorder(kernel: Kernel, seen: Recorded, name: string): Kernel {
  const note = {
    mapCreate(attr: MapCreateAttr): number {
      const fd = kernel.mapCreate(attr);
      const inner = seen.maps.findIndex((m) => m.fd === attr.innerMapFd);
      seen.maps.push({
        fd,
        map: {
          type: MAP_TYPES[attr.type],
          key: attr.keySize,
          value: attr.valueSize,
          max: attr.maxEntries,
          flags: attr.flags,
          extra: Number(attr.mapExtra ?? 0n),
          name: attr.name,
          inner: attr.innerMapFd && inner >= 0 ? inner : undefined,
          keyBtf: attr.btfKeyTypeId,
          valueBtf: attr.btfValueTypeId,
        },
      });
      return fd;
    },
    mapUpdate(fd: number, key: Uint8Array, value: Uint8Array, flags?: bigint): void {
      const found = seen.maps.find((m) => m.fd === fd);
      if (found?.map.type === 'array') found.map.data = Buffer.from(value).toString('hex');
      kernel.mapUpdate(fd, key, value, flags);
    },
    mapFreeze(fd: number): void {
      const found = seen.maps.find((m) => m.fd === fd);
      if (found) found.map.frozen = true;
      kernel.mapFreeze(fd);
    },
    btfLoad(attr: { bytes: Uint8Array }): number {
      const fd = kernel.btfLoad(attr);
      seen.btfs.push({ fd, bytes: attr.bytes });
      return fd;
    },
    progLoad(attr: ProgLoadAttr): number {
      // Others find out what the kernel can do.
      if (attr.name !== name.slice(0, MAX_NAME)) return kernel.progLoad(attr);
      seen.loads.push(attr);
      throw new SysError('EACCES');
    },
  };
  return new Proxy(kernel, {
    get(target, name) {
      const own = (note as Record<string | symbol, unknown>)[name];
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const words = (info: InfoRecords | undefined): Uint32Array =>
  info ? new Uint32Array(Uint8Array.from(info.bytes).buffer) : new Uint32Array();

/** The load with descriptors replaced by what they stand for; undefined where one is unknown. */
function toProgram(attr: ProgLoadAttr, seen: Recorded, key: string): FuzzProgram | undefined {
  const insns = decodeInsns(attr.insns);
  const btf = seen.btfs.findLast(({ fd }) => fd === attr.btfFd) ?? seen.btfs.at(-1);
  const symbolic = (fd: number): number => {
    // Numbers are given again: those of BTF that was only tried stand for nothing any more.
    const index = seen.maps.findIndex((m) => m.fd === fd);
    if (index >= 0) return index + 1;
    return fd === btf?.fd ? BTF_FD : VMLINUX_FD;
  };
  for (let i = 0; i < insns.length; i++) {
    const x = insns[i];
    if (x.code !== LDIMM64) continue;
    if (x.src === PSEUDO.MAP_FD || x.src === PSEUDO.MAP_VALUE) x.imm = symbolic(x.imm);
    i++;
  }
  if (attr.coreRelos || attr.attachProgFd || (attr.funcInfo && attr.funcInfo.recSize !== 8)) return undefined;
  const pairs = words(attr.funcInfo);
  const funcs = Array.from({ length: pairs.length / 2 }, (_, i) => [pairs[2 * i], pairs[2 * i + 1]] as const);
  return {
    seed: 0,
    type: PROG_TYPES[attr.type],
    attachType: attr.expectedAttachType ?? 0,
    attachBtfId: attr.attachBtfId ?? 0,
    flags: attr.flags ?? 0,
    caps: 'all',
    license: attr.license,
    insns: encodeInsns(insns),
    world: { key, maps: seen.maps.map((m) => m.map), btf: btf?.bytes },
    ...(attr.funcInfo ? { funcs } : {}),
    ...(attr.lineInfo?.recSize === 16 ? { lines: attr.lineInfo.bytes } : {}),
    ...(attr.fdArray ? { fdArray: attr.fdArray.map(symbolic) } : {}),
  };
}

/** Every program of an object; those that the loader itself refuses are left out. */
export function programsOf(path: string, kernel: Kernel): FuzzProgram[] {
  const out: FuzzProgram[] = [];
  let names: string[];
  try {
    names = entryPrograms(openObject(readFileSync(path), { path })).map((p) => p.name);
  } catch {
    return out;
  }
  for (const name of names) {
    const seen: Recorded = { maps: [], btfs: [], loads: [] };
    try {
      loadObject(recorder(kernel, seen, name), openObject(readFileSync(path), { path }), { programs: [name] });
    } catch (e) {
      if (!(e instanceof LoadError || e instanceof SysError)) continue;
    } finally {
      for (const { fd } of seen.maps) closeQuietly(kernel, fd);
      for (const { fd } of seen.btfs) closeQuietly(kernel, fd);
    }
    const attr = seen.loads.at(-1);
    const program = attr && toProgram(attr, seen, `${basename(path)} ${name}`);
    if (program) out.push(program);
  }
  return out;
}

function closeQuietly(kernel: Kernel, fd: number): void {
  try {
    kernel.close(fd);
  } catch (e) {
    if (!(e instanceof SysError)) throw e;
  }
}
