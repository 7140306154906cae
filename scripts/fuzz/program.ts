// A generated program: everything that BPF_PROG_LOAD is told.
import type { MapTypeName, ProgTypeName } from '../../src/isa/uapi.ts';

/** Who loads: with all capabilities, or with CAP_BPF and CAP_NET_ADMIN only, so that Spectre counts. */
export type Caps = 'all' | 'bpf';

/** Maps and BTF that programs refer to. */
export interface World {
  /** Names the world, so that it can be kept. */
  key: string;
  maps: readonly WorldMap[];
  btf: Uint8Array | undefined;
}

/** A map. Sizes are bytes, what is absent is 0 or none. */
export interface WorldMap {
  type: MapTypeName;
  key?: number | undefined;
  value?: number | undefined;
  max?: number | undefined;
  flags?: number | undefined;
  /** map_extra */
  extra?: number | undefined;
  /** Index of the map that is the template of the inner ones. */
  inner?: number | undefined;
  frozen?: boolean | undefined;
  /** Type ids in the world's BTF. */
  keyBtf?: number | undefined;
  valueBtf?: number | undefined;
  name?: string | undefined;
  /** Bytes of element 0 in hex. */
  data?: string | undefined;
}

export interface FuzzProgram {
  seed: number;
  type: ProgTypeName;
  attachType: number;
  /** BTF id in vmlinux of what is hooked into; 0 for none. */
  attachBtfId: number;
  flags: number;
  caps: Caps;
  license: string;
  /** Wire form; maps are named by their index in the world + 1. */
  insns: Uint8Array;
  world: World;
  /** [instruction, type id in the world's BTF]; without, the program comes without BTF. */
  funcs?: readonly (readonly [insn: number, type: number])[] | undefined;
  /** Line records in wire form. */
  lines?: Uint8Array | undefined;
  /** Map indices + 1, BTF_FD and VMLINUX_FD. */
  fdArray?: readonly number[] | undefined;
  fdArrayBinds?: boolean | undefined;
}

/** In an fd_array: the BTF of the world, and that of the kernel. */
export const BTF_FD = 1000;
export const VMLINUX_FD = 1001;
