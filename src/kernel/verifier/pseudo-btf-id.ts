// 64-bit immediates that name a variable or function of the kernel. Rule: check_pseudo_btf_id, verifier.c, 6.18.
import { BTF_KIND, type Btf } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import type { VerifierEnv } from './env.ts';
import { FLAG, REG } from './types.ts';
import { addUsedBtf, tryFind } from './used-objects.ts';

const PERCPU_SECTION = '.data..percpu';

function isPerCpu(btf: Btf, variable: number): boolean {
  for (let id = 1; id < btf.count; id++) {
    if (btf.kind(id) !== BTF_KIND.DATASEC || btf.name(id) !== PERCPU_SECTION) continue;
    const count = btf.vlen(id);
    for (let i = 0; i < count; i++) if (btf.secType(id, i) === variable) return true;
    return false;
  }
  return false;
}

function typeVariable(env: VerifierEnv, insnIdx: number, btf: Btf, id: number): number {
  const aux = env.aux[insnIdx];
  const declared = btf.type(id);
  const type = btf.skipModsAndTypedefs(declared);
  const kind = btf.kind(type);
  if (isPerCpu(btf, id)) {
    aux.btfVar = { regType: REG.BTF_ID | FLAG.PERCPU, btf, btfId: declared, memSize: 0 };
  } else if (kind === BTF_KIND.STRUCT || kind === BTF_KIND.UNION) {
    aux.btfVar = { regType: REG.BTF_ID, btf, btfId: declared, memSize: 0 };
  } else {
    const size = btf.resolveSize(type);
    if (size < 0) {
      env.log.write(`ldimm64 unable to resolve the size of type '${btf.name(type)}': ${-ERRNO.EINVAL}\n`);
      return -ERRNO.EINVAL;
    }
    aux.btfVar = { regType: REG.MEM | FLAG.RDONLY, btf: undefined, btfId: 0, memSize: size };
  }
  return 0;
}

/** Puts the address of the kernel symbol into the instruction at `insnIdx` and notes its type. 0 or a negative errno. */
export function resolvePseudoBtfId(env: VerifierEnv, insnIdx: number): number {
  const { insns, log, request, image } = env;
  const low = insns[insnIdx];
  const high = insns[insnIdx + 1];
  const kernel = tryFind(() => (high.imm === 0 ? undefined : request.btfByFd(high.imm)));
  if (typeof kernel === 'number') {
    log.write('invalid module BTF object FD specified.\n');
    return -ERRNO.EINVAL;
  }
  const btf = kernel === undefined ? image.btf() : kernel.btf;
  const id = low.imm;
  if (id < 0 || id >= btf.count) {
    log.write(`ldimm64 insn specifies invalid btf_id ${id}.\n`);
    return -ERRNO.ENOENT;
  }
  const kind = btf.kind(id);
  if (kind !== BTF_KIND.VAR && kind !== BTF_KIND.FUNC) {
    log.write(`pseudo btf_id ${id} in ldimm64 isn't KIND_VAR or KIND_FUNC\n`);
    return -ERRNO.EINVAL;
  }
  const name = btf.name(id);
  const address = kernelSymbol(env, name);
  if (address === undefined) {
    log.write(`ldimm64 failed to find the address for kernel symbol '${name}'.\n`);
    return -ERRNO.ENOENT;
  }
  low.imm = Number(BigInt.asIntN(32, address));
  high.imm = Number(BigInt.asIntN(32, address >> 32n));
  if (kind === BTF_KIND.FUNC) {
    env.aux[insnIdx].btfVar = { regType: REG.MEM | FLAG.RDONLY, btf: undefined, btfId: 0, memSize: 0 };
  } else {
    const err = typeVariable(env, insnIdx, btf, id);
    if (err !== 0) return err;
  }
  return kernel === undefined ? 0 : addUsedBtf(env, kernel);
}

/** Only a kernel with CONFIG_KALLSYMS_ALL can look up variables by name. */
function kernelSymbol(env: VerifierEnv, name: string): bigint | undefined {
  const { image } = env;
  const address = image.symbolAddress(name);
  if (address === undefined || image.config('CONFIG_KALLSYMS_ALL') === 'y') return address;
  return image.btf().find(name, BTF_KIND.VAR) === 0 ? address : undefined;
}
