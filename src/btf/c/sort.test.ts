// What the sorted order leaves out must make no difference.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteSink } from '../../print/byte-sink.ts';
import { Btf, BtfError } from '../btf.ts';
import { BtfBuilder } from '../encode.ts';
import { BTF_KIND } from '../kinds.ts';
import { CEmitter } from './emit.ts';
import { SortedTypes } from './sort.ts';

const COUNT = 24;
const id = fc.nat(COUNT);
const name = fc.constantFrom('', 'a', 'b', 'ab', '__builtin_va_list', '__Poly8_t');
const elements = fc.array(fc.record({ name, type: id }), { maxLength: 4 });
const add = fc.oneof(
  fc.record({ name }).map((t) => (b: BtfBuilder) => b.addInt(t.name, 4)),
  fc
    .record({ kind: fc.constantFrom(BTF_KIND.CONST, BTF_KIND.VOLATILE, BTF_KIND.PTR, BTF_KIND.PTR), type: id })
    .map((t) => (b: BtfBuilder) => b.addRef(t.kind, t.type)),
  fc.record({ type: id }).map((t) => (b: BtfBuilder) => b.addArray(t.type, 1, 2)),
  fc.record({ name, elements, kind: fc.constantFrom(BTF_KIND.STRUCT, BTF_KIND.UNION) }).map((t) => (b: BtfBuilder) => {
    return b.addComposite(
      t.kind,
      t.name,
      8,
      t.elements.map((e) => ({ ...e, bitOffset: 0 })),
    );
  }),
  fc.record({ name, elements }).map((t) => (b: BtfBuilder) => {
    return b.addEnum(
      t.name,
      4,
      t.elements.map((e) => ({ name: e.name, value: BigInt(e.type) })),
    );
  }),
  fc.record({ name, union: fc.boolean() }).map((t) => (b: BtfBuilder) => b.addFwd(t.name, t.union)),
  fc.record({ name, type: id }).map((t) => (b: BtfBuilder) => b.addTypedef(t.name, t.type)),
  fc.record({ type: id, elements }).map((t) => (b: BtfBuilder) => b.addFuncProto(t.type, t.elements)),
  fc.record({ name, type: id }).map((t) => (b: BtfBuilder) => b.addVar(t.name, 0, t.type)),
  fc.record({ name, type: id }).map((t) => (b: BtfBuilder) => b.addDeclTag(t.name, t.type)),
);

/** What is written for types in some order; undefined where C cannot express them. */
const written = (btf: Btf, define: (emitter: CEmitter, order: SortedTypes) => void): string | undefined => {
  let text = '';
  const out = new ByteSink(btf.flat().strings, (bytes) => {
    text += bytes;
  });
  try {
    define(new CEmitter(btf, { out, warn: () => {} }), new SortedTypes(btf.flat()));
  } catch (error) {
    expect(error).toBeInstanceOf(BtfError);
    return undefined;
  }
  out.flush();
  return text;
};

test('types of the last rank that are settled add nothing, whether they are visited or not', () => {
  let expressible = 0;
  fc.assert(
    fc.property(fc.array(add, { minLength: COUNT, maxLength: COUNT }), (adds) => {
      const builder = new BtfBuilder();
      for (const one of adds) one(builder);
      const btf = Btf.parse(builder.bytes());
      const all = written(btf, (emitter, order) => {
        for (const one of [...order.ranked(), ...order.last(true, () => true)]) emitter.define(one);
      });
      const some = written(btf, (emitter, order) => {
        for (const one of order.ranked()) emitter.define(one);
        for (const one of order.last(false, (one) => !emitter.isSettled(one))) emitter.define(one);
      });
      if (all === undefined) return;
      expressible++;
      expect(some).toBe(all);
    }),
    { numRuns: 2000 },
  );
  expect(expressible).toBeGreaterThan(100);
});
