// CO-RE relocations that the kernel makes itself, for loaders that run without libbpf. Rule: check_core_relo, verifier.c;
// bpf_core_apply, btf.c, 6.18. The arithmetic is that of libbpf, whose source Linux shares.
import type { Btf } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import type { CoreRelo } from '../../object/btf-ext.ts';
import { CORE } from '../../object/core/kinds.ts';
import { patchInsn } from '../../object/core/patch.ts';
import { resolveRelo } from '../../object/core/resolve.ts';
import { Messages } from '../../object/print.ts';
import type { InfoRecords } from '../../syscall.ts';
import type { VerifierEnv } from './env.ts';
import { kindText } from './func-proto.ts';
import { readRecord, recordCount } from './info-records.ts';
import { kernelCandidates, tellCandidates } from './kernel-candidates.ts';
import { LOG } from './log.ts';

const RELO_BYTES = 16;

/** The kernel writes kinds in capitals and has no name for the program. */
const inKernelWords = (text: string): string =>
  text.replace(/^libbpf: /, '').replace(/(\[\d+\] )([a-z][a-z0-9_]*)/g, (_, id, kind) => id + kind.toUpperCase());

function applyRelo(env: VerifierEnv, btf: Btf, relo: CoreRelo, index: number): number {
  const { log } = env;
  if (relo.typeId >= btf.count) {
    log.write(`relo #${index}: bad type id ${relo.typeId}\n`);
    return -ERRNO.EINVAL;
  }
  const kernel = env.image.btf();
  if (relo.kind === CORE.TYPE_ID_LOCAL) return patch(env, btf, relo, index, []);
  try {
    const found = kernelCandidates(kernel, btf, relo.typeId);
    if (found === undefined) {
      log.write(`target candidate search failed for ${relo.typeId}\n`);
      return -ERRNO.EINVAL;
    }
    for (const id of found.ids) {
      log.write(`CO-RE relocating ${kindText(kernel, id)} ${found.name}: found target candidate [${id}]\n`);
    }
    return patch(env, btf, relo, index, found.ids);
  } finally {
    if (log.wants(LOG.INSNS)) tellCandidates(kernel, (text) => log.write(text));
  }
}

function patch(env: VerifierEnv, btf: Btf, relo: CoreRelo, index: number, candidates: readonly number[]): number {
  const { log } = env;
  const kernel = env.image.btf();
  const messages = new Messages((_level, text) => log.write(inKernelWords(text)));
  const targets = candidates.map((id) => ({ btf: kernel, id }));
  const result = resolveRelo(btf, relo, index, targets, '', messages);
  if (typeof result === 'number') return result;
  return patchInsn(env.insns, relo.insnOff / 8, result, '', index, messages);
}

/** Applies the records one after the other. 0 or a negative errno. */
export function checkCoreRelos(env: VerifierEnv, btf: Btf, records: InfoRecords): number {
  const { log, insns } = env;
  const { recSize } = records;
  if (recSize < RELO_BYTES || recSize > 252 || recSize % 4 !== 0) return -ERRNO.EINVAL;
  for (let i = 0; i < recordCount(records); i++) {
    const record = readRecord(records, i, RELO_BYTES);
    if (record === undefined) {
      log.write('nonzero tailing record in core_relo');
      return -ERRNO.E2BIG;
    }
    const word = (n: number): number => record.getUint32(n * 4, true);
    const insnOff = word(0);
    if (insnOff % 8 !== 0 || insnOff / 8 >= insns.length) {
      log.write(`Invalid core_relo[${i}].insn_off:${insnOff} prog->len:${insns.length}\n`);
      return -ERRNO.EINVAL;
    }
    const relo: CoreRelo = { insnOff, typeId: word(1), accessOffset: word(2), kind: word(3) };
    const err = applyRelo(env, btf, relo, i);
    if (err !== 0) return err;
  }
  return 0;
}
