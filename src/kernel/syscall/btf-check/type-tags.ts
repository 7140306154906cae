// Type tags stand before all other modifiers of a type. rule: btf_check_type_tags, btf.c, 6.18
import { BTF_KIND } from '../../../btf/btf.ts';
import { ERRNO } from '../../../errno.ts';
import type { BtfLog } from './btf-log.ts';
import type { RawBtf } from './raw-btf.ts';

const MAX_CHAIN = 32;

/** Throws BtfFault. */
export function checkTypeTags(btf: RawBtf, log: BtfLog): void {
  for (let first = 1, good = 0; first < btf.count; first++) {
    if (!btf.isModifier(first)) continue;
    let inTags = btf.is(first, BTF_KIND.TYPE_TAG);
    let steps = 0;
    for (let id = first; btf.isModifier(id); id = btf.third(id)) {
      if (steps++ === MAX_CHAIN) log.fail('Max chain length or cycle detected', ERRNO.ELOOP);
      if (!btf.is(id, BTF_KIND.TYPE_TAG)) inTags = false;
      else if (!inTags) log.fail("Type tags don't precede modifiers");
      if (id <= good) break;
    }
    good = first;
  }
}
