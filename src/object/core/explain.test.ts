import { describe, expect, test } from 'vitest';
import { Btf } from '../../btf/btf.ts';
import { BtfBuilder } from '../../btf/encode.ts';
import { BTF_KIND } from '../../btf/kinds.ts';
import { explainRelo } from './explain.ts';
import { CORE } from './kinds.ts';

interface Described {
  btf: Btf;
  /** By name. */
  id(name: string): number;
}

const build = (describeTypes: (builder: BtfBuilder, int: number, pointer: number) => void): Described => {
  const builder = new BtfBuilder();
  const int = builder.addInt('int', 4, 1);
  describeTypes(builder, int, builder.addPtr(int));
  for (const path of ['0:0', '0:1', '0:1:0', '0:2:5', '0']) builder.str(path);
  const btf = Btf.parse(builder.bytes());
  return { btf, id: (name) => btf.find(name) };
};

const local = build((b, int) => {
  const inner = b.addStruct('inner', 4, [{ name: 'deep', type: int, bitOffset: 0 }]);
  const array = b.addArray(int, int, 8);
  b.addStruct('outer___v2', 40, [
    { name: 'first', type: int, bitOffset: 0 },
    { name: 'in', type: inner, bitOffset: 32 },
    { name: 'list', type: array, bitOffset: 64 },
  ]);
  b.addEnum('colour', 4, [{ name: 'RED', value: 0n }]);
});

/** What is said of a path in a type, with one candidate of another shape. */
const explain = (kind: number, type: string, path: string, target?: Described, name = ''): string | undefined => {
  const strings = Buffer.from(local.btf.bytes).toString('latin1');
  const accessOffset = strings.lastIndexOf(`\0${path}\0`) + 1 - (strings.length - local.btf.stringEnd);
  const relo = { insnOff: 0, typeId: local.id(type), accessOffset, kind };
  return explainRelo(local.btf, relo, target ? [{ btf: target.btf, id: target.id(name) }] : []);
};

describe('a relocation without a target names', () => {
  test('the type that does not exist, without its flavour', () => {
    expect(explain(CORE.FIELD_BYTE_OFFSET, 'outer___v2', '0:0')).toBe("there is no type 'struct outer'");
  });

  test('the field that the type does not have', () => {
    const target = build((b, int) => b.addStruct('outer', 8, [{ name: 'other', type: int, bitOffset: 0 }]));
    expect(explain(CORE.FIELD_BYTE_OFFSET, 'outer___v2', '0:0', target, 'outer')).toBe(
      "'struct outer' has no field 'first'",
    );
  });

  test('the type in the middle of the path that lacks the field', () => {
    const target = build((b, int) => {
      const inner = b.addStruct('inner', 4, [{ name: 'shallow', type: int, bitOffset: 0 }]);
      b.addStruct('outer', 8, [{ name: 'in', type: inner, bitOffset: 0 }]);
    });
    expect(explain(CORE.FIELD_BYTE_OFFSET, 'outer___v2', '0:1:0', target, 'outer')).toBe(
      "'struct inner' has no field 'deep'",
    );
  });

  test('the field whose type is another, also in an anonymous member', () => {
    const target = build((b, _int, pointer) => {
      const nameless = b.addComposite(BTF_KIND.UNION, '', 8, [{ name: 'first', type: pointer, bitOffset: 0 }]);
      b.addStruct('outer', 8, [{ name: '', type: nameless, bitOffset: 0 }]);
    });
    expect(explain(CORE.FIELD_BYTE_OFFSET, 'outer___v2', '0:0', target, 'outer')).toBe(
      "field 'first' of 'struct outer' is of a type that does not fit",
    );
  });

  test('the element that the array is too short for', () => {
    const target = build((b, int) => {
      const short = b.addArray(int, int, 3);
      b.addStruct('outer', 12, [{ name: 'list', type: short, bitOffset: 0 }]);
    });
    expect(explain(CORE.FIELD_BYTE_OFFSET, 'outer___v2', '0:2:5', target, 'outer')).toMatch(/has no element 5$/);
  });

  test('the enumerator', () => {
    const target = build((b) => b.addEnum('colour', 4, [{ name: 'BLUE', value: 0n }]));
    expect(explain(CORE.ENUMVAL_VALUE, 'colour', '0', target, 'colour')).toBe("'enum colour' has no enumerator 'RED'");
  });
});
