// Maps of programs belong to the first kind of program that lies in them or uses them: all others must be alike.
import { MAP_TYPE, PROG_TYPE } from '../../isa/uapi.ts';
import type { MapOwner, MapRecord } from '../maps/record.ts';
import { PROG_FLAG } from '../verifier/env.ts';

/** A program that wants to lie in a map, or to use it. */
export interface Candidate {
  /** Of a replacement, the type of the program that it is to become a part of. */
  type: number;
  /** prog_flags of its load. */
  flags: number;
  expectedAttachType: number;
  /** It may change the return value of the function that it probes: such programs can neither jump nor be jumped to. */
  overrides?: boolean;
  hook: string | undefined;
  storage: readonly number[];
  tailCallReachable: boolean;
}

/** Program types that must hook into functions of the same prototype. */
const HOOKED: ReadonlySet<number> = new Set([PROG_TYPE.tracing, PROG_TYPE.lsm, PROG_TYPE.ext, PROG_TYPE.struct_ops]);
const STORAGES = [0, 1] as const;

/** The owner of the map after the program has come, or undefined if it may not. rule: __bpf_prog_map_compatible, 6.18 */
export function belongsTo(map: MapRecord, candidate: Candidate): MapOwner | undefined {
  const { type, flags, expectedAttachType, overrides, hook, storage, tailCallReachable } = candidate;
  if (overrides) return undefined;
  const like: MapOwner = {
    type,
    jited: true,
    xdpHasFrags: (flags & PROG_FLAG.XDP_HAS_FRAGS) !== 0,
    expectedAttachType,
    ...(hook !== undefined && { hook }),
    ...(storage.some((id) => id !== 0) && { storage }),
  };
  const { owner } = map;
  if (!owner) return like;
  if (owner.type !== like.type || owner.jited !== like.jited || owner.xdpHasFrags !== like.xdpHasFrags)
    return undefined;
  if (map.type === MAP_TYPE.prog_array && owner.expectedAttachType !== expectedAttachType) return undefined;
  const sameStorage = STORAGES.every((i) => {
    const own = storage[i] ?? 0;
    return own === (owner.storage?.[i] ?? 0) || (own === 0 && !tailCallReachable);
  });
  if (!sameStorage) return undefined;
  return owner.hook !== hook && HOOKED.has(type) ? undefined : owner;
}
