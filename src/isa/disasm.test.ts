import { describe, expect, it } from 'vitest';
import { disasmInsn, helperName } from './disasm.ts';
import { decodeInsns, insn } from './insn.ts';

/** Expected texts are those of print_bpf_insn for the same bytes. */
const CASES: readonly (readonly [string, string])[] = [
  ['b700000000000000', '(b7) r0 = 0'],
  ['b400000001000000', '(b4) w0 = 1'],
  ['bf12080000000000', '(bf) r2 = (s8)r1'],
  ['bc12100000000000', '(bc) w2 = (s16)w1'],
  ['bf12200000000000', '(bf) r2 = (s32)r1'],
  ['bf12010001000000', '(bf) r2 = addr_space_cast(r1, 0, 1)'],
  ['bf00ffff00000000', '(bf) r0 = &(void __percpu *)(r0)'],
  ['3f21010000000000', '(3f) r1 s/= r2'],
  ['9401010003000000', '(94) w1 s%= 3'],
  ['8700000000000000', '(87) r0 = -r0'],
  ['8402000000000000', '(84) w2 = -w2'],
  ['dc01000010000000', '(dc) r1 = be16 r1'],
  ['d401000020000000', '(d4) r1 = le32 r1'],
  ['d701000040000000', '(d7) r1 = bswap64 r1'],
  ['c70100003f000000', '(c7) r1 s>>= 63'],
  ['7b1af8ff00000000', '(7b) *(u64 *)(r10 -8) = r1'],
  ['620af8ff05000000', '(62) *(u32 *)(r10 -8) = 5'],
  ['c200000000000000', '(c2) nospec'],
  ['6110040000000000', '(61) r0 = *(u32 *)(r1 +4)'],
  ['9110040000000000', '(91) r0 = *(s8 *)(r1 +4)'],
  ['4110040000000000', 'BUG_ldx_41'],
  ['db21080000000000', '(db) lock *(u64 *)(r1 +8) += r2'],
  ['c321080041000000', '(c3) r2 = atomic_fetch_or((u32 *)(r1 +8), r2)'],
  ['db210800e1000000', '(db) r2 = atomic64_xchg((u64 *)(r1 +8), r2)'],
  ['db210800f1000000', '(db) r0 = atomic64_cmpxchg((u64 *)(r1 +8), r0, r2)'],
  ['d321080000010000', '(d3) r1 = load_acquire((u8 *)(r2 +8))'],
  ['cb21080010010000', '(cb) store_release((u16 *)(r1 +8), r2)'],
  ['db21080099000000', 'BUG_db'],
  ['fb21080000000000', 'BUG_fb'],
  ['2800000017000000', '(28) r0 = *(u16 *)skb[23]'],
  ['5030000017000000', '(50) r0 = *(u8 *)skb[r3 + 23]'],
  ['0500ffff00000000', '(05) goto pc-1'],
  ['06000000ffffffff', '(06) gotol pc-1'],
  ['e500020000000000', '(e5) may_goto pc+2'],
  ['e510020000000000', '(e5) if r0 (null) 0x0 goto pc+2'],
  ['5500feffffffffff', '(55) if r0 != 0xffffffff goto pc-2'],
  ['ce21030000000000', '(ce) if w1 s< w2 goto pc+3'],
  ['8500000001000000', '(85) call bpf_map_lookup_elem#1'],
  ['850000000f270000', '(85) call unknown#9999'],
  ['8510000003000000', '(85) call pc+3'],
  ['8520000003000000', '(85) call kernel-function#3'],
  ['9500000000000000', '(95) exit'],
  ['0d01000000000000', '(0d) gotox r1'],
  ['e700000000000000', '(e7) r0 (null) 0'],
];

const parse = (hex: string) => decodeInsns(Buffer.from(hex, 'hex'));

describe('disasmInsn', () => {
  it.each(CASES)('%s reads %s', (hex, text) => {
    expect(disasmInsn(parse(hex)[0], undefined)).toBe(text);
  });

  it('prints both halves of a 64-bit immediate as one unsigned number', () => {
    expect(disasmInsn(insn(0x18, 1, 0, 0, -1), insn(0, 0, 0, 0, -2))).toBe('(18) r1 = 0xfffffffeffffffff');
  });

  it('hides map addresses, and only those, without the right to leak pointers', () => {
    const high = insn(0, 0, 0, 0, 2);
    const text = (src: number) => disasmInsn(insn(0x18, 1, src, 0, 16), high, { allowPtrLeaks: false });
    expect([0, 1, 2, 3, 4, 5].map(text)).toEqual([
      '(18) r1 = 0x200000010',
      '(18) r1 = 0x0',
      '(18) r1 = 0x0',
      '(18) r1 = 0x200000010',
      '(18) r1 = 0x200000010',
      '(18) r1 = 0x200000010',
    ]);
  });

  it('asks for the name of a kernel function but never for that of a known helper', () => {
    const callName = () => 'bpf_iter_num_new';
    expect(disasmInsn(insn(0x85, 0, 2, 0, 64231), undefined, { callName })).toBe('(85) call bpf_iter_num_new#64231');
    expect(disasmInsn(insn(0x85, 0, 0, 0, 5), undefined, { callName })).toBe('(85) call bpf_ktime_get_ns#5');
    expect(disasmInsn(insn(0x85, 0, 0, 0, -5), undefined, { callName })).toBe('(85) call bpf_iter_num_new#-5');
  });
});

describe('helperName', () => {
  it('knows the table and calls the rest unknown', () => {
    expect([0, 1, 211, 212, -1].map(helperName)).toEqual([
      'bpf_unspec',
      'bpf_map_lookup_elem',
      'bpf_cgrp_storage_delete',
      'unknown',
      'unknown',
    ]);
  });
});
