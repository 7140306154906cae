import { describe, expect, test } from 'vitest';
import { SysError } from '../errno.ts';
import { CMD, type NativeCalls } from './bpf-call.ts';
import { LiveKernel } from './live-kernel.ts';

/** Stands for the kernel: addresses are numbers that lead back to the buffers. */
class FakeCalls implements NativeCalls {
  readonly calls: { command: number; attr: Uint8Array }[] = [];
  readonly closed: number[] = [];
  readonly mapped: [number, bigint, bigint][] = [];
  private readonly buffers: Uint8Array[] = [];
  answer: (command: number, attr: DataView, memory: (address: bigint) => Uint8Array) => number = () => 7;

  bpf(command: number, attr: Uint8Array): number {
    this.calls.push({ command, attr: attr.slice() });
    const view = new DataView(attr.buffer, attr.byteOffset, attr.byteLength);
    const result = this.answer(command, view, (address) => this.buffers[Number(address) - 1]);
    if (result < 0) throw new SysError(-result);
    return result;
  }

  close(fd: number): void {
    this.closed.push(fd);
  }

  mmap(fd: number, bytes: bigint, address: bigint): void {
    this.mapped.push([fd, bytes, address]);
  }

  address(bytes: Uint8Array): bigint {
    return BigInt(this.buffers.push(bytes));
  }
}

/** Words of an attribute block that are not zero, by byte offset. */
function words(attr: Uint8Array): Record<number, number> {
  const view = new DataView(attr.buffer, attr.byteOffset, attr.byteLength);
  const out: Record<number, number> = {};
  for (let at = 0; at < attr.length; at += 4) {
    const word = view.getUint32(at, true);
    if (word) out[at] = word;
  }
  return out;
}

const setup = (): { native: FakeCalls; kernel: LiveKernel } => {
  const native = new FakeCalls();
  return { native, kernel: new LiveKernel(native) };
};

describe('the live kernel', () => {
  test('runs a program with its context and buffers of its own, and gives back what it wrote', () => {
    const { native, kernel } = setup();
    native.answer = (command, attr, memory) => {
      expect(command).toBe(CMD.PROG_TEST_RUN);
      const context = memory(attr.getBigUint64(48, true));
      memory(new DataView(context.buffer).getBigUint64(8, true))[0] = 5;
      context[0] = 9;
      attr.setUint32(4, 0xfffffffe, true);
      return 0;
    };
    const context = new Uint8Array(16);
    const bytes = new Uint8Array(4);
    expect(kernel.progRun(12, { context, buffers: [{ at: 8, bytes }] })).toBe(0xfffffffe);
    expect([context[0], bytes[0]]).toEqual([9, 5]);
    expect(words(native.calls[0].attr)).toEqual({ 0: 12, 40: 16, 48: 2 });
  });

  test('lays out a signature behind the descriptors, and the hash of an exclusive map', () => {
    const { native, kernel } = setup();
    const signature = new Uint8Array(100);
    kernel.progLoad({ type: 31, insns: new Uint8Array(8), license: 'GPL', signature, keyringId: -3 });
    expect(words(native.calls[0].attr)).toMatchObject({ 160: 100, 164: 0xfffffffd });
    kernel.mapCreate({ type: 2, keySize: 4, valueSize: 4, maxEntries: 1, exclProgHash: new Uint8Array(32) });
    expect(words(native.calls[1].attr)).toMatchObject({ 88: 32 });
  });

  test('lays out the attributes of a map as union bpf_attr', () => {
    const { native, kernel } = setup();
    kernel.mapCreate({
      type: 2,
      keySize: 4,
      valueSize: 24,
      maxEntries: 7,
      flags: 0x400,
      innerMapFd: 11,
      numaNode: 12,
      name: 'a_name_of_more_than_15',
      ifindex: 13,
      btfFd: 14,
      btfKeyTypeId: 15,
      btfValueTypeId: 16,
      btfVmlinuxValueTypeId: 17,
      mapExtra: 0x1_0000_0012n,
      valueTypeBtfObjFd: 19,
      tokenFd: 20,
    });
    const [{ command, attr }] = native.calls;
    expect(command).toBe(CMD.MAP_CREATE);
    expect(new TextDecoder().decode(attr.subarray(28, 44))).toBe('a_name_of_more_\0');
    attr.fill(0, 28, 44);
    expect(words(attr)).toEqual({
      0: 2,
      4: 4,
      8: 24,
      12: 7,
      16: 0x400,
      20: 11,
      24: 12,
      44: 13,
      48: 14,
      52: 15,
      56: 16,
      60: 17,
      64: 0x12,
      68: 1,
      72: 19,
      76: 20,
    });
  });

  test('gives an arena its place in memory at once', () => {
    const { native, kernel } = setup();
    kernel.mapCreate({ type: 33, keySize: 0, valueSize: 0, maxEntries: 10, mapExtra: 1n << 44n });
    expect(native.mapped).toEqual([[7, 40960n, 1n << 44n]]);
  });

  test('hands the log of a load out, whether it fails or not', () => {
    const { native, kernel } = setup();
    const write = (attr: DataView, memory: (address: bigint) => Uint8Array): void => {
      memory(attr.getBigUint64(32, true)).set(new TextEncoder().encode('0: exit\n'));
      attr.setUint32(140, 9, true);
    };
    for (const result of [8, -13]) {
      native.answer = (_, attr, memory) => {
        write(attr, memory);
        return result;
      };
      const log: { level: number; size: number; text?: string; trueSize?: number } = { level: 2, size: 64 };
      const load = (): number => kernel.progLoad({ type: 1, insns: new Uint8Array(8), license: 'GPL', log });
      if (result < 0) expect(load).toThrow(expect.objectContaining({ errno: 13 }));
      else expect(load()).toBe(8);
      expect(log).toEqual({ level: 2, size: 64, text: '0: exit\n', trueSize: 9 });
    }
  });

  test('passes records with their sizes and counts', () => {
    const { native, kernel } = setup();
    const records = (recSize: number, count: number): { recSize: number; bytes: Uint8Array } => ({
      recSize,
      bytes: new Uint8Array(recSize * count),
    });
    kernel.progLoad({
      type: 6,
      insns: new Uint8Array(24),
      license: 'GPL',
      funcInfo: records(8, 2),
      lineInfo: records(16, 3),
      fdArray: [0, 5],
      fdArrayBinds: true,
    });
    const view = words(native.calls[0].attr);
    expect([view[4], view[76], view[88], view[92], view[104], view[148]]).toEqual([3, 8, 2, 16, 3, 2]);
  });

  test('asks for values of all CPUs of a per-CPU map', () => {
    const { native, kernel } = setup();
    let asked = 0;
    native.answer = (command, attr, memory) => {
      if (command === CMD.OBJ_GET_INFO_BY_FD) {
        const info = new DataView(memory(attr.getBigUint64(8, true)).buffer);
        [6, 1, 4, 12].forEach((word, i) => {
          info.setUint32(i * 4, word, true);
        });
      } else if (command === CMD.MAP_LOOKUP_ELEM) {
        asked = memory(attr.getBigUint64(16, true)).length;
      }
      return 0;
    };
    expect(kernel.mapLookup(3, new Uint8Array(4)).length).toBe(16 * kernel.possibleCpus);
    expect(asked).toBe(16 * kernel.possibleCpus);
    expect(() => kernel.mapLookup(3, new Uint8Array(2))).toThrow(SysError);
  });

  test('closes what it opened, once', () => {
    const { native, kernel } = setup();
    let fd = 20;
    native.answer = () => fd++;
    kernel.mapCreate({ type: 2, keySize: 4, valueSize: 4, maxEntries: 1 });
    kernel.fdById('btf', 1);
    kernel.close(20);
    expect(() => kernel.close(20)).toThrow(SysError);
    kernel.closeAll();
    expect(native.closed).toEqual([20, 21]);
  });
});
