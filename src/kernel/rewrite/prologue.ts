// Code that some program types run before the program itself.
import { ALU, JMP, SIZE } from '../../isa/opcode.ts';
import { HELPER, PROG_TYPE } from '../../isa/uapi.ts';
import type { VerifierEnv } from '../verifier/env.ts';
import { verifierBug } from '../verifier/verifier-bug.ts';
import { aluImm, aluReg, call, exit, jumpImm, load, movReg } from './build.ts';
import { Expansion } from './expand.ts';

/** sk_buff's bit field `cloned` is the lowest bit of its byte. */
const CLONED_MASK = 1;

/** What a packet that cannot be made writable is answered with, by program type. */
const UNCLONE_VERDICT: ReadonlyMap<number, number> = new Map([
  [PROG_TYPE.sched_cls, 2],
  [PROG_TYPE.sched_act, 2],
  [PROG_TYPE.lwt_xmit, 2],
  [PROG_TYPE.sk_skb, 0],
]);
/** Types with a prologue that is always empty. */
const EMPTY_PROLOGUE: ReadonlySet<number> = new Set([PROG_TYPE.xdp, PROG_TYPE.sk_msg, PROG_TYPE.cgroup_sockopt]);

/**
 * Programs that write to the packet first get a copy of it that is theirs alone. Gives the number of instructions put
 * in front, or a negative errno.
 * rule: bpf_unclone_prologue, convert_ctx_accesses, 6.18
 */
export function addPrologue(env: VerifierEnv): number {
  if (!env.seenDirectWrite) return 0;
  const verdict = UNCLONE_VERDICT.get(env.progType);
  if (verdict === undefined) return EMPTY_PROLOGUE.has(env.progType) ? 0 : verifierBug(env, 'gen_prologue is null');
  const prologue = [
    load(SIZE.B, 6, 1, env.image.offsetOf('sk_buff', '__cloned_offset')),
    aluImm(ALU.AND, 6, CLONED_MASK, 32),
    jumpImm(JMP.JEQ, 6, 0, 7),
    movReg(6, 1),
    aluReg(ALU.XOR, 2, 2),
    call(HELPER.skb_pull_data),
    jumpImm(JMP.JEQ, 0, 0, 2),
    aluImm(ALU.MOV, 0, verdict, 32),
    exit(),
    movReg(1, 6),
  ];
  const count = prologue.length;
  const expansion = new Expansion(env, new Map([[0, count]]));
  expansion.replace(0, [...prologue, expansion.take(0)]);
  for (let i = 1; i < env.insns.length; i++) expansion.keep(i);
  const err = expansion.finish();
  return err === 0 ? count : err;
}
