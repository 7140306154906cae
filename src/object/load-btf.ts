// The object's BTF goes to the kernel.
import type { Btf } from '../btf/btf.ts';
import { BtfBuilder } from '../btf/encode.ts';
import { readSections } from '../btf/header.ts';
import { BTF_KIND, LINKAGE } from '../btf/kinds.ts';
import type { LogRequest } from '../syscall.ts';
import { errstr, ObjectError } from './errors.ts';
import type { FeatureName } from './features.ts';
import { errnoOf } from './kernel-btf.ts';
import type { LoadState } from './load-state.ts';

/** Size of the first log buffer: UINT32_MAX >> 8. */
export const LOG_BYTES = 0xffffff;
const MAX_LOG_BYTES = 0x7fffffff;
const ENOSPC = 28;

/** What decides whether BTF must be rewritten, in libbpf's order of asking. */
const ASKED: readonly FeatureName[] = [
  'BTF_GLOBAL_FUNC',
  'BTF_DATASEC',
  'BTF_FLOAT',
  'BTF_FUNC',
  'BTF_DECL_TAG',
  'BTF_TYPE_TAG',
  'BTF_ENUM64',
  'BTF_QMARK_DATASEC',
  'BTF_LAYOUT',
];

/**
 * Loads the object's BTF and notes its descriptor. Failure matters only to objects with struct_ops. Throws
 * ObjectError. Rule: libbpf 1.8, for kernels that know all kinds of types.
 */
export function loadBtf(state: LoadState, logLevel: number): void {
  const { messages, features, spec } = state;
  if (!spec.btf) return;
  if (!features.supports('BTF')) {
    if (spec.hasStructOps) optional(state, 95);
    else messages.debug(() => "Kernel doesn't support BTF, skipping uploading it.");
    return;
  }
  const fixed = withStaticFunctions(state, spec.btf);
  for (const feature of ASKED) features.supports(feature);
  const bytes = features.supports('BTF_LAYOUT') ? fixed : withoutLayout(fixed);
  if (state.loader) {
    state.loader.loadBtf(bytes);
    state.btfFd = 0;
    return;
  }
  const errno = sendBtf(state, bytes, logLevel);
  if (errno) optional(state, errno);
}

function optional(state: LoadState, errno: number): void {
  const text = `Error loading .BTF into kernel: ${errstr(errno)}. `;
  if (!state.spec.hasStructOps) {
    state.messages.info(`${text}BTF is optional, ignoring.`);
    return;
  }
  state.messages.warn(`${text}BTF is mandatory, can't proceed.`);
  throw new ObjectError(errno);
}

/** Hidden subprograms become static, so that the verifier looks into them from their callers. */
function withStaticFunctions(state: LoadState, btf: Btf): Uint8Array {
  const hidden = state.programs.filter((p) => p.spec.markStatic && p.spec.subprogram);
  if (hidden.length === 0) return btf.bytes;
  const builder = BtfBuilder.from(btf);
  const changed = new Set<number>();
  for (const { spec } of hidden) {
    const id = btf
      .findAll(spec.name)
      .find((i) => btf.kind(i) === BTF_KIND.FUNC && btf.linkage(i) === LINKAGE.GLOBAL && !changed.has(i));
    if (id === undefined) continue;
    changed.add(id);
    builder.edit(id, { vlen: LINKAGE.STATIC });
  }
  return builder.bytes();
}

/** The same BTF without its table of kind layouts. */
function withoutLayout(bytes: Uint8Array): Uint8Array {
  const sections = readSections(bytes, false);
  if (sections.layout.length === 0) return bytes;
  const typesEnd = sections.types.start + sections.types.length;
  const strings = bytes.subarray(sections.strings.start, sections.strings.start + sections.strings.length);
  const out = new Uint8Array(typesEnd + strings.length);
  out.set(bytes.subarray(0, typesEnd));
  out.set(strings, typesEnd);
  const header = new DataView(out.buffer);
  header.setUint32(16, typesEnd - header.getUint32(4, true), true);
  header.setUint32(24, 0, true);
  header.setUint32(28, 0, true);
  return out;
}

/** BPF_BTF_LOAD, tried again with a log, and with a larger one; gives 0 or a positive errno. */
function sendBtf(state: LoadState, bytes: Uint8Array, logLevel: number): number {
  const { kernel, messages } = state;
  let log: LogRequest | undefined = logLevel ? { level: 1, size: LOG_BYTES } : undefined;
  for (;;) {
    try {
      state.btfFd = kernel.btfLoad(log ? { bytes, log } : { bytes });
      return 0;
    } catch (error) {
      const errno = errnoOf(error);
      if (!log) {
        log = { level: 1, size: LOG_BYTES };
        continue;
      }
      if (errno === ENOSPC && log.size <= MAX_LOG_BYTES) {
        log = { level: 1, size: Math.max(LOG_BYTES, log.size * 2) };
        continue;
      }
      messages.warn(`BTF loading error: ${errstr(errno)}`);
      if (log.text) messages.warn(`-- BEGIN BTF LOAD LOG ---\n${log.text}\n-- END BTF LOAD LOG --`);
      return errno;
    }
  }
}
