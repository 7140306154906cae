import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Insn } from '../../isa/insn.ts';
import { insn } from '../../isa/insn.ts';
import { blindConstants } from './blinding.ts';

const AX = 11;
const KEY = 0x5a5a1234;
const blind = (...insns: Insn[]): Insn[] => blindConstants(insns, () => KEY).insns;

describe('blindConstants', () => {
  it('puts a constant together in the hidden register', () => {
    expect(blind(insn(0x07, 3, 0, 0, 77))).toEqual([
      insn(0xb7, AX, 0, 0, KEY ^ 77),
      insn(0xa7, AX, 0, 0, KEY),
      insn(0x0f, 3, AX),
    ]);
    expect(blind(insn(0x94, 3, 0, 1, 77))).toEqual([
      insn(0xb4, AX, 0, 0, KEY ^ 77),
      insn(0xa4, AX, 0, 0, KEY),
      insn(0x9c, 3, AX, 1),
    ]);
    expect(blind(insn(0x6a, 10, 0, -8, 5))).toEqual([
      insn(0xb7, AX, 0, 0, KEY ^ 5),
      insn(0xa7, AX, 0, 0, KEY),
      insn(0x6b, 10, AX, -8),
    ]);
    expect(blind(insn(0xb4, 2))).toEqual([insn(0xaf, 2, 2)]);
  });

  it('builds a 64-bit constant from two blinded halves', () => {
    expect(blind(insn(0x18, 2, 0, 0, 0x11), insn(0, 0, 0, 0, 0x22))).toEqual([
      insn(0xb7, AX, 0, 0, KEY ^ 0x22),
      insn(0xa7, AX, 0, 0, KEY),
      insn(0x67, AX, 0, 0, 32),
      insn(0xbf, 2, AX),
      insn(0xb4, AX, 0, 0, KEY ^ 0x11),
      insn(0xa4, AX, 0, 0, KEY),
      insn(0x4f, 2, AX),
    ]);
  });

  it('leaves shifts, registers, calls, barriers, function addresses and the hidden register as they are', () => {
    const kept = [
      insn(0x67, 1, 0, 0, 5),
      insn(0x0f, 1, 2),
      insn(0x85, 0, 0, 0, 1000),
      insn(0xc2),
      insn(0x18, 2, 4, 1, 5),
      insn(0, 0, 0, 0, -1),
      insn(0x07, AX, 0, 0, 5),
      insn(0x95),
    ];
    expect(blind(...kept)).toEqual(kept);
  });

  it('refuses a jump that no longer reaches', () => {
    const far = [insn(0x05, 0, 0, 20_000), ...Array.from({ length: 20_000 }, () => insn(0x07, 1, 0, 0, 1)), insn(0x95)];
    expect(() => blind(...far)).toThrow(expect.objectContaining({ errno: 34 }));
  });

  it('lets every jump land on what stands for its target', () => {
    const body = fc.constantFrom(insn(0x07, 1, 0, 0, 9), insn(0x0f, 1, 2), insn(0x62, 10, 0, -4, 3), insn(0xb7, 1));
    const jump = fc.record({ code: fc.constantFrom(0x05, 0x06, 0x15, 0x1d, 0x46), to: fc.nat(100) });
    fc.assert(
      fc.property(fc.array(fc.oneof(body, jump), { minLength: 1, maxLength: 40 }), fc.integer(), (parts, key) => {
        const targets: (number | undefined)[] = [];
        const source = parts.map((part, i) => {
          if (!('to' in part)) return part;
          targets[i] = part.to % parts.length;
          const distance = targets[i] - i - 1;
          return part.code === 0x06 ? insn(6, 0, 0, 0, distance) : insn(part.code, 1, 0, distance, 7);
        });
        const { insns, firstSlots } = blindConstants(source, () => key >>> 0);
        expect(firstSlots).toHaveLength(source.length);
        targets.forEach((target, i) => {
          if (target === undefined) return;
          const at = (firstSlots[i + 1] ?? insns.length) - 1;
          const distance = insns[at].code === 0x06 ? insns[at].imm : insns[at].off;
          expect(at + 1 + distance).toBe(firstSlots[target]);
        });
      }),
    );
  });
});
