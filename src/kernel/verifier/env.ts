// What one verification works on: the program, what it refers to, the path being walked and the states kept.
import type { Btf } from '../../btf/btf.ts';
import type { Insn } from '../../isa/insn.ts';
import type { InfoRecords } from '../../syscall.ts';
import type { KernelImage } from '../image/image.ts';
import type { Capabilities, KBtf, KMap, KProgram } from '../objects.ts';
import type { FinishedProgram } from '../program.ts';
import { Backtrack } from './backtrack-state.ts';
import type { KfuncDesc } from './kfunc-table.ts';
import type { VerifierLog } from './log.ts';
import type { SccVisit } from './scc-visits.ts';
import type { StackLiveness } from './stack-liveness.ts';
import type { HistoryEntry, KeptState, VerifierState } from './types.ts';
import { InsnAux, RegState, type SubprogInfo } from './types.ts';

/** Bits of prog_flags. */
export const PROG_FLAG = {
  STRICT_ALIGNMENT: 1,
  ANY_ALIGNMENT: 2,
  TEST_RND_HI32: 4,
  TEST_STATE_FREQ: 8,
  SLEEPABLE: 16,
  XDP_HAS_FRAGS: 32,
  XDP_DEV_BOUND_ONLY: 64,
  TEST_REG_INVARIANTS: 128,
  TOKEN_FD: 0x10000,
} as const;

/** bpf_func_info record. */
export interface FuncInfo {
  insnOff: number;
  typeId: number;
}

/** bpf_line_info record. */
export interface LineInfo {
  insnOff: number;
  fileNameOff: number;
  lineOff: number;
  lineCol: number;
}

/** Who is told of the walk along the paths: each state that an instruction is executed in, and where paths are cut. */
export interface WalkObserver {
  /** env.state is what is known before the instruction at env.insnIdx, which is executed now. */
  visit(env: VerifierEnv): void;
  /** env.state ends here: `equal`, kept at this instruction, covers it. */
  pruned(env: VerifierEnv, equal: VerifierState): void;
}

/** What BPF_PROG_LOAD hands to the verifier once the attributes themselves have been found well formed. */
export interface VerifyRequest {
  image: KernelImage;
  caps: Capabilities;
  type: number;
  expectedAttachType: number;
  /** prog_flags of the load. */
  flags: number;
  name: string;
  gplCompatible: boolean;
  /** Changed in place. */
  insns: Insn[];
  log: VerifierLog;
  /** The program's own BTF. */
  btf: KBtf | undefined;
  /** prog_btf_fd, looked up with btfByFd() where `btf` is undefined although there are function or line records. */
  btfFd?: number;
  /** Still raw: the verifier validates and parses them. */
  funcInfo: InfoRecords | undefined;
  lineInfo: InfoRecords | undefined;
  coreRelos: InfoRecords | undefined;
  attachBtfId: number;
  attachBtf: KBtf | undefined;
  /** The program that this one hooks into, in place of `attachBtf`. */
  attachProgram?: KProgram | undefined;
  fdArray: readonly number[] | undefined;
  fdArrayBinds: boolean;
  /** Is told of the walk; for proofs. */
  observer?: WalkObserver;
  /** Address for so many bytes of machine code; without it they begin anew for each program. */
  allocateCode?(bytes: number): bigint;
  /** Map of a descriptor; throws SysError EBADF or EINVAL. */
  mapByFd(fd: number): KMap;
  /** BTF of a descriptor; throws SysError EBADF or EINVAL. */
  btfByFd(fd: number): KBtf;
}

/** A path still to be walked (`struct bpf_verifier_stack_elem`). */
export interface PendingPath {
  state: VerifierState;
  insnIdx: number;
  prevInsnIdx: number;
  /** Log position to go back to when this path starts. */
  logPos: number;
}

/** An argument that the context of a program carries as a typed pointer (`struct bpf_ctx_arg_aux`). */
export interface CtxArgInfo {
  /** Bytes from the start of the context. */
  offset: number;
  regType: number;
  btf: Btf | undefined;
  btfId: number;
  refObjId: number;
  refcounted: boolean;
}

/** What a tracing, LSM, struct_ops or extension program hooks into (`prog->aux->attach_*`). */
export interface AttachTarget {
  /** BTF that `btfId` and `funcProto` count in: vmlinux unless the load names another. */
  btf: Btf | undefined;
  btfId: number;
  /** The program that the hook is in; undefined: the kernel. */
  program: KProgram | undefined;
  /** Type id of the FUNC_PROTO of the hook; 0 while unknown, and of a program's function that cannot be relied on. */
  funcProto: number;
  funcName: string;
  /** tp_btf: the context begins one word later than the prototype says. */
  trace: boolean;
  ctxArgs: CtxArgInfo[];
  /** struct_ops: its name and the byte offset of the member. */
  structOps: string | undefined;
  memberOffset: number;
}

/** One verification. Filled and read by the files of this room; the rewriter reads it afterwards. */
export class VerifierEnv {
  readonly request: VerifyRequest;
  readonly image: KernelImage;
  readonly log: VerifierLog;
  /** Type whose rules hold: the type of the load, but of a replacement that of the program it replaces a part of. */
  progType: number;
  expectedAttachType: number;
  /** The program; passes after verification patch it in place together with `aux`. */
  insns: Insn[];
  aux: InsnAux[];
  /** In order of start; as many as there are functions (the kernel's subprog_cnt), no sentinel. */
  subprogs: SubprogInfo[] = [];
  funcInfo: FuncInfo[] = [];
  lineInfo: LineInfo[] = [];
  /** The program came with function records (`prog->aux->func_info`); they and `btf` are valid then. */
  hasFuncInfo = false;
  /** Linkages are known (`prog->aux->func_info_aux`). */
  hasFuncInfoAux = false;
  /** The program's BTF once it has been looked up (`prog->aux->btf`). */
  progBtf: Btf | undefined = undefined;
  usedMaps: KMap[] = [];
  usedBtfs: KBtf[] = [];
  attach: AttachTarget;
  arena: KMap | undefined = undefined;
  /** The cgroup storage map of each kind, shared and per-CPU. */
  cgroupStorage: [KMap | undefined, KMap | undefined] = [undefined, undefined];
  /** Kernel functions that the program calls, sorted by id and offset; undefined: it calls none. */
  kfuncs: KfuncDesc[] | undefined = undefined;
  /** 8 bytes, set before map descriptors are resolved. */
  tag: Uint8Array = new Uint8Array(8);
  exceptionCallbackSubprog = 0;
  hiddenSubprogCnt = 0;
  /** Instructions of each function in (nearly) postorder; functions begin at their `postorderStart`. */
  postorder: Int32Array = new Int32Array(0);
  liveness: StackLiveness | undefined = undefined;
  /** Loops being walked, by number of the strongly connected component. */
  sccVisits: (SccVisit[] | undefined)[] = [];
  backtrack: Backtrack = new Backtrack();

  insnIdx = 0;
  prevInsnIdx = 0;
  pending: PendingPath[] = [];
  curState: VerifierState | undefined = undefined;
  /** Hash buckets by instruction and callsite: heads of lists, newest state first. */
  explored: (KeptState | undefined)[] = [];
  freeListSize = 0;
  exploredSize = 0;
  numBackedges = 0;
  idGen = 0;
  passCnt = 0;
  prevInsnProcessed = 0;
  insnProcessed = 0;
  prevJmpsProcessed = 0;
  jmpsProcessed = 0;
  maxStatesPerInsn = 0;
  totalStates = 0;
  peakStates = 0;
  curHistEnt: HistoryEntry | undefined = undefined;

  // Rules for this program.
  strictAlignment = false;
  anyAlignment = false;
  testStateFreq = false;
  testRegInvariants = false;
  exploreAluLimits = false;
  allowPtrLeaks = false;
  allowUninitStack = false;
  bpfCapable = false;
  bypassSpecV1 = false;
  bypassSpecV4 = false;
  seenDirectWrite = false;
  seenException = false;
  /** prog->aux->sleepable. */
  sleepable = false;
  /** prog->aux->max_ctx_offset, max_tp_access, max_pkt_offset. */
  maxCtxOffset = 0;
  maxTpAccess = 0;
  /** prog->aux->max_rdonly_access, max_rdwr_access: bytes used of a map iterator's buffers. */
  maxRdonlyAccess = 0;
  maxRdwrAccess = 0;
  maxPktOffset = 0;
  changesPktData = false;
  mightSleep = false;
  /** Bytes of stack of the main function as verified; later passes add to subprogs[0].stackDepth. */
  stackDepth = 0;
  tailCallReachable = false;
  /** Some function keeps its stack in per-CPU memory. */
  usesPrivateStack = false;
  /** prog->cb_access, prog->dst_needed, prog->kprobe_override, enforce_expected_attach_type, call_get_stack… as set on the way. */
  progFlags: Set<string> = new Set();

  /** What the rewriter left, once it has run. */
  program: FinishedProgram | undefined = undefined;

  // What has been printed.
  prevLineInfo: LineInfo | undefined = undefined;
  /** Instructions as the log shows them, once that was asked for. */
  insnTexts: (string | undefined)[] = [];
  prevLogPos = 0;
  prevInsnPrintPos = 0;
  scratchedRegs = 0;
  /** One bit a slot: 0 to 31, then 32 to 63. */
  scratchedSlotsLow = 0;
  scratchedSlotsHigh = 0;
  /** Constants as registers (`env->fake_reg`). */
  fakeRegs: [RegState, RegState] = [new RegState(), new RegState()];

  constructor(request: VerifyRequest) {
    this.request = request;
    this.image = request.image;
    this.log = request.log;
    this.progType = request.type;
    this.expectedAttachType = request.expectedAttachType;
    this.sleepable = (request.flags & PROG_FLAG.SLEEPABLE) !== 0;
    this.attach = {
      btf: request.attachProgram ? request.attachProgram.btf?.btf : request.attachBtf?.btf,
      btfId: request.attachBtfId,
      program: request.attachProgram,
      funcProto: 0,
      funcName: '',
      trace: false,
      ctxArgs: [],
      structOps: undefined,
      memberOffset: 0,
    };
    this.insns = request.insns;
    this.aux = request.insns.map((_, i) => {
      const aux = new InsnAux();
      aux.origIdx = i;
      aux.origin = i;
      return aux;
    });
    this.bpfCapable = request.caps.bpf;
    this.allowPtrLeaks = request.caps.perfmon;
    this.allowUninitStack = request.caps.perfmon;
    this.bypassSpecV1 = request.caps.perfmon;
    this.bypassSpecV4 = request.caps.perfmon;
  }

  /** Lets go of what only the walk and the rewrites need: most of the memory that a long program takes. */
  forgetWalk(): void {
    this.aux = [];
    this.explored = [];
    this.liveness = undefined;
  }

  /** Registers of the innermost frame. */
  get regs(): RegState[] {
    const state = this.curState as VerifierState;
    return state.frame[state.curframe].regs;
  }

  get state(): VerifierState {
    return this.curState as VerifierState;
  }

  /** Index of the instruction after the last one of a function. */
  subprogEnd(subprog: number): number {
    return subprog + 1 < this.subprogs.length ? this.subprogs[subprog + 1].start : this.insns.length;
  }
}
