import { describe, expect, it } from 'vitest';
import type { Btf } from '../../btf/btf.ts';
import { insn } from '../../isa/insn.ts';
import type { KMap } from '../objects.ts';
import {
  markRegScratched,
  markStackSlotScratched,
  markVerifierStateScratched,
  printInsnState,
  printVerifierState,
  regStateStr,
  verboseInsn,
  verboseInvalidScalar,
  verboseLineInfo,
} from './print-state.ts';
import { dynptrTypeStr, iterStateStr, iterTypeStr, regTypeStr } from './reg-names.ts';
import { markRegKnown } from './scalar-marks.ts';
import { constReg, testEnv, unknownReg } from './test-env.ts';
import { ADD_CONST64, DYNPTR, FLAG, FuncState, ITER_STATE, REF, REG, RegState, SLOT, StackSlot } from './types.ts';

const frame = new FuncState(-1, 0, 0);

/** A pointer with the given fields. */
function pointer(type: number, fields: Partial<RegState> = {}): RegState {
  const reg = new RegState();
  markRegKnown(reg, 0n);
  return Object.assign(reg, { type }, fields);
}

const structs = { name: (id: number) => ['', 'task_struct', 'bpf_iter_num', 'nd'][id] } as Btf;
const hmap = { name: 'hmap', keySize: 4, valueSize: 16 } as KMap;

describe('registers', () => {
  const byte = unknownReg();
  Object.assign(byte, { smin: 0n, smax: 255n, umax: 255n, s32min: 0, s32max: 255, u32max: 255 });
  byte.varOff = { value: 0n, mask: 0xffn };
  const moved = pointer(REG.STACK, { off: -16 });
  Object.assign(moved, { smin: 0n, smax: 8n, umin: 0n, umax: 8n, varOff: { value: 0n, mask: 0xfn } });
  Object.assign(moved, { s32min: 0, s32max: 8, u32min: 0, u32max: 8 });
  const negative = unknownReg();
  Object.assign(negative, { smin: -0x5000000n, smax: -1n, s32min: -0x5000000, s32max: -1 });
  negative.umin = 0xfffffffffb000000n;
  negative.u32min = 0xfb000000;

  const shown: [string, RegState, string][] = [
    ['small constant', constReg(-32768n), '-32768'],
    ['large constant', constReg(65535n), '0xffff'],
    ['large negative constant', constReg(-70000n), '0xfffffffffffeee90'],
    ['precise constant', Object.assign(constReg(0n), { precise: true }), 'P0'],
    ['unknown scalar', unknownReg(), 'scalar()'],
    ['tied scalar', Object.assign(unknownReg(), { id: 3, precise: true }), 'Pscalar(id=3)'],
    ['scalar at a distance', Object.assign(unknownReg(), { id: ADD_CONST64 + 1, off: -5 }), 'scalar(id=1-5)'],
    ['scalar at a positive distance', Object.assign(unknownReg(), { id: ADD_CONST64 + 1, off: 1 }), 'scalar(id=1+1)'],
    ['byte', byte, 'scalar(smin=smin32=0,smax=umax=smax32=umax32=255,var_off=(0x0; 0xff))'],
    [
      'signs are kept apart',
      negative,
      'scalar(smin=0xfffffffffb000000,smax=smax32=-1,umin=0xfffffffffb000000,smin32=umin32=0xfb000000)',
    ],
    ['context', pointer(REG.CTX), 'ctx()'],
    ['context with offset', pointer(REG.CTX, { off: 8 }), 'ctx(off=8)'],
    ['frame pointer', pointer(REG.STACK), 'fp0'],
    ['stack slot', pointer(REG.STACK, { off: -8 }), 'fp-8'],
    ['stack of another frame', pointer(REG.STACK, { off: -8, frameno: 1 }), 'fp[1]-8'],
    ['variable stack offset', moved, 'fp(off=-16,smin=smin32=0,smax=umax=smax32=umax32=8,var_off=(0x0; 0xf))'],
    [
      'looked-up value',
      pointer(REG.MAP_VALUE | FLAG.MAYBE_NULL, { id: 1, map: hmap }),
      'map_value_or_null(id=1,map=hmap,ks=4,vs=16)',
    ],
    ['map without name', pointer(REG.CONST_MAP_PTR, { map: { ...hmap, name: '' } }), 'map_ptr(ks=4,vs=16)'],
    ['packet', pointer(REG.PACKET, { off: 4, range: 4 }), 'pkt(off=4,r=4)'],
    ['past the packet', pointer(REG.PACKET, { range: -2 }), 'pkt(r=0xfffffffffffffffe)'],
    [
      'memory with a reference',
      pointer(REG.MEM | FLAG.RINGBUF | FLAG.MAYBE_NULL, { id: 2, refObjId: 2, memSize: 8 }),
      'ringbuf_mem_or_null(id=2,ref_obj_id=2,sz=8)',
    ],
    ['kernel struct', pointer(REG.BTF_ID | FLAG.RCU, { btf: structs, btfId: 1 }), 'rcu_ptr_task_struct()'],
    [
      'kernel struct or NULL',
      pointer(REG.BTF_ID | FLAG.TRUSTED | FLAG.MAYBE_NULL, { btf: structs, btfId: 1, id: 1 }),
      'trusted_ptr_or_null_task_struct(id=1)',
    ],
    [
      'node owned by a list',
      pointer(REG.BTF_ID | FLAG.ALLOC | FLAG.NON_OWN_REF, { btf: structs, btfId: 3, off: 8 }),
      'ptr_nd(non_own_ref,off=8)',
    ],
    ['arena', pointer(REG.ARENA), 'arena'],
    ['function', pointer(REG.FUNC), 'func()'],
    ['dynptr argument', pointer(REG.CONST_DYNPTR, { id: 5, dynptrType: DYNPTR.LOCAL }), 'dynptr_ptr(id=5,type=local)'],
    ['constant variable part', markedImm(), 'map_value(map=hmap,ks=4,vs=16,imm=8)'],
  ];
  function markedImm(): RegState {
    const reg = pointer(REG.MAP_VALUE);
    markRegKnown(reg, 8n);
    return Object.assign(reg, { map: hmap });
  }
  it.each(shown)('%s', (_name, reg, text) => {
    expect(regStateStr(frame, reg)).toBe(text);
  });

  it('prefixes come in the order of the kernel', () => {
    const { RDONLY, RINGBUF, USER, PERCPU, RCU, UNTRUSTED, TRUSTED } = FLAG;
    const all = RDONLY | RINGBUF | USER | PERCPU | RCU | UNTRUSTED | TRUSTED;
    expect(regTypeStr(REG.MEM | all)).toBe('rdonly_ringbuf_user_percpu_rcu_untrusted_trusted_mem');
    expect(regTypeStr(REG.NOT_INIT)).toBe('?');
  });

  it('kinds of dynptrs and iterators have names', () => {
    expect([DYNPTR.SKB, DYNPTR.SKB_META, DYNPTR.INVALID, 99].map(dynptrTypeStr)).toEqual([
      'skb',
      'skb_meta',
      '<invalid>',
      '<unknown>',
    ]);
    expect(iterTypeStr(structs, 2)).toBe('num');
    expect(iterTypeStr(undefined, 2)).toBe('<invalid>');
    expect(iterStateStr(ITER_STATE.DRAINED)).toBe('drained');
  });
});

/** A slot from letters, the highest byte first. */
function slot(letters: string, spilled = new RegState()): StackSlot {
  const out = new StackSlot();
  out.types.set([...letters].map((c) => '?rm0dif'.indexOf(c)));
  out.spilled.copy(spilled);
  return out;
}

describe('printVerifierState', () => {
  it('shows frame, registers, slots, references and callback marks in this order', () => {
    const env = testEnv();
    const { state } = env;
    const { cur } = state;
    cur.frameno = 1;
    cur.regs[10].frameno = 1;
    cur.regs[0].copy(constReg(7n));
    cur.stack = [slot('mmmm????'), slot('????????'), slot('????rrrr', unknownReg()), slot('0000mmmm')];
    state.refs = [2, 0, 4].map((id) => ({ type: REF.PTR, id, insnIdx: 0, ptr: undefined }));
    cur.inCallbackFn = true;
    cur.inAsyncCallbackFn = true;
    printVerifierState(env, state, 0, true);
    expect(env.log.text()).toBe(
      ' frame1: R0=7 R10=fp0 fp-8=mmmm???? fp-24=????scalar() fp-32=0000mmmm refs=2,4 cb async_cb\n',
    );
  });

  it('shows objects that take whole slots', () => {
    const env = testEnv();
    const { cur } = env.state;
    const dynptr = Object.assign(new RegState(), {
      dynptrType: DYNPTR.RINGBUF,
      id: 1,
      refObjId: 1,
      dynptrFirstSlot: true,
    });
    const iter = Object.assign(new RegState(), { btf: structs, btfId: 2, refObjId: 4, iterState: ITER_STATE.ACTIVE });
    cur.stack = [
      slot('dddddddd'),
      slot('dddddddd', dynptr),
      slot('iiiiiiii', iter),
      slot('iiiiiiii'),
      slot('ffffffff'),
    ];
    printVerifierState(env, env.state, 0, true);
    expect(env.log.text()).toBe(
      ' R10=fp0 fp-16=dynptr_ringbuf(id=1,ref_id=1,dynptr_id=1) fp-24=iter_num(ref_id=4,state=active,depth=0) fp-40=ffffffff\n',
    );
    expect(cur.stack[0].types[7]).toBe(SLOT.DYNPTR);
  });

  it('shows what was touched, once', () => {
    const env = testEnv();
    const { cur } = env.state;
    cur.regs[1].copy(constReg(1n));
    cur.regs[2].copy(constReg(2n));
    cur.stack = [slot('mmmmmmmm'), slot('mmmmmmmm')];
    markRegScratched(env, 2);
    markStackSlotScratched(env, 1);
    printVerifierState(env, env.state, 0, false);
    printVerifierState(env, env.state, 0, false);
    markVerifierStateScratched(env);
    printVerifierState(env, env.state, 0, false);
    expect(env.log.text()).toBe(' R2=2 fp-16=mmmmmmmm\n\n R1=1 R2=2 R10=fp0 fp-8=mmmmmmmm fp-16=mmmmmmmm\n');
  });
});

describe('printInsnState', () => {
  /** Prints instruction 0 as the main loop does. */
  function printInsn(text: string): ReturnType<typeof testEnv> {
    const env = testEnv();
    env.insnIdx = 3;
    env.log.write('x\n');
    const before = env.log.endPos;
    env.log.write(text);
    env.prevInsnPrintPos = env.log.endPos - before;
    env.prevLogPos = env.log.endPos;
    markRegScratched(env, 10);
    return env;
  }

  it.each([
    ['3: (b7) r0 = 0\n', `3: (b7) r0 = 0${' '.repeat(24)}; R10=fp0\n`],
    [`3: ${'i'.repeat(31)}\n`, `3: ${'i'.repeat(31)}${' '.repeat(4)}; R10=fp0\n`],
    [`3: ${'i'.repeat(33)}\n`, `3: ${'i'.repeat(33)}${' '.repeat(10)}; R10=fp0\n`],
    [`3: ${'i'.repeat(40)}\n`, `3: ${'i'.repeat(40)}${' '.repeat(3)}; R10=fp0\n`],
  ])('puts the comment behind %j', (text, expected) => {
    const env = printInsn(text);
    printInsnState(env, env.state, 0);
    expect(env.log.text().slice(2)).toBe(expected);
  });

  it('takes a line of its own if something came between', () => {
    const env = printInsn('3: (b7) r0 = 0\n');
    env.log.write('between\n');
    printInsnState(env, env.state, 0);
    expect(env.log.text().slice(2)).toBe('3: (b7) r0 = 0\nbetween\n3: R10=fp0\n');
  });
});

describe('instructions and lines', () => {
  it('kernel functions have names, a 64-bit immediate takes both slots', () => {
    const env = testEnv({ insns: [insn(0x85, 0, 2, 0, 3), insn(0x18, 1, 0, 0, 1), insn(0, 0, 0, 0, 2)] });
    Object.assign(env.image, { btf: () => structs });
    verboseInsn(env, 0);
    verboseInsn(env, 1);
    expect(env.log.text()).toBe('(85) call nd#3\n(18) r1 = 0x200000001\n');
  });

  it('a source line is printed when the line changes', () => {
    const env = testEnv({ insns: Array.from({ length: 5 }, () => insn(0xb7)) });
    const strings: Record<number, string> = { 1: '/src/dir/prog.c', 5: '\t  int x = 1;', 9: 'return x;' };
    env.progBtf = { str: (off: number) => strings[off] } as Btf;
    env.lineInfo = [
      { insnOff: 0, fileNameOff: 1, lineOff: 5, lineCol: (7 << 10) | 3 },
      { insnOff: 2, fileNameOff: 1, lineOff: 5, lineCol: (7 << 10) | 9 },
      { insnOff: 3, fileNameOff: 1, lineOff: 9, lineCol: 8 << 10 },
    ];
    for (const i of [0, 1, 2, 3, 4, 0, 99]) verboseLineInfo(env, i, '; ');
    expect(env.log.text()).toBe('; int x = 1; @ prog.c:7\n; return x; @ prog.c:8\n; int x = 1; @ prog.c:7\n');
  });

  it('a return value outside its range says what is known', () => {
    const env = testEnv();
    verboseInvalidScalar(env, unknownReg(), { min: 0, max: 1 }, 'At program exit', 'R0');
    verboseInvalidScalar(env, constReg(-5n), { min: 0, max: 1 }, 'At callback return', 'R0');
    expect(env.log.text()).toBe(
      'At program exit the register R0 has unknown scalar value should have been in [0, 1]\n' +
        'At callback return the register R0 has smin=-5 smax=-5 should have been in [0, 1]\n',
    );
  });
});
