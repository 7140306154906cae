// What one verification works on: the program, what it refers to, the path being walked and the states kept.
import type { Insn } from '../../isa/insn.ts';
import type { InfoRecords } from '../../syscall.ts';
import type { KernelImage } from '../image/image.ts';
import type { Capabilities, KBtf, KMap } from '../objects.ts';
import type { FinishedProgram } from '../program.ts';
import type { VerifierLog } from './log.ts';
import type { HistoryEntry, VerifierState } from './types.ts';
import { InsnAux, RegState, type SubprogInfo } from './types.ts';

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
  insns: Insn[];
  log: VerifierLog;
  /** The program's own BTF. */
  btf: KBtf | undefined;
  /** Still raw: the verifier validates and parses them. */
  funcInfo: InfoRecords | undefined;
  lineInfo: InfoRecords | undefined;
  coreRelos: InfoRecords | undefined;
  attachBtfId: number;
  attachBtf: KBtf | undefined;
  fdArray: readonly number[] | undefined;
  fdArrayBinds: boolean;
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

/** A state kept for pruning (`struct bpf_verifier_state_list`). */
export interface KeptState {
  state: VerifierState;
  missCnt: number;
  hitCnt: number;
  inFreeList: boolean;
}

/** One verification. Filled and read by the files of this room; the rewriter reads it afterwards. */
export class VerifierEnv {
  readonly request: VerifyRequest;
  readonly image: KernelImage;
  readonly log: VerifierLog;
  readonly progType: number;
  readonly expectedAttachType: number;
  /** The program; passes after verification patch it in place together with `aux`. */
  insns: Insn[];
  aux: InsnAux[];
  /** In order of start; as many as there are functions (the kernel's subprog_cnt), no sentinel. */
  subprogs: SubprogInfo[] = [];
  funcInfo: FuncInfo[] = [];
  lineInfo: LineInfo[] = [];
  usedMaps: KMap[] = [];
  usedBtfs: KBtf[] = [];
  /** 8 bytes, set before map descriptors are resolved. */
  tag: Uint8Array = new Uint8Array(8);
  exceptionCallbackSubprog = 0;
  hiddenSubprogCnt = 0;

  insnIdx = 0;
  prevInsnIdx = 0;
  pending: PendingPath[] = [];
  curState: VerifierState | undefined = undefined;
  /** Hash buckets by instruction and callsite, newest first. */
  explored: KeptState[][] = [];
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
  maxPktOffset = 0;
  changesPktData = false;
  mightSleep = false;
  /** prog->cb_access, prog->dst_needed, prog->kprobe_override, enforce_expected_attach_type, call_get_stack… as set on the way. */
  progFlags: Set<string> = new Set();

  /** What the rewriter left, once it has run. */
  program: FinishedProgram | undefined = undefined;

  // What has been printed.
  prevLineInfo: LineInfo | undefined = undefined;
  prevLogPos = 0;
  prevInsnPrintPos = 0;
  scratchedRegs = 0;
  scratchedStackSlots = 0n;
  /** Constants as registers (`env->fake_reg`). */
  fakeRegs: [RegState, RegState] = [new RegState(), new RegState()];

  constructor(request: VerifyRequest) {
    this.request = request;
    this.image = request.image;
    this.log = request.log;
    this.progType = request.type;
    this.expectedAttachType = request.expectedAttachType;
    this.insns = request.insns;
    this.aux = request.insns.map((_, i) => {
      const aux = new InsnAux();
      aux.origIdx = i;
      return aux;
    });
    this.bpfCapable = request.caps.bpf;
    this.allowPtrLeaks = request.caps.perfmon;
    this.allowUninitStack = request.caps.perfmon;
    this.bypassSpecV1 = request.caps.perfmon;
    this.bypassSpecV4 = request.caps.perfmon;
  }

  /** Registers of the innermost frame. */
  get regs(): RegState[] {
    const state = this.curState as VerifierState;
    return state.frame[state.curframe].regs;
  }

  get state(): VerifierState {
    return this.curState as VerifierState;
  }
}
