// BPF_BTF_LOAD: what the kernel checks of BTF before it keeps it, with its own words in the log.
// rule: btf_parse, btf.c, 6.18
import { BTF_KIND, Btf, BtfError } from '../../../btf/btf.ts';
import { ERRNO, SysError } from '../../../errno.ts';
import type { LogRequest } from '../../../syscall.ts';
import { VerifierLog } from '../../verifier/log.ts';
import { checkSpecialRecord, structMetas } from '../../verifier/special-fields.ts';
import { BtfLog } from './btf-log.ts';
import { BtfFault } from './fault.ts';
import { readHeader } from './header.ts';
import { checkMetas } from './metas.ts';
import { RawBtf } from './raw-btf.ts';
import { Resolver } from './resolver.ts';
import { checkTypeTags } from './type-tags.ts';

const MAX_BYTES = 16 << 20;

/** Structs that mark special fields, which allocated objects may have. rule: alloc_obj_fields, 6.18 */
const MARKERS = [
  'bpf_spin_lock',
  'bpf_list_head',
  'bpf_list_node',
  'bpf_rb_root',
  'bpf_rb_node',
  'bpf_refcount',
] as const;

/** Special fields can only be where one of the marks is; without any the kernel's BTF need not be read. */
function mayHaveSpecialFields(btf: Btf): boolean {
  if (MARKERS.some((name) => btf.find(name, BTF_KIND.STRUCT) !== 0)) return true;
  for (let id = 1; id < btf.count; id++) if (btf.kind(id) === BTF_KIND.TYPE_TAG) return true;
  return false;
}

/** Structs that can be allocated must have their special fields in order. */
function checkStructs(btf: Btf, kernel: () => Btf): void {
  if (!mayHaveSpecialFields(btf)) return;
  const metas = structMetas(btf, kernel());
  if (typeof metas === 'number') throw new BtfFault(-metas);
  for (const record of metas.values()) {
    const err = checkSpecialRecord(btf, record, kernel());
    if (err < 0) throw new BtfFault(-err);
  }
}

function parse(bytes: Uint8Array, log: VerifierLog, kernel: () => Btf): Btf {
  const raw = new RawBtf(bytes, readHeader(bytes, log));
  const btfLog = new BtfLog(log, raw);
  checkMetas(raw, btfLog);
  new Resolver(raw, btfLog).checkAll();
  checkTypeTags(raw, btfLog);
  const btf = Btf.parse(bytes);
  checkStructs(btf, kernel);
  return btf;
}

/**
 * Checks BTF bytes, which must not change afterwards, and gives them parsed. Throws SysError, the reason having gone to
 * the log; `kernel` gives the kernel's own BTF.
 */
export function checkBtf(bytes: Uint8Array, request: LogRequest | undefined, kernel: () => Btf): Btf {
  if (bytes.length > MAX_BYTES) throw new SysError('E2BIG');
  const log = new VerifierLog(request?.level ?? 0, request?.size ?? 0);
  let btf: Btf | undefined;
  let errno = 0;
  try {
    btf = parse(bytes, log, kernel);
  } catch (e) {
    // The reader is stricter in nothing that has been checked; should it still refuse, the bytes are not good.
    if (!(e instanceof BtfFault) && !(e instanceof BtfError)) throw e;
    errno = e instanceof BtfFault ? e.errno : ERRNO.EINVAL;
  }
  if (request) {
    request.text = log.finish();
    request.trueSize = log.trueSize;
  }
  if (log.overflowed) throw new SysError('ENOSPC');
  if (!btf) throw new SysError(errno);
  return btf;
}
