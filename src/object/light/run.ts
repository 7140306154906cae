// Loads a loader program into a kernel and runs it: what libbpf's skel_internal.h does for light skeletons.
import { SysError } from '../../errno.ts';
import { MAP_TYPE, PROG_TYPE } from '../../isa/uapi.ts';
import type { Kernel, LogRequest } from '../../syscall.ts';
import { errnoOf } from '../kernel-btf.ts';
import { LOADER_CTX } from './layouts.ts';
import type { Loader } from './loader-program.ts';
import type { Signature } from './sign.ts';

const LICENSE = 'Dual BSD/GPL';
const SLEEPABLE = 0x10;
const FIRST_KEY = new Uint8Array(4);
const MAX_ERRNO = 4095;
/** KEY_SPEC_SESSION_KEYRING */
const SESSION_KEYRING = -3;

export type LoaderStep =
  | 'failed to create loader map'
  | 'failed to update loader map'
  | 'failed to freeze map'
  | 'failed to load loader prog'
  | 'failed to execute loader prog'
  | 'error returned by loader prog';

/** A step that failed; `errno` is positive. */
export class LoaderError extends SysError {
  readonly step: LoaderStep;
  constructor(step: LoaderStep, errno: number) {
    super(errno, `${step}: ${new SysError(errno).message}`);
    this.name = 'LoaderError';
    this.step = step;
  }
}

/** A buffer for logs: each load writes its own from the start. */
export class LoaderLog {
  readonly level: number;
  readonly bytes: Uint8Array;

  constructor(level: number, size: number) {
    this.level = level;
    this.bytes = new Uint8Array(size);
  }

  /** Takes over a log that was asked for on its own. */
  put(log: LogRequest): void {
    const text = Buffer.from(`${log.text ?? ''}\0`);
    this.bytes.set(text.subarray(0, this.bytes.length));
  }

  text(): string {
    const end = this.bytes.indexOf(0);
    return Buffer.from(this.bytes.subarray(0, end < 0 ? undefined : end)).toString();
  }
}

/** Contents of a map instead of those of the loader: its address goes into the context at `at`. */
export interface InitialValue {
  at: number;
  bytes: Uint8Array;
}

export interface RunOptions {
  log?: LoaderLog | undefined;
  values?: readonly InitialValue[];
  signature?: Signature | undefined;
}

/**
 * Runs a loader with a context of `struct bpf_loader_ctx`, places for maps and places for programs; what it made
 * stands in those afterwards, as descriptors. Throws LoaderError.
 */
export function runLoader(
  kernel: Kernel,
  loader: Pick<Loader, 'data' | 'insns'>,
  context: Uint8Array,
  options: RunOptions = {},
): void {
  const { log, values = [], signature } = options;
  let step: LoaderStep = 'failed to create loader map';
  const open: number[] = [];
  const view = new DataView(context.buffer, context.byteOffset, context.byteLength);
  view.setUint32(LOADER_CTX.size, context.length, true);
  if (log) {
    view.setUint32(LOADER_CTX.logLevel, log.level, true);
    view.setUint32(LOADER_CTX.logSize, log.bytes.length, true);
  }
  try {
    const map = kernel.mapCreate({
      type: MAP_TYPE.array,
      keySize: 4,
      valueSize: loader.data.length,
      maxEntries: 1,
      name: '__loader.map',
      ...(signature && { exclProgHash: signature.programHash }),
    });
    open.push(map);
    step = 'failed to update loader map';
    kernel.mapUpdate(map, FIRST_KEY, loader.data);
    step = 'failed to freeze map';
    kernel.mapFreeze(map);
    step = 'failed to load loader prog';
    open.push(loadLoader(kernel, loader, map, options));
    step = 'failed to execute loader prog';
    const buffers = log ? [{ at: LOADER_CTX.logBuf, bytes: log.bytes }, ...values] : values;
    const result = kernel.progRun(open[1], { context, buffers }) | 0;
    step = 'error returned by loader prog';
    if (result < 0) throw new SysError(Math.min(-result, MAX_ERRNO));
  } catch (error) {
    throw new LoaderError(step, errnoOf(error));
  } finally {
    for (const fd of open) kernel.close(fd);
  }
}

function loadLoader(kernel: Kernel, loader: Pick<Loader, 'insns'>, map: number, options: RunOptions): number {
  const { log, signature } = options;
  const request: LogRequest | undefined = log && { level: log.level, size: log.bytes.length };
  try {
    return kernel.progLoad({
      type: PROG_TYPE.syscall,
      insns: loader.insns,
      license: LICENSE,
      name: '__loader.prog',
      flags: SLEEPABLE,
      fdArray: [map],
      ...(request && { log: request }),
      ...(signature && { fdArrayBinds: true, signature: signature.bytes, keyringId: SESSION_KEYRING }),
    });
  } finally {
    if (request) log?.put(request);
  }
}
