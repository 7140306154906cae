// Function and line records that come with a program. Rule: check_btf_info_early, check_btf_info, verifier.c, 6.18.
import { BTF_KIND, type Btf } from '../../btf/btf.ts';
import { ERRNO } from '../../errno.ts';
import type { InfoRecords } from '../../syscall.ts';
import { checkCoreRelos } from './core-relos.ts';
import type { VerifierEnv } from './env.ts';
import { readRecord, recordCount } from './info-records.ts';
import { tryFind } from './used-objects.ts';

const FUNC_INFO_BYTES = 8;
const LINE_INFO_BYTES = 16;
const GLOBAL = 1;

/** Without BTF nobody knows what functions return, which these two must know. */
function checkAbnormalReturn(env: VerifierEnv): number {
  for (let i = 1; i < env.subprogs.length; i++) {
    const { hasLdAbs, hasTailCall } = env.subprogs[i];
    if (hasLdAbs || hasTailCall) {
      env.log.write(`${hasLdAbs ? 'LD_ABS' : 'tail_call'} is not allowed in subprogs without BTF\n`);
      return -ERRNO.EINVAL;
    }
  }
  return 0;
}

const hasRecords = (records: InfoRecords | undefined): records is InfoRecords => recordCount(records) > 0;

function readFuncInfo(env: VerifierEnv, btf: Btf, records: InfoRecords): number {
  const { log } = env;
  const { recSize } = records;
  if (recSize < FUNC_INFO_BYTES || recSize > 252 || recSize % 4 !== 0) {
    log.write(`invalid func info rec size ${recSize}\n`);
    return -ERRNO.EINVAL;
  }
  let previous = 0;
  for (let i = 0; i < recordCount(records); i++) {
    const record = readRecord(records, i, FUNC_INFO_BYTES);
    if (record === undefined) {
      log.write('nonzero tailing record in func info');
      return -ERRNO.E2BIG;
    }
    const insnOff = record.getUint32(0, true);
    const typeId = record.getUint32(4, true);
    if (i === 0 && insnOff !== 0) {
      log.write(`nonzero insn_off ${insnOff} for the first func info record`);
      return -ERRNO.EINVAL;
    }
    if (i > 0 && insnOff <= previous) {
      log.write(`same or smaller insn offset (${insnOff}) than previous func info record (${previous})`);
      return -ERRNO.EINVAL;
    }
    if (typeId >= btf.count || btf.kind(typeId) !== BTF_KIND.FUNC) {
      log.write(`invalid type id ${typeId | 0} in func info`);
      return -ERRNO.EINVAL;
    }
    if (btf.kind(btf.type(typeId)) !== BTF_KIND.FUNC_PROTO) return -ERRNO.EINVAL;
    env.funcInfo.push({ insnOff, typeId });
    previous = insnOff;
  }
  env.hasFuncInfo = true;
  return 0;
}

/** What can be said before the functions are known. 0 or a negative errno. */
export function checkBtfInfoEarly(env: VerifierEnv): number {
  const { funcInfo, lineInfo, btf: given, btfFd } = env.request;
  if (!hasRecords(funcInfo) && !hasRecords(lineInfo)) return checkAbnormalReturn(env);
  const found = given ?? tryFind(() => env.request.btfByFd(btfFd ?? 0));
  if (typeof found === 'number') return found;
  if (found.kernel) return -ERRNO.EACCES;
  env.progBtf = found.btf;
  return hasRecords(funcInfo) ? readFuncInfo(env, found.btf, funcInfo) : checkAbnormalReturn(env);
}

const returnsInt = (btf: Btf, func: number): boolean => {
  const type = btf.skipModsAndTypedefs(btf.type(btf.type(func)));
  const kind = btf.kind(type);
  if (kind === BTF_KIND.ENUM || kind === BTF_KIND.ENUM64) return true;
  return kind === BTF_KIND.INT && btf.size(type) <= 8;
};

/** Function records against the functions that the instructions show. */
function checkFuncInfo(env: VerifierEnv, btf: Btf): number {
  const { log, subprogs, funcInfo } = env;
  if (funcInfo.length !== subprogs.length) {
    log.write("number of funcs in func_info doesn't match number of subprogs\n");
    return -ERRNO.EINVAL;
  }
  for (const [i, subprog] of subprogs.entries()) {
    const { insnOff, typeId } = funcInfo[i];
    if (subprog.start !== insnOff) {
      log.write("func_info BTF section doesn't match subprog layout in BPF program\n");
      return -ERRNO.EINVAL;
    }
    const what = subprog.hasLdAbs ? 'LD_ABS' : subprog.hasTailCall ? 'tail_call' : undefined;
    if (i > 0 && what !== undefined && !returnsInt(btf, typeId)) {
      log.write(`${what} is only allowed in functions that return 'int'.\n`);
      return -ERRNO.EINVAL;
    }
  }
  for (const [i, subprog] of subprogs.entries()) subprog.globalLinkage = btf.linkage(funcInfo[i].typeId) === GLOBAL;
  env.hasFuncInfoAux = true;
  return 0;
}

function checkLineInfo(env: VerifierEnv, btf: Btf, records: InfoRecords): number {
  const { log, insns, subprogs } = env;
  const { recSize } = records;
  if (recSize < LINE_INFO_BYTES || recSize > 252 || recSize % 4 !== 0) return -ERRNO.EINVAL;
  const count = recordCount(records);
  const lines = [];
  let subprog = 0;
  let previous = 0;
  const refuse = (text: string): number => {
    log.write(text);
    return -ERRNO.EINVAL;
  };
  for (let i = 0; i < count; i++) {
    const record = readRecord(records, i, LINE_INFO_BYTES);
    if (record === undefined) {
      log.write('nonzero tailing record in line_info');
      return -ERRNO.E2BIG;
    }
    const insnOff = record.getUint32(0, true);
    const fileNameOff = record.getUint32(4, true);
    const lineOff = record.getUint32(8, true);
    if ((i > 0 && insnOff <= previous) || insnOff >= insns.length) {
      const place = `Invalid line_info[${i}].insn_off:${insnOff}`;
      return refuse(`${place} (prev_offset:${previous} prog->len:${insns.length})\n`);
    }
    if (insns[insnOff].code === 0) return refuse(`Invalid insn code at line_info[${i}].insn_off\n`);
    if (!isString(btf, lineOff) || !isString(btf, fileNameOff)) {
      return refuse(`Invalid line_info[${i}].line_off or .file_name_off\n`);
    }
    if (subprog < subprogs.length) {
      const { start } = subprogs[subprog];
      if (insnOff === start) subprogs[subprog++].linfoIdx = i;
      else if (start < insnOff) return refuse(`missing bpf_line_info for func#${subprog}\n`);
    }
    lines.push({ insnOff, fileNameOff, lineOff, lineCol: record.getUint32(12, true) });
    previous = insnOff;
  }
  if (subprog !== subprogs.length) {
    const missing = subprogs.length - subprog;
    return refuse(`missing bpf_line_info for ${missing} funcs starting from func#${subprog}\n`);
  }
  env.lineInfo = lines;
  return 0;
}

/** Offsets anywhere into the strings will do. */
const isString = (btf: Btf, offset: number): boolean => offset < btf.stringEnd;

/** The records against the program, then relocations that the kernel is asked to make. 0 or a negative errno. */
export function checkBtfInfo(env: VerifierEnv): number {
  const { funcInfo, lineInfo, coreRelos } = env.request;
  const btf = env.progBtf;
  if (btf === undefined) return checkAbnormalReturn(env);
  let err = hasRecords(funcInfo) ? checkFuncInfo(env, btf) : checkAbnormalReturn(env);
  if (err === 0 && hasRecords(lineInfo)) err = checkLineInfo(env, btf, lineInfo);
  if (err === 0 && hasRecords(coreRelos)) err = checkCoreRelos(env, btf, coreRelos);
  return err;
}
