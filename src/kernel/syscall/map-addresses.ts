// Where maps lie in the simulated kernel's memory. No two overlap, and a map keeps its place.
import { MAP_TYPE } from '../../isa/uapi.ts';
import { FLAG } from '../maps/flags.ts';
import type { CreateAttr, MapFamily, MemoryLayout } from '../maps/record.ts';
import type { Database } from '../store/database.ts';

/** Small objects lie in the direct mapping, each in a slot of its own, by id. */
const SLAB_BASE = 0xffff888100000000n;
const SLAB_SLOT = 0x10000n;
/** Objects larger than this are mapped page by page. rule: bpf_map_area_alloc, PAGE_ALLOC_COSTLY_ORDER */
const LARGEST_SLAB = 32768;
const VMALLOC_BASE = 0xffffc90000000000n;

export interface MapAddresses {
  address: bigint;
  valueAddress: bigint | undefined;
}

/** Takes room in the mapped area, with an unmapped page behind it; must stand in a transaction. */
function takePages(db: Database, bytes: number, pageSize: number): bigint {
  const size = BigInt(Math.ceil(bytes / pageSize) + 1) * BigInt(pageSize);
  const sql =
    "INSERT INTO counter VALUES ('vmalloc', ?1) ON CONFLICT (name) DO UPDATE SET value = value + ?1 RETURNING value";
  return VMALLOC_BASE + BigInt(db.get(sql, size)?.value as bigint) - size;
}

/** Addresses of `struct bpf_map` and of the first value byte of a new map. rule: array_map_alloc, 6.18 */
export function placeMap(
  db: Database,
  id: number,
  family: MapFamily,
  attr: CreateAttr,
  layout: MemoryLayout,
): MapAddresses {
  const slab = SLAB_BASE + BigInt(id) * SLAB_SLOT;
  if (!family.valueArea) return { address: slab, valueAddress: undefined };
  const values = family.valueArea(attr, layout);
  const { pageSize } = layout;
  if (attr.type !== MAP_TYPE.array) return { address: slab, valueAddress: takePages(db, values, pageSize) };
  const header = layout.sizeOf('bpf_array');
  if (attr.flags & FLAG.MMAPABLE) {
    // The values begin a page of their own; the header ends where they begin.
    const valueAddress = takePages(db, pageSize + values, pageSize) + BigInt(pageSize);
    return { address: valueAddress - BigInt(header), valueAddress };
  }
  const address = header + values > LARGEST_SLAB ? takePages(db, header + values, pageSize) : slab;
  return { address, valueAddress: address + BigInt(header) };
}
