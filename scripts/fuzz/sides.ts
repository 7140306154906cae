// The two kernels that generated programs are loaded into, each with the maps of the world.
import { createRequire } from 'node:module';
import { SysError } from '../../src/errno.ts';
import { decodeInsns, encodeInsns } from '../../src/isa/insn.ts';
import { PROG_TYPE } from '../../src/isa/uapi.ts';
import { loadImage } from '../../src/kernel/image/load.ts';
import { openSimulatedKernel } from '../../src/kernel/index.ts';
import { openLiveKernel } from '../../src/live/live-kernel.ts';
import type { InfoRecords, Kernel, LogRequest, ProgInfo } from '../../src/syscall.ts';
import { maskLog } from '../parity/mask.ts';
import { Descriptors } from './descriptors.ts';
import type { Caps, FuzzProgram, World } from './program.ts';
import { MAIN_WORLD } from './world.ts';

const LOG_BYTES = 4 << 20;
const FUNC_INFO_BYTES = 8;
const LINE_INFO_BYTES = 16;

export interface Outcome {
  /** 0, or positive; -1 for a fault of ours. */
  errno: number;
  log: string;
  /** Of programs that were accepted, when asked for. */
  info: ProgInfo | undefined;
}

const maskTime = (log: string): string => log.replace(/verification time \d+ usec/g, 'verification time N usec');

const mask = (log: string): string => maskTime(maskLog(log));

/** Worlds whose maps are kept for further programs. */
const MAX_WORLDS = 6;

/** A kernel, seen by a process with certain capabilities. */
class Side {
  private readonly kernel: Kernel;
  private readonly worlds = new Map<string, Descriptors>();
  private readonly refused = new Set<string>();

  constructor(kernel: Kernel) {
    this.kernel = kernel;
  }

  /** undefined where the kernel does not take what is in the world. */
  private descriptors(world: World): Descriptors | undefined {
    let found = this.worlds.get(world.key);
    if (found === undefined && !this.refused.has(world.key)) {
      try {
        found = new Descriptors(this.kernel, world);
      } catch (e) {
        if (!(e instanceof SysError)) throw e;
        this.refused.add(world.key);
        return undefined;
      }
      this.worlds.set(world.key, found);
      const [oldest] = [...this.worlds.keys()].filter((key) => key !== MAIN_WORLD.key);
      if (this.worlds.size > MAX_WORLDS) {
        this.worlds.get(oldest)?.close();
        this.worlds.delete(oldest);
      }
    }
    return found;
  }

  /** Loads a program, and unloads it. `regain` makes the process one that may see everything. */
  load(program: FuzzProgram, logLevel: number, wantInfo: boolean, regain: () => void): Outcome | undefined {
    const { kernel } = this;
    const insns = decodeInsns(program.insns);
    const log: LogRequest = { level: logLevel, size: logLevel & 3 ? LOG_BYTES : 1 << 16 };
    const failed = (errno: number): Outcome => ({ errno, log: mask(log.text ?? ''), info: undefined });
    const around = this.descriptors(program.world);
    if (around === undefined) return undefined;
    let fdArray: number[] | undefined;
    try {
      fdArray = around.resolve(program, insns);
    } catch (e) {
      around.endProgram();
      if (e instanceof SysError) return undefined;
      throw e;
    }
    try {
      const records = program.funcs !== undefined || program.lines !== undefined;
      const fd = kernel.progLoad({
        type: PROG_TYPE[program.type],
        insns: encodeInsns(insns),
        license: program.license,
        log,
        flags: program.flags,
        name: 'p',
        expectedAttachType: program.attachType,
        attachBtfId: program.attachBtfId,
        ...(records ? { btfFd: around.btf } : {}),
        ...(program.funcs ? { funcInfo: funcRecords(program.funcs) } : {}),
        ...(program.lines ? { lineInfo: { recSize: LINE_INFO_BYTES, bytes: program.lines } } : {}),
        ...(fdArray ? { fdArray, fdArrayBinds: program.fdArrayBinds ?? false } : {}),
      });
      const info = wantInfo ? this.info(fd, regain) : undefined;
      kernel.close(fd);
      return { ...failed(0), info };
    } catch (e) {
      if (e instanceof SysError) return failed(e.errno);
      log.text = e instanceof Error ? e.stack : String(e);
      return failed(-1);
    } finally {
      around.endProgram();
    }
  }

  /** What is shown of a program depends on who opened the descriptor. */
  private info(fd: number, regain: () => void): ProgInfo {
    const { kernel } = this;
    const first = kernel.progInfo(fd);
    if (first.jitedKsyms.some((address) => address !== 0n) || kernel.kind === 'simulated') return first;
    regain();
    const again = kernel.fdById('prog', first.id);
    const info = kernel.progInfo(again);
    kernel.close(again);
    return info;
  }
}

function funcRecords(funcs: readonly (readonly [number, number])[]): InfoRecords {
  return { recSize: FUNC_INFO_BYTES, bytes: new Uint8Array(Uint32Array.from(funcs.flat()).buffer) };
}

/** Linux capability numbers. */
const CAP_NET_ADMIN = 12;
const CAP_BPF = 39;
const CAPABILITY_VERSION_3 = 0x20080522;

/** Changes which capabilities of this process are in effect; the others can be had again. */
function capabilitySwitch(): (caps: Caps) => void {
  const koffi: typeof import('koffi') = createRequire(import.meta.url)('koffi');
  const libc = koffi.load(null);
  const capget = libc.func('int capget(void *header, void *data)');
  const capset = libc.func('int capset(void *header, void *data)');
  const header = new Uint8Array(Uint32Array.of(CAPABILITY_VERSION_3, 0).buffer);
  const all = new Uint32Array(6);
  if (capget(header, all) !== 0) throw new Error('capget failed');
  const some = all.slice();
  some[0] = 1 << CAP_NET_ADMIN;
  some[3] = 1 << (CAP_BPF - 32);
  let now: Caps = 'all';
  return (caps) => {
    if (caps === now) return;
    if (capset(header, caps === 'all' ? all : some) !== 0) throw new Error('capset failed');
    now = caps;
  };
}

export type KernelName = 'real' | 'ours';

/** Both kernels for both kinds of loader. */
export class Sides {
  private readonly setCaps = capabilitySwitch();
  private readonly image = loadImage();
  private readonly made = new Map<string, Side>();
  private readonly liveKernel = openLiveKernel();

  private side(name: KernelName, caps: Caps): Side {
    const key = `${name} ${caps}`;
    let side = this.made.get(key);
    if (side === undefined) {
      side = new Side(name === 'real' ? this.liveKernel : this.simulated(caps));
      this.made.set(key, side);
    }
    return side;
  }

  private simulated(caps: Caps): Kernel {
    const capabilities = { bpf: true, netAdmin: true, perfmon: caps === 'all', sysAdmin: caps === 'all' };
    return openSimulatedKernel({ statePath: ':memory:', image: this.image, capabilities });
  }

  load(name: KernelName, program: FuzzProgram, logLevel: number, wantInfo: boolean): Outcome | undefined {
    if (name === 'ours') return this.side(name, program.caps).load(program, logLevel, wantInfo, () => undefined);
    this.setCaps(program.caps);
    try {
      return this.side(name, program.caps).load(program, logLevel, wantInfo, () => this.setCaps('all'));
    } finally {
      this.setCaps('all');
    }
  }
}
