// Constant tail calls: what becomes of the code of a program when the slot that it jumps through changes.
import { encodeInsns } from '../../src/isa/insn.ts';
import { HELPER, MAP_TYPE } from '../../src/isa/uapi.ts';
import type { Kernel, ProgInfo } from '../../src/syscall.ts';
import { type Answer, u32 } from './answer.ts';
import { call, EXIT, mapFd, movImm, nothing } from './programs.ts';

const JUMP = 0xe9;
const JUMP_BYTES = 5;

/** Every jump or no-op of five bytes, with where it leads: to a program, or within the code. */
function jumps(info: ProgInfo, targets: Readonly<Record<string, ProgInfo>>): string {
  const { jited } = info;
  const view = new DataView(jited.buffer, jited.byteOffset, jited.byteLength);
  const out: string[] = [];
  for (let at = 0; at + JUMP_BYTES <= jited.length; at++) {
    if (jited[at] === 0x0f && jited[at + 1] === 0x1f && jited[at + 2] === 0x44) out.push(`${at}: nop`);
    if (jited[at] !== JUMP) continue;
    const distance = view.getInt32(at + 1, true) + at + JUMP_BYTES;
    if (distance >= 0 && distance <= jited.length) out.push(`${at}: to ${distance}`);
    for (const [name, target] of Object.entries(targets)) {
      const beyond = info.jitedKsyms[0] + BigInt(distance) - target.jitedKsyms[0];
      if (beyond >= 0n && beyond < BigInt(target.jited.length)) out.push(`${at}: to ${name}+${beyond}`);
    }
  }
  return out.join(', ');
}

export function* askTailCalls(kernel: Kernel): Generator<Answer> {
  const map = kernel.mapCreate({ type: MAP_TYPE.prog_array, keySize: 4, valueSize: 4, maxEntries: 4 });
  const tailCall = (slot: number) => [...mapFd(2, map), movImm(3, slot), call(HELPER.tail_call)];
  const load = (...slots: number[]): number =>
    kernel.progLoad({
      ...nothing('xdp'),
      insns: encodeInsns([
        // The context survives the first call.
        { code: 0xbf, dst: 6, src: 1, off: 0, imm: 0 },
        ...slots.flatMap((slot) => [{ code: 0xbf, dst: 1, src: 6, off: 0, imm: 0 }, ...tailCall(slot)]),
        movImm(0, 0),
        EXIT,
      ]),
    });
  const fds = { a: kernel.progLoad(nothing('xdp')), b: kernel.progLoad(nothing('xdp')) };
  const infos = { a: kernel.progInfo(fds.a), b: kernel.progInfo(fds.b) };
  const callers = { one: load(1), two: load(0, 2), outside: load(9) };
  function* look(when: string): Generator<Answer> {
    for (const [name, fd] of Object.entries(callers)) {
      yield { what: `${when}: ${name}`, answer: jumps(kernel.progInfo(fd), infos) };
    }
  }
  yield* look('empty');
  kernel.mapUpdate(map, u32(1), u32(fds.a));
  yield* look('slot 1 filled');
  kernel.mapUpdate(map, u32(1), u32(fds.b));
  kernel.mapUpdate(map, u32(2), u32(fds.a));
  yield* look('slot 1 replaced, 2 filled');
  const late = load(1, 0, 2);
  yield { what: 'loaded when slots are filled', answer: jumps(kernel.progInfo(late), infos) };
  kernel.mapDelete(map, u32(1));
  kernel.mapDelete(map, u32(2));
  yield* look('emptied');
  yield { what: 'loaded when slots were filled', answer: jumps(kernel.progInfo(late), infos) };
}
