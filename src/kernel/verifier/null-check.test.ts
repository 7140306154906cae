import { describe, expect, it } from 'vitest';
import { MAP_TYPE } from '../../isa/uapi.ts';
import type { KMap, SpecialRecord } from '../objects.ts';
import { markPtrNotNull, markPtrOrNullRegs } from './null-check.ts';
import { constReg, testEnv } from './test-env.ts';
import { FLAG, REF, REG, type RegState } from './types.ts';

const map = (fields: Partial<KMap>): KMap => ({ type: MAP_TYPE.hash, ...fields }) as KMap;
const record = (kind: 'bpf_spin_lock' | 'bpf_timer'): SpecialRecord => ({ fields: [{ kind, offset: 0, size: 4 }] });
const nullable = (type: number, fields: Partial<RegState> = {}): RegState =>
  Object.assign(constReg(0n), { type: type | FLAG.MAYBE_NULL }, fields);

describe('markPtrNotNull', () => {
  const inner = map({ type: MAP_TYPE.array });
  const timed = map({ type: MAP_TYPE.array, record: record('bpf_timer') });
  const cases: [string, Partial<KMap>, Partial<RegState>][] = [
    ['a value stays one', {}, { type: REG.MAP_VALUE }],
    ['a value of a map of maps is a map', { innerMap: inner }, { type: REG.CONST_MAP_PTR, map: inner, mapUid: 0 }],
    [
      'and known by its lookup if it has timers',
      { innerMap: timed },
      { type: REG.CONST_MAP_PTR, map: timed, mapUid: 5 },
    ],
    ['a value of an AF_XDP map is a socket of that kind', { type: MAP_TYPE.xskmap }, { type: REG.XDP_SOCK }],
    ['a value of a sockmap is a socket', { type: MAP_TYPE.sockmap }, { type: REG.SOCKET }],
    ['a value of a sockhash too', { type: MAP_TYPE.sockhash }, { type: REG.SOCKET }],
  ];
  it.each(cases)('%s', (_name, fields, expected) => {
    const reg = nullable(REG.MAP_VALUE, { id: 5, map: map(fields) });
    markPtrNotNull(reg);
    expect(reg).toMatchObject(expected);
  });

  it('other pointers lose the mark only', () => {
    const reg = nullable(REG.MEM | FLAG.RINGBUF, { id: 5 });
    markPtrNotNull(reg);
    expect(reg).toMatchObject({ type: REG.MEM | FLAG.RINGBUF, id: 5 });
  });
});

describe('markPtrOrNullRegs', () => {
  function run(reg: RegState, isNull: boolean, others: [number, RegState][] = []) {
    const env = testEnv();
    env.state.refs.push({ type: REF.PTR, id: 9, insnIdx: 0, ptr: undefined });
    env.regs[1].copy(reg);
    for (const [regno, other] of others) env.regs[regno].copy(other);
    markPtrOrNullRegs(env.state, 1, isNull);
    return env;
  }

  it('NULL is the number 0 without ids', () => {
    const { regs } = run(nullable(REG.SOCKET, { id: 4, refObjId: 8 }), true);
    expect(regs[1]).toMatchObject({ type: REG.SCALAR, id: 0, refObjId: 0, umax: 0n });
  });

  it('only pointers of the same lookup are meant', () => {
    const { regs } = run(nullable(REG.SOCKET, { id: 4 }), false, [
      [2, nullable(REG.SOCKET, { id: 4 })],
      [3, nullable(REG.SOCKET, { id: 5 })],
    ]);
    expect([1, 2, 3].map((i) => regs[i].type & FLAG.MAYBE_NULL)).toEqual([0, 0, FLAG.MAYBE_NULL]);
  });

  it('the id stays where it identifies a lock', () => {
    const locked = map({ record: record('bpf_spin_lock') });
    expect(run(nullable(REG.MAP_VALUE, { id: 4, map: locked }), false).regs[1].id).toBe(4);
    expect(run(nullable(REG.MAP_VALUE, { id: 4, map: map({}) }), false).regs[1].id).toBe(0);
  });

  it('a reference is given back where it is NULL, and held where it is not', () => {
    const memory = nullable(REG.MEM, { id: 9, refObjId: 9 });
    expect(run(memory, true).state.refs).toEqual([]);
    const { state, regs } = run(memory, false);
    expect(state.refs.length).toBe(1);
    expect(regs[1]).toMatchObject({ type: REG.MEM, refObjId: 9 });
  });

  it('an RCU pointer without id may be checked, another one not', () => {
    expect(run(nullable(REG.BTF_ID | FLAG.RCU), false).regs[1].type).toBe(REG.BTF_ID | FLAG.RCU);
    expect(run(nullable(REG.BTF_ID), false).regs[1].type).toBe(REG.BTF_ID | FLAG.MAYBE_NULL);
  });

  it('a pointer that has moved is not converted, unless the program allocated it', () => {
    expect(run(nullable(REG.MEM, { id: 4, off: 8 }), false).regs[1].type & FLAG.MAYBE_NULL).not.toBe(0);
    const node = nullable(REG.BTF_ID | FLAG.ALLOC, { id: 4, off: 8 });
    node.btf = undefined;
    expect(run(node, true).regs[1].type).toBe(REG.SCALAR);
  });
});
