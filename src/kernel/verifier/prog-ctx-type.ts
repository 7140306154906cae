// Which BTF type stands for the context of a program type. Rule: btf_is_prog_ctx_type, btf_validate_prog_ctx_type,
// btf.c, 6.18.
import { BTF_KIND, type Btf } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import { ATTACH_TYPE, PROG_TYPE, PROG_TYPES } from '../../isa/uapi.ts';
import type { KernelImage } from '../image/image.ts';
import type { VerifierEnv } from './env.ts';

/** Struct of the kernel that holds for each program type the type of its context for programs and for the kernel. */
const CONVERT = 'bpf_ctx_convert';

const isStruct = (btf: Btf, id: number): boolean => btf.kind(id) === BTF_KIND.STRUCT || btf.kind(id) === BTF_KIND.UNION;
const isTypedef = (btf: Btf, id: number): boolean => btf.kind(id) === BTF_KIND.TYPEDEF;

function convertMember(kernel: Btf, progType: number, side: 'prog' | 'kern'): number {
  const id = kernel.find(CONVERT, BTF_KIND.STRUCT);
  if (id === 0) return 0;
  const name = `BPF_PROG_TYPE_${PROG_TYPES[progType].toUpperCase()}_${side}`;
  for (let i = 0; i < kernel.vlen(id); i++) if (kernel.memberName(id, i) === name) return kernel.memberType(id, i);
  return kernel.memberType(id, side === 'prog' ? 0 : 1);
}

/** Type id in vmlinux BTF of the context as the kernel has it, such as `struct sk_buff`; 0 without one. */
export const kernelContextType = (kernel: Btf, progType: number): number => convertMember(kernel, progType, 'kern');

/** Programs may call the kernel's own structure by the name of the one that they see. */
const isProjection = (shown: string, own: string): boolean =>
  (shown === '__sk_buff' && own === 'sk_buff') || (shown === 'xdp_md' && own === 'xdp_buff');

/** `bpf_user_pt_regs_t` at the end of the modifiers, before any typedef is looked through. */
function isUserPtRegs(btf: Btf, id: number): boolean {
  const type = btf.skipMods(id);
  return isTypedef(btf, type) && btf.name(type) === 'bpf_user_pt_regs_t';
}

/** Whether the pointer type `ptr` of the program's BTF leads to the context of a program type. */
export function isProgCtxType(image: KernelImage, btf: Btf, ptr: number, progType: number): boolean {
  const target = btf.type(ptr);
  if (progType === PROG_TYPE.kprobe && isUserPtRegs(btf, target)) return true;
  const type = btf.skipModsAndTypedefs(target);
  if (!isStruct(btf, type)) return false;
  const name = btf.name(type);
  const kernel = image.btf();
  let canonical = convertMember(kernel, progType, 'prog');
  while (true) {
    const wanted = kernel.name(canonical);
    if (wanted === '') return false;
    if (isProjection(wanted, name) || wanted === name) return true;
    const below = kernel.skipModsAndTypedefs(canonical);
    if (below === canonical) return false;
    canonical = below;
  }
}

const PT_REGS_TYPES: ReadonlySet<number> = new Set([PROG_TYPE.kprobe, PROG_TYPE.perf_event]);
const ANY_CONTEXT: ReadonlySet<number> = new Set([PROG_TYPE.tracepoint, PROG_TYPE.syscall, PROG_TYPE.ext]);
const U64_CONTEXT: ReadonlySet<number> = new Set([
  PROG_TYPE.raw_tracepoint,
  PROG_TYPE.raw_tracepoint_writable,
  PROG_TYPE.lsm,
  PROG_TYPE.struct_ops,
]);
const TRAMPOLINES: ReadonlySet<number> = new Set([
  ATTACH_TYPE.trace_fentry,
  ATTACH_TYPE.trace_fexit,
  ATTACH_TYPE.modify_return,
]);

/** Types that are as good as the context's own. */
function isSpecialCase(btf: Btf, type: number, progType: number, attachType: number): boolean {
  const name = btf.name(type);
  const u64 = btf.kind(type) === BTF_KIND.INT && btf.size(type) === 8;
  if (PT_REGS_TYPES.has(progType)) return isStruct(btf, type) && name === 'pt_regs';
  if (ANY_CONTEXT.has(progType)) return true;
  if (U64_CONTEXT.has(progType)) return u64;
  if (progType !== PROG_TYPE.tracing) return false;
  if (attachType === ATTACH_TYPE.trace_raw_tp) {
    return u64 || (isStruct(btf, type) && name === 'bpf_raw_tracepoint_args');
  }
  if (attachType === ATTACH_TYPE.trace_iter) return isStruct(btf, type) && name.startsWith('bpf_iter__');
  return TRAMPOLINES.has(attachType) && u64;
}

/** An argument tagged as context must have a type that fits. 0 or -EINVAL. */
export function validateProgCtxType(env: VerifierEnv, btf: Btf, ptr: number, arg: number, progType: number): number {
  const { log } = env;
  if (btf.kind(ptr) !== BTF_KIND.PTR) {
    log.write(`arg#${arg} type isn't a pointer\n`);
    return -ERRNO.EINVAL;
  }
  const target = btf.type(ptr);
  if (PT_REGS_TYPES.has(progType) && isUserPtRegs(btf, target)) return 0;
  const type = btf.skipModsAndTypedefs(target);
  if (type === 0) return 0;
  const name = btf.name(type);
  if (name === '') {
    log.write(`arg#${arg} type doesn't have a name\n`);
    return -ERRNO.EINVAL;
  }
  if (isSpecialCase(btf, type, progType, env.expectedAttachType)) return 0;
  const kernel = env.image.btf();
  const canonical = kernel.skipModsAndTypedefs(convertMember(kernel, progType, 'prog'));
  if (!isStruct(kernel, canonical)) {
    log.write(`arg#${arg} should be void pointer\n`);
    return -ERRNO.EINVAL;
  }
  const wanted = kernel.name(canonical);
  if (!isStruct(btf, type) || wanted !== name) {
    log.write(`arg#${arg} should be \`struct ${wanted} *\`\n`);
    return -ERRNO.EINVAL;
  }
  return 0;
}
