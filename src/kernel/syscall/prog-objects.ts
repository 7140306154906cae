// Programs: loading, and what is told of them.
import { SysError } from '../../errno.ts';
import { decodeInsns, INSN_BYTES, LDIMM64 } from '../../isa/insn.ts';
import { PSEUDO } from '../../isa/opcode.ts';
import { PROG_TYPE } from '../../isa/uapi.ts';
import type { CodeArch, InfoRecords, ProgCode, ProgInfo, ProgLoadAttr, ProgSource } from '../../syscall.ts';
import { archOf, setTailCallTarget } from '../jit/jit.ts';
import type { KBtf, KMap, KProgram } from '../objects.ts';
import type { FinishedProgram } from '../program.ts';
import type { Row } from '../store/database.ts';
import type { VerifierEnv } from '../verifier/env.ts';
import { bpfCheck } from '../verifier/index.ts';
import { VerifierLog } from '../verifier/log.ts';
import { checkLogRequest, clearLog, objectName } from './attr.ts';
import { type BtfObjects, VMLINUX_BTF } from './btf-objects.ts';
import { CodeSpace } from './code-space.ts';
import type { KernelContext } from './context.ts';
import { foreignCode } from './foreign-code.ts';
import type { MapObjects } from './map-objects.ts';
import type { Candidate } from './map-owner.ts';
import { NO_SLOT, type ObjectId } from './object-store.ts';
import { attachTypeOf, checkProgAttr, isGplCompatible } from './prog-attr.ts';
import {
  type Belonging,
  hookableFunctions,
  insertProgram,
  progInfoOf,
  programCode,
  programSymbols,
  progSourceOf,
} from './prog-store.ts';

/** Loads that are begun anew because another process has loaded a program meanwhile, where this one's code lies. */
const MAX_RETRIES = 8;

/** Role of the reference to the program that a program hooks into. */
const TARGET = 'target';

const hasRecords = (info: InfoRecords | undefined): boolean => info !== undefined && info.bytes.length > 0;

/** A program that has passed, and what must not have changed until it is stored. */
interface Verified {
  env: VerifierEnv;
  program: FinishedProgram;
  attachBtf: KBtf | undefined;
  attachProgramId: number | undefined;
  /** Number of the last program when the code got its address. */
  after: number;
}

export class ProgObjects {
  private readonly context: KernelContext;
  private readonly btfs: BtfObjects;
  private readonly maps: MapObjects;

  constructor(context: KernelContext, btfs: BtfObjects, maps: MapObjects) {
    this.context = context;
    this.btfs = btfs;
    this.maps = maps;
  }

  load(attr: ProgLoadAttr): number {
    for (let attempt = 0; ; attempt++) {
      const verified = this.verify(attr);
      const fd = this.context.db.write(() => this.keep(attr, verified, attempt < MAX_RETRIES));
      if (fd !== undefined) return fd;
    }
  }

  private lastProgram(): number {
    return Number(this.context.db.get("SELECT value FROM counter WHERE name = 'prog'")?.value ?? 0);
  }

  /** Checks, verifies and compiles; nothing is stored. Fills the caller's log. */
  private verify(attr: ProgLoadAttr): Verified {
    const { context, btfs } = this;
    const { caps, image } = context;
    clearLog(attr.log);
    const target = checkProgAttr(attr, {
      caps,
      unprivilegedDisabled: context.unprivilegedDisabled,
      config: (option) => image.config(option),
      progByFd: (fd) => context.fds.get(fd, 'prog').id,
      btfByFd: (fd) => btfs.byFd(fd),
      vmlinux: () => btfs.byId(VMLINUX_BTF),
    });
    // rule: bpf_verify_pkcs7_signature without CONFIG_SYSTEM_DATA_VERIFICATION, 6.18
    if (attr.signature) throw new SysError('EOPNOTSUPP');
    checkLogRequest(attr.log);
    const log = new VerifierLog(attr.log?.level ?? 0, attr.log?.size ?? 0);
    const attachBtf = target && 'btf' in target ? target.btf : undefined;
    const attachProgramId = target && 'program' in target ? target.program : undefined;
    // The verifier tells maps apart by identity.
    const maps = new Map<number, KMap>();
    const mapByFd = (fd: number): KMap => {
      const { id } = context.fds.get(fd, 'map');
      const map = maps.get(id) ?? this.maps.kmap(fd);
      maps.set(id, map);
      return map;
    };
    const btfFd = attr.btfFd ?? 0;
    const usesBtf = [attr.funcInfo, attr.lineInfo, attr.coreRelos].some(hasRecords);
    const code = new CodeSpace(context.db);
    const after = this.lastProgram();
    const { errno, env } = bpfCheck({
      image,
      caps,
      type: attr.type,
      expectedAttachType: attachTypeOf(attr),
      flags: attr.flags ?? 0,
      name: objectName(attr.name ?? ''),
      gplCompatible: isGplCompatible(attr.license),
      insns: decodeInsns(attr.insns),
      log,
      btf: usesBtf && context.fds.find(btfFd)?.kind === 'btf' ? btfs.byFd(btfFd) : undefined,
      btfFd,
      funcInfo: attr.funcInfo,
      lineInfo: attr.lineInfo,
      coreRelos: attr.coreRelos,
      attachBtfId: attr.attachBtfId ?? 0,
      attachBtf,
      attachProgram: attachProgramId === undefined ? undefined : this.hookable(attachProgramId),
      fdArray: attr.fdArray,
      fdArrayBinds: attr.fdArrayBinds ?? false,
      mapByFd,
      btfByFd: (fd) => btfs.byFd(fd),
      allocateCode: (bytes) => code.allocate(bytes),
    });
    if (attr.log) {
      attr.log.text = log.finish();
      attr.log.trueSize = log.trueSize;
    }
    if (errno !== 0) throw new SysError(-errno);
    if (!env.program) throw new SysError('EFAULT');
    env.forgetWalk();
    return { env, program: env.program, attachBtf, attachProgramId, after };
  }

  /** Stores a verified program; undefined when its place may have been taken meanwhile and `mayRetry`. */
  private keep(
    attr: ProgLoadAttr,
    { env, program, attachBtf, attachProgramId, after }: Verified,
    mayRetry: boolean,
  ): number | undefined {
    const { context } = this;
    const { db, objects } = context;
    if (mayRetry && this.lastProgram() !== after) return undefined;
    const expectedAttachType = attachTypeOf(attr);
    const overrides = env.progFlags.has('kprobe_override');
    const belongs = belongingOf(env, attachBtf?.id ?? this.btfOf(attachProgramId));
    const candidate: Candidate = {
      type: env.progType,
      flags: attr.flags ?? 0,
      expectedAttachType,
      overrides,
      ...belongs,
      hook: belongs.hook,
    };
    for (const map of env.usedMaps) if (!this.maps.mayUse(map.id, candidate)) throw new SysError('EINVAL');
    const withBtf = hasRecords(attr.funcInfo) || hasRecords(attr.lineInfo);
    const btf = withBtf ? context.fds.get(attr.btfFd ?? 0, 'btf').id : 0;
    const id = db.next('prog');
    insertProgram(
      db,
      {
        id,
        type: attr.type,
        name: objectName(attr.name ?? ''),
        flags: attr.flags ?? 0,
        expectedAttachType,
        loadTime: context.sinceBoot(),
        uid: process.getuid?.() ?? 0,
        gpl: isGplCompatible(attr.license),
        verifiedInsns: env.insnProcessed,
        btf,
        attachBtfObj: attachBtf?.id ?? this.btfOf(attachProgramId),
        attachBtf: attr.attachBtfId ?? 0,
      },
      program,
      env.subprogs.map((s) => ({
        unreliable: s.unreliable,
        exceptionCallback: env.subprogs.length > 1 && s.isExceptionCb,
        changesPacket: s.changesPktData,
        mightSleep: s.mightSleep,
      })),
      belongs,
      this.withMapIds(attr.insns),
    );
    const self: ObjectId = { kind: 'prog', id };
    env.usedMaps.forEach((map, i) => {
      objects.refer(self, 'map', slotOf(i), { kind: 'map', id: map.id });
    });
    if (btf) objects.referOnce(self, 'btf', { kind: 'btf', id: btf });
    if (attachProgramId !== undefined) objects.referOnce(self, TARGET, { kind: 'prog', id: attachProgramId });
    return context.open(self);
  }

  /** The program that a program hooks into. */
  private targetOf(id: number): Row | undefined {
    const { objects } = this.context;
    const target = objects.reference({ kind: 'prog', id }, TARGET, NO_SLOT);
    return target && objects.row('prog', target.id);
  }

  /** Number of a program's BTF; 0 for none. */
  private btfOf(id: number | undefined): number {
    return id === undefined ? 0 : Number(this.context.objects.row('prog', id)?.btf ?? 0);
  }

  /** A loaded program as one that hooks into it sees it. */
  private hookable(id: number): KProgram {
    const row = this.context.objects.row('prog', id);
    if (!row) throw new SysError('ENOENT');
    const type = Number(row.type);
    const target = this.targetOf(id);
    const targetType = target && Number(target.type);
    const btf = this.btfOf(id);
    return {
      type,
      expectedAttachType: Number(row.expected_attach_type),
      btf: btf ? this.btfs.byId(btf) : undefined,
      tracesTracing: type === PROG_TYPE.tracing && targetType === PROG_TYPE.tracing,
      replacedType: type === PROG_TYPE.ext ? targetType : undefined,
      functions: hookableFunctions(row),
    };
  }

  /** rule: bpf_prog_bind_map, 6.18 */
  bindMap(progFd: number, mapFd: number): void {
    const { db, fds, objects } = this.context;
    db.write(() => {
      const prog = fds.get(progFd, 'prog');
      const map = fds.get(mapFd, 'map');
      const ids = this.mapIds(prog.id);
      if (!ids.includes(map.id)) objects.refer(prog, 'map', slotOf(ids.length), map);
    });
  }

  /** Constant tail calls lead to the programs that are in their slots now. rule: prog_array_map_poke_run, 6.18 */
  private aimTailCalls(row: Row, jited: Uint8Array): void {
    let at = 0;
    for (const { address, length, tailCalls } of programCode(row)) {
      const code = { address, bytes: jited.subarray(at, at + length) };
      for (const { mapId, key, site } of tailCalls) {
        setTailCallTarget(code, site, this.maps.programAt(mapId, key), this.context.image);
      }
      at += length;
    }
  }

  private mapIds(prog: number): number[] {
    const sql = "SELECT target_id FROM ref WHERE kind = 1 AND id = ? AND role = 'map' ORDER BY slot";
    return this.context.db.all(sql, prog).map((row) => Number(row.target_id));
  }

  info(fd: number): ProgInfo {
    const row = this.context.rowOf(fd, 'prog');
    const info = progInfoOf(row, this.mapIds(Number(row.id)));
    this.aimTailCalls(row, info.jited);
    return this.context.caps.bpf ? info : withoutCode(info);
  }

  /** The loaded instructions with the ids of maps in place of descriptors. */
  private withMapIds(wire: Uint8Array): Uint8Array {
    const bytes = wire.slice();
    const view = new DataView(bytes.buffer);
    for (let at = 0; at + INSN_BYTES <= bytes.length; at += INSN_BYTES) {
      const src = bytes[at + 1] >> 4;
      if (bytes[at] !== LDIMM64 || (src !== PSEUDO.MAP_FD && src !== PSEUDO.MAP_VALUE)) continue;
      view.setInt32(at + 4, this.context.fds.get(view.getInt32(at + 4, true), 'map').id, true);
    }
    return bytes;
  }

  source(fd: number): ProgSource {
    const row = this.context.rowOf(fd, 'prog');
    if (!this.context.caps.bpf) throw new SysError('EPERM');
    return progSourceOf(row);
  }

  /** Machine code for an architecture: what is stored, or what foreignCode() makes. */
  code(fd: number, arch: CodeArch): ProgCode {
    const { context } = this;
    const row = context.rowOf(fd, 'prog');
    if (!context.caps.bpf) throw new SysError('EPERM');
    if (arch === archOf(context.image)) {
      return { ...this.info(fd), names: programSymbols(row).map((symbol) => symbol.name) };
    }
    const maps = this.mapIds(Number(row.id)).map((map) => context.objects.row('map', map));
    return foreignCode(row, arch, context.image, maps);
  }
}

function belongingOf(env: VerifierEnv, btf: number): Belonging {
  const { funcProto } = env.attach;
  return {
    ...(funcProto !== 0 && { hook: `${btf}:${funcProto}` }),
    storage: env.cgroupStorage.map((map) => map?.id ?? 0),
    tailCallReachable: env.tailCallReachable,
    contextBytes: env.maxCtxOffset,
  };
}

/** What somebody without CAP_BPF is told. rule: bpf_prog_get_info_by_fd, 6.18 */
const withoutCode = (info: ProgInfo): ProgInfo => ({
  ...info,
  xlated: new Uint8Array(0),
  jited: new Uint8Array(0),
  jitedKsyms: [],
  jitedFuncLens: [],
  progTags: [],
  funcInfo: undefined,
  lineInfo: undefined,
  jitedLineInfo: [],
});

/** A number as a slot: slots sort by their bytes. */
function slotOf(i: number): Uint8Array {
  const slot = new Uint8Array(4);
  new DataView(slot.buffer).setUint32(0, i, false);
  return slot;
}
