// Maps that exist on paper only, for programs that run without a kernel around them.
import type { KMap } from '../objects.ts';

const FIRST = 0xffff888100000000n;
const STRIDE = 0x1000_0000n;

/** A map of this shape, with the address that its id gives it. */
export const paperMap = (
  id: number,
  shape: Pick<KMap, 'type' | 'keySize' | 'valueSize' | 'maxEntries'> & Partial<KMap>,
): KMap => ({
  id,
  flags: 0,
  mapExtra: 0n,
  name: `map${id}`,
  btf: undefined,
  btfKeyTypeId: 0,
  btfValueTypeId: 0,
  btfVmlinuxValueTypeId: 0,
  record: undefined,
  innerMap: undefined,
  frozen: false,
  bypassSpecV1: true,
  address: FIRST + BigInt(id) * STRIDE,
  valueAddress: undefined,
  constantBytes: () => undefined,
  ...shape,
});
