// What is gathered from the arguments of one call on the way to its return value.
import type { Btf } from '../../btf/btf.ts';
import type { KMap, SpecialField } from '../objects.ts';

/** `struct bpf_call_arg_meta`. */
export class CallMeta {
  map: KMap | undefined = undefined;
  mapUid = 0;
  /** The memory argument is only written: it may be uninitialised stack. */
  rawMode = false;
  pktAccess = false;
  /** Register of the argument that the call releases; 0: none. */
  releaseRegno = 0;
  /** Stack memory that the call fills: register and bytes. */
  regno = 0;
  accessSize = 0;
  memSize = 0;
  msizeMaxValue = 0n;
  refObjId = 0;
  dynptrId = 0;
  funcId = 0;
  /** Type that the returned pointer leads to. */
  retBtf: Btf | undefined = undefined;
  retBtfId = 0;
  subprogno = 0;
  kptrField: SpecialField | undefined = undefined;
  /** Map key if it is a known constant, -1 if not. Signed. */
  constMapKey = 0n;
}
