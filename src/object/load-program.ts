// A finished program goes to the verifier.
import { BTF_KIND } from '../btf/kinds.ts';
import { encodeInsns, type Insn } from '../isa/insn.ts';
import { CALL_KIND } from '../isa/opcode.ts';
import { ATTACH_TYPE, HELPER, PROG_TYPE } from '../isa/uapi.ts';
import type { LogRequest, ProgLoadAttr } from '../syscall.ts';
import { parseObjectBtf } from './btf-words.ts';
import { errstr, LoadError, ObjectError } from './errors.ts';
import { kernelVersion } from './kconfig.ts';
import { attachPrefix, errnoOf } from './kernel-btf.ts';
import { loaderExtras } from './light/extras.ts';
import { LOG_BYTES } from './load-btf.ts';
import type { LoadState, ProgramState } from './load-state.ts';
import { CALL_CODE } from './prog-relocs.ts';
import { noteUnresolved } from './relocate-core.ts';
import { improveLog } from './verifier-log.ts';

/** prog_flags: BPF_F_SLEEPABLE and BPF_F_XDP_HAS_FRAGS. */
const SLEEPABLE = 0x10;
const XDP_HAS_FRAGS = 0x20;
const NAME_LENGTH = 15;
const MAX_LOG_BYTES = 0x7fffffff;
const ATTEMPTS = 5;
const EAGAIN = 11;
const ENOSPC = 28;
const EPERM = 1;

/** Helpers that old kernels have under another name. */
const OLD_HELPERS: ReadonlyMap<number, number> = new Map([
  [HELPER.probe_read_kernel, HELPER.probe_read],
  [HELPER.probe_read_user, HELPER.probe_read],
  [HELPER.probe_read_kernel_str, HELPER.probe_read_str],
  [HELPER.probe_read_user_str, HELPER.probe_read_str],
]);

/** Replaces helpers that the kernel does not know. */
export function replaceOldHelpers(state: LoadState, insns: readonly Insn[]): void {
  for (const insn of insns) {
    if (insn.code !== CALL_CODE || insn.src !== CALL_KIND.HELPER || insn.dst !== 0) continue;
    const old = OLD_HELPERS.get(insn.imm);
    if (old !== undefined && !state.features.supports('PROBE_READ_KERN')) insn.imm = old;
  }
}

/** Size of the log buffer of the first try, where a log is asked for. */
export interface LogOptions {
  level: number;
  size: number;
  fixed?: boolean;
}

/**
 * Loads a program and notes descriptor and log. On failure tries again with a log, and again with a larger buffer;
 * then throws LoadError, or ObjectError when it never came to the verifier. Rule: libbpf 1.8.
 */
export function loadProgram(state: LoadState, program: ProgramState, log: LogOptions): void {
  try {
    verify(state, program, log);
  } catch (error) {
    const errno = errnoOf(error);
    state.messages.warn(`prog '${program.spec.name}': failed to load: ${errstr(errno)}`);
    throw error;
  }
}

function verify(state: LoadState, program: ProgramState, options: LogOptions): void {
  const { messages } = state;
  const { name } = program.spec;
  const attr = attributes(state, program);
  if (state.loader) {
    attr.insns = encodeInsns(program.insns);
    state.loader.loadProgram(attr, loaderExtras(state, program));
    return;
  }
  for (const { insn, map } of program.mapLoads) program.insns[insn].imm = state.maps[map].fd;
  attr.insns = encodeInsns(program.insns);
  let log: LogRequest | undefined = options.level ? { level: options.level, size: options.size } : undefined;
  for (;;) {
    try {
      program.fd = send(state, log ? { ...attr, log } : attr);
      break;
    } catch (error) {
      const errno = errnoOf(error);
      if (!log) {
        log = { level: 1, size: options.size };
        continue;
      }
      if (!options.fixed && errno === ENOSPC && log.size <= MAX_LOG_BYTES) {
        log = { level: log.level, size: Math.max(LOG_BYTES, log.size * 2) };
        continue;
      }
      const { text, relo } = improveLog(state, program, log.text ?? '');
      messages.warn(`prog '${name}': BPF program load failed: ${errstr(errno)}`);
      if (errno === EPERM) adviseOnMemlock(state);
      if (text !== '') messages.warn(framed(name, text));
      if (relo) noteUnresolved(state, name, relo);
      throw new LoadError(errno, name, text);
    }
  }
  if (log) {
    program.log = log.text ?? '';
    messages.debug(() => framed(name, program.log));
  }
  bindReadOnlyData(state, program);
}

const framed = (name: string, log: string): string =>
  `prog '${name}': -- BEGIN PROG LOAD LOG --\n${log}-- END PROG LOAD LOG --`;

/** BPF_PROG_LOAD, repeated while the kernel says EAGAIN. */
function send(state: LoadState, attr: ProgLoadAttr): number {
  for (let attempt = 1; ; attempt++) {
    try {
      return state.kernel.progLoad(attr);
    } catch (error) {
      if (errnoOf(error) !== EAGAIN || attempt === ATTEMPTS) throw error;
    }
  }
}

function attributes(state: LoadState, program: ProgramState): ProgLoadAttr {
  const { messages, features, kernel, spec: object } = state;
  const { spec } = program;
  if (spec.type === PROG_TYPE.unspec) {
    messages.warn(`prog '${spec.name}': missing BPF prog type, check ELF section name '${spec.section}'`);
    throw new ObjectError('EINVAL');
  }
  if (spec.type === PROG_TYPE.struct_ops && program.attachBtfId === 0) {
    messages.warn(
      `prog '${spec.name}': SEC("struct_ops") program isn't referenced anywhere, did you forget to use it?`,
    );
    throw new ObjectError('EINVAL');
  }
  const attr: ProgLoadAttr = {
    type: spec.type,
    insns: new Uint8Array(),
    license: object.license,
    kernVersion: object.kernVersion ?? (state.loader ? 0 : kernelVersion(kernel)),
    flags: spec.flags,
    name: features.supports('PROG_NAME') ? spec.name.slice(0, NAME_LENGTH) : '',
    ifindex: spec.ifindex,
  };
  if (state.btfFd >= 0 && features.supports('BTF_FUNC')) {
    attr.btfFd = state.btfFd;
    if (program.funcInfo) attr.funcInfo = program.funcInfo;
    if (program.lineInfo) attr.lineInfo = program.lineInfo;
  }
  if (state.fdArray.length) attr.fdArray = state.fdArray;
  try {
    applySection(state, program, attr);
  } catch (error) {
    const errno = errnoOf(error);
    messages.warn(`prog '${spec.name}': failed to prepare load attributes: ${errstr(errno)}`);
    throw error;
  }
  attr.expectedAttachType = attr.expectedAttachType ?? program.expectedAttachType;
  if (spec.attachProgFd) attr.attachProgFd = spec.attachProgFd;
  else attr.attachBtfObjFd = program.attachBtfObjFd;
  attr.attachBtfId = program.attachBtfId;
  return attr;
}

/** What the section name adds: flags, attach type, and the type to attach to. */
function applySection(state: LoadState, program: ProgramState, attr: ProgLoadAttr): void {
  const { messages, features, kernelBtf } = state;
  const { spec } = program;
  const { rule } = spec;
  if (!rule) return;
  if (rule.optionalAttachType && !features.supports('EXP_ATTACH_TYPE')) attr.expectedAttachType = 0;
  if (rule.sleepable) attr.flags = (attr.flags ?? 0) | SLEEPABLE;
  if (spec.type === PROG_TYPE.xdp && rule.xdpFrags) attr.flags = (attr.flags ?? 0) | XDP_HAS_FRAGS;
  if (rule.usdt && features.supports('UPROBE_MULTI_LINK')) {
    program.expectedAttachType = ATTACH_TYPE.trace_uprobe_multi;
  }
  if (!rule.attachBtf || program.attachBtfId) return;
  const slash = spec.section.indexOf('/');
  if (slash < 0) {
    messages.warn(`prog '${spec.name}': no BTF-based attach target is specified, use bpf_program__set_attach_target()`);
    throw new ObjectError('EINVAL');
  }
  const target = spec.section.slice(slash + 1);
  if (spec.type === PROG_TYPE.ext || spec.attachProgFd) {
    if (!spec.attachProgFd) {
      messages.warn(`prog '${spec.name}': attach program FD is not set`);
      throw new ObjectError('EINVAL');
    }
    program.attachBtfId = idInProgram(state, program, target);
    return;
  }
  const [prefix, kind] = attachPrefix(program.expectedAttachType);
  if (state.loader) {
    state.loader.attachTo(prefix + target, kind);
    program.attachBtfId = 1;
    return;
  }
  try {
    const found = kernelBtf.findAttachTarget(target, prefix, kind);
    program.attachBtfObjFd = found.objFd;
    program.attachBtfId = found.id;
  } catch (error) {
    const errno = errnoOf(error);
    messages.warn(`prog '${spec.name}': failed to find kernel BTF type ID of '${target}': ${errstr(errno)}`);
    throw error;
  }
}

/** Id of a function in the BTF of the program that is to be replaced or traced. */
function idInProgram(state: LoadState, program: ProgramState, target: string): number {
  const { messages, kernel } = state;
  const { name, attachProgFd } = program.spec;
  try {
    const info = kernel.progInfo(attachProgFd);
    if (!info.btfId) {
      messages.warn("The target program doesn't have BTF");
      throw new ObjectError('EINVAL');
    }
    const fd = kernel.fdById('btf', info.btfId);
    const btf = parseObjectBtf(kernel.btfInfo(fd).bytes);
    kernel.close(fd);
    const id = btf.find(target, BTF_KIND.FUNC);
    if (!id) {
      messages.warn(`${target} is not found in prog's BTF`);
      throw new ObjectError('ENOENT');
    }
    return id;
  } catch (error) {
    const errno = errnoOf(error);
    messages.warn(
      `prog '${name}': failed to find BPF program (FD ${attachProgFd}) BTF ID for '${target}': ${errstr(errno)}`,
    );
    throw error;
  }
}

/** Read-only data stays with the program even when its code does not refer to it. */
function bindReadOnlyData(state: LoadState, program: ProgramState): void {
  const { kernel, messages, features, maps } = state;
  const readOnly = maps.filter((m) => m.spec.kind === 'rodata');
  if (readOnly.length === 0 || !features.supports('PROG_BIND_MAP')) return;
  for (const map of readOnly) {
    try {
      kernel.progBindMap(program.fd, map.fd);
    } catch (error) {
      messages.warn(`prog '${program.spec.name}': failed to bind map '${map.spec.section}': ${errstr(errnoOf(error))}`);
    }
  }
}

/** EPERM of root on an old kernel may come from the limit on locked memory. */
function adviseOnMemlock(state: LoadState): void {
  if (process.geteuid?.() !== 0) return;
  const limits = new TextDecoder().decode(state.kernel.readFile('/proc/self/limits') ?? new Uint8Array());
  const soft = /^Max locked memory\s+(\d+)/m.exec(limits)?.[1];
  if (soft === undefined) return;
  const bytes = Number(soft);
  const text =
    bytes < 1024
      ? `${bytes} bytes`
      : bytes < 1048576
        ? `${(bytes / 1024).toFixed(1)} KiB`
        : `${(bytes / 1048576).toFixed(1)} MiB`;
  state.messages.warn(`permission error while running as root; try raising 'ulimit -l'? current value: ${text}`);
}
