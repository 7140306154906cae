// Maps of programs belong to the first kind of program that lies in them or uses them: all others must be alike.
import { MAP_TYPE } from '../../isa/uapi.ts';
import type { MapOwner, MapRecord } from '../maps/record.ts';
import { PROG_FLAG } from '../verifier/env.ts';

/** A program that wants to lie in a map, or to use it. */
export interface Candidate {
  type: number;
  /** prog_flags of its load. */
  flags: number;
  expectedAttachType: number;
  /** It may change the return value of the function that it probes: such programs can neither jump nor be jumped to. */
  overrides?: boolean;
}

/** The owner of the map after the program has come, or undefined if it may not. rule: __bpf_prog_map_compatible, 6.18 */
export function belongsTo(
  map: MapRecord,
  { type, flags, expectedAttachType, overrides }: Candidate,
): MapOwner | undefined {
  if (overrides) return undefined;
  const like: MapOwner = {
    type,
    jited: true,
    xdpHasFrags: (flags & PROG_FLAG.XDP_HAS_FRAGS) !== 0,
    expectedAttachType,
  };
  const { owner } = map;
  if (!owner) return like;
  if (owner.type !== like.type || owner.jited !== like.jited || owner.xdpHasFrags !== like.xdpHasFrags)
    return undefined;
  const differs = owner.expectedAttachType !== expectedAttachType;
  return map.type === MAP_TYPE.prog_array && differs ? undefined : owner;
}
