import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Btf, BtfError } from '../btf.ts';
import { BtfBuilder } from '../encode.ts';
import { BTF_KIND } from '../kinds.ts';
import { dedupBtf } from './dedup.ts';
import { appendBtf, dedupedBtf } from './merge.ts';
import { TypePool } from './pool.ts';

const read = (name: string): Uint8Array =>
  readFileSync(new URL(`../../../testdata/btf-dedup/${name}`, import.meta.url));
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

const build = (fill: (builder: BtfBuilder) => void, base?: Btf): Btf => {
  const builder = new BtfBuilder(base);
  fill(builder);
  return Btf.parse(builder.bytes(), base);
};

const dump = (btf: Btf): string[] =>
  Array.from({ length: btf.count - btf.firstId }, (_, i) => {
    const id = btf.firstId + i;
    return `${btf.kind(id)} ${btf.name(id)}`;
  });

describe('captured results of libbpf 1.8', () => {
  it('the types of 48 objects become the same bytes', () => {
    expect(same(dedupBtf(Btf.parse(read('repeated.btf'))).bytes, read('single.btf'))).toBe(true);
  });

  it('what is deduplicated already stays', () => {
    expect(same(dedupBtf(Btf.parse(read('single.btf'))).bytes, read('single.btf'))).toBe(true);
  });

  it('split BTF loses what its base has', () => {
    const base = Btf.parse(read('base.btf'));
    expect(same(dedupBtf(Btf.parse(read('split.btf'), base)).bytes, read('split-single.btf'))).toBe(true);
  });

  it('several split files over one base become one', () => {
    const base = Btf.parse(read('base.btf'));
    const pool = TypePool.empty(base);
    for (let i = 0; i < 2; i++) appendBtf(pool, Btf.parse(read('split.btf'), base), base);
    expect(same(dedupedBtf(pool, base).bytes, read('merged.btf'))).toBe(true);
  });
});

describe('rules', () => {
  it('data with half a header cannot be written again', () => {
    const bytes = new Uint8Array(24);
    bytes.set([0x9f, 0xeb, 1, 0, 8]);
    const base = Btf.parse(new BtfBuilder().bytes());
    expect(() => dedupBtf(Btf.parse(bytes, base))).toThrow(BtfError);
    expect(() => {
      const builder = BtfBuilder.from(Btf.parse(bytes, base));
      builder.addPtr(0);
      builder.bytes();
    }).toThrow(BtfError);
  });

  it('structs that refer to themselves are recognized', () => {
    const list = (b: BtfBuilder): void => {
      const int = b.addInt('int', 4, 1);
      const self = b.nextId + 1;
      b.addPtr(self);
      b.addStruct('node', 16, [
        { name: 'value', type: int, bitOffset: 0 },
        { name: 'next', type: self - 1, bitOffset: 64 },
      ]);
    };
    const once = build(list);
    const twice = build((b) => {
      list(b);
      list(b);
    });
    expect(dump(dedupBtf(twice))).toEqual(dump(once));
  });

  it('a forward declaration becomes the struct, wherever that stands', () => {
    const btf = build((b) => {
      b.addPtr(b.addFwd('later'));
      b.addPtr(b.addStruct('later', 0, []));
    });
    const result = dedupBtf(btf);
    expect(dump(result)).toEqual([`${BTF_KIND.STRUCT} later`, `${BTF_KIND.PTR} `].reverse());
    expect(result.name(result.type(1))).toBe('later');
  });

  it('a forward declaration stays when two structs have its name, or only a union', () => {
    const btf = build((b) => {
      const int = b.addInt('int', 4);
      b.addPtr(b.addFwd('two'));
      b.addStruct('two', 4, [{ name: 'a', type: int, bitOffset: 0 }]);
      b.addStruct('two', 4, [{ name: 'b', type: int, bitOffset: 0 }]);
      b.addPtr(b.addFwd('u'));
      b.addUnion('u', 0, []);
    });
    expect(dedupBtf(btf).count).toBe(btf.count);
  });

  it('a declared enumeration becomes the full one, even one of 64 bits', () => {
    const full = (b: BtfBuilder) => b.addEnum64('e', 8, [{ name: 'A', value: 1n << 40n }]);
    for (const order of [0, 1]) {
      const btf = build((b) => {
        if (order) full(b);
        b.addPtr(b.addEnum('e', 4, []));
        if (!order) full(b);
      });
      const result = dedupBtf(btf);
      const pointer = dump(result).indexOf(`${BTF_KIND.PTR} `) + 1;
      expect(result.kind(result.type(pointer))).toBe(BTF_KIND.ENUM64);
      expect(result.count).toBe(3);
    }
  });

  it('variables and sections are never put together', () => {
    const btf = build((b) => {
      const int = b.addInt('int', 4);
      b.addVar('v', 1, int);
      b.addVar('v', 1, int);
      b.addDatasec('.data', 4, []);
      b.addDatasec('.data', 4, []);
    });
    expect(dump(dedupBtf(btf))).toEqual(dump(btf));
  });

  it('strings that nothing uses go, in the order of their first use', () => {
    const btf = build((b) => {
      b.str('unused');
      b.addInt('zeta', 4);
      b.addInt('alpha', 8);
    });
    const result = dedupBtf(btf);
    expect(Buffer.from(result.bytes).toString('latin1').endsWith('\0zeta\0alpha\0')).toBe(true);
    expect(result.stringEnd).toBe(12);
  });

  it('pointers in a circle are an error', () => {
    const btf = build((b) => {
      b.addPtr(2);
      b.addPtr(1);
    });
    expect(() => dedupBtf(btf)).toThrow(BtfError);
  });

  it('long chains of pointers and of nested structs need no deep stack', () => {
    const length = 50_000;
    const btf = build((b) => {
      for (let i = 2; i <= length; i++) b.addPtr(i);
      b.addInt('int', 4);
      for (const shift of [0, 1]) {
        const first = b.nextId;
        for (let i = 0; i < 20_000; i++) {
          const next = i === 19_999 ? 0 : first + i + 1;
          b.addStruct(`s${i}`, 8 + 0 * shift, [{ name: 'm', type: next, bitOffset: 0 }]);
        }
      }
    });
    expect(dedupBtf(btf).count).toBe(1 + length + 20_000);
  });
});
