import { expect, test } from 'vitest';
import { MAP_TYPE } from '../../isa/uapi.ts';
import { loadImage } from '../image/load.ts';
import { familyOf } from '../maps/index.ts';
import type { CreateAttr, MapFamily } from '../maps/record.ts';
import { PROG_AUX_ADDRESS, structMetaAddress } from '../rewrite/address.ts';
import { Database } from '../store/database.ts';
import { MEMORY } from '../store/state-path.ts';
import { placeMap } from './map-addresses.ts';

const image = loadImage();
const layout = {
  cpus: 2,
  pageSize: 4096,
  maxStackDepth: 127,
  sizeOf: (name: string) => image.sizeOf(name),
  kernelBtf: () => image.btf(),
  config: (name: string) => image.config(name),
};
const HEADER = image.sizeOf('bpf_array');
const MMAPABLE = 0x400;

test('no two maps overlap; values follow the header, and in mappable arrays begin a page', () => {
  const db = new Database(MEMORY, () => {});
  const taken: [bigint, bigint][] = [];
  const shapes = [
    [8, 0],
    [100_000, 0],
    [8, MMAPABLE],
    [100_000, MMAPABLE],
    [3000, 0],
    [100_000, 0],
    [8, 0],
  ];
  shapes.forEach(([valueSize, flags], i) => {
    const attr = { type: MAP_TYPE.array, keySize: 4, valueSize, maxEntries: 10, flags } as CreateAttr;
    const family = familyOf(attr.type) as MapFamily;
    const { address, valueAddress = 0n } = placeMap(db, i + 1, family, attr, layout);
    expect(valueAddress).toBe(address + BigInt(HEADER));
    if (flags === MMAPABLE) expect(valueAddress % 4096n).toBe(0n);
    taken.push([address, valueAddress + BigInt(valueSize * 10)]);
  });
  taken.sort(([a], [b]) => (a < b ? -1 : 1));
  for (let i = 1; i < taken.length; i++) expect(taken[i][0]).toBeGreaterThanOrEqual(taken[i - 1][1]);
  const hash = familyOf(MAP_TYPE.hash) as MapFamily;
  expect(placeMap(db, 9, hash, { type: MAP_TYPE.hash } as CreateAttr, layout).valueAddress).toBeUndefined();
  db.close();
});

test('what rewritten programs point to lies below all maps, so that no address is taken for that of a map', () => {
  const db = new Database(MEMORY, () => {});
  const hash = familyOf(MAP_TYPE.hash) as MapFamily;
  const lowest = placeMap(db, 0, hash, { type: MAP_TYPE.hash } as CreateAttr, layout).address;
  expect(PROG_AUX_ADDRESS).toBeLessThan(lowest);
  expect(structMetaAddress(0)).toBeGreaterThan(PROG_AUX_ADDRESS);
  expect(structMetaAddress(1 << 20)).toBeLessThan(lowest);
  db.close();
});
