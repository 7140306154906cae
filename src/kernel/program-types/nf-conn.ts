// Stores into connection tracking entries, the only kernel structures that networking programs may write to.
import { BTF_KIND } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import type { RegState } from '../verifier/types.ts';
import { layoutOf, rangeOf } from './layout.ts';
import type { ProgramView } from './program-type.ts';

/** 0 if [off, off + size) is the writable field, else a negative errno with a message. */
export function writeNfConn(view: ProgramView, reg: RegState, off: number, size: number): number {
  const refuse = (text: string): number => {
    view.log.write(text);
    return -ERRNO.EACCES;
  };
  if (view.image.config('CONFIG_NF_CONNTRACK') !== 'y') return -ERRNO.EACCES;
  const btf = view.image.btf();
  const isConn = ['nf_conn', 'nf_conn___init'].some((name) => btf.find(name, BTF_KIND.STRUCT) === reg.btfId);
  if (!isConn) return refuse('only read is supported\n');
  const mark =
    view.image.config('CONFIG_NF_CONNTRACK_MARK') === 'y'
      ? rangeOf(layoutOf(view.image, 'nf_conn'), 'mark')
      : undefined;
  if (off !== mark?.off) return refuse(`no write support to nf_conn at off ${off}\n`);
  if (off + size > mark.end) {
    return refuse(`write access at off ${off} with size ${size} beyond the member of nf_conn ended at ${mark.end}\n`);
  }
  return 0;
}
