// Value areas in pages of the state file. Absent pages are zero, and zeros at the end of a page are not stored.
import { bytesOf, type MapAccess } from './record.ts';

const PAGE = 4096;

function readPage({ db, map }: MapAccess, number: number): Uint8Array | undefined {
  const row = db.get('SELECT bytes FROM page WHERE map = ? AND number = ?', map.id, number);
  return row && bytesOf(row.bytes);
}

/** Calls `visit` for each page that [offset, offset + size) touches, with the part of the page and where it lies in the range. */
function eachPage(offset: number, size: number, visit: (number: number, from: number, to: number, at: number) => void) {
  for (let at = offset; at < offset + size; ) {
    const number = Math.floor(at / PAGE);
    const start = number * PAGE;
    const end = Math.min(start + PAGE, offset + size);
    visit(number, at - start, end - start, at - offset);
    at = end;
  }
}

/** Reads bytes of the value area. */
export function readArea(access: MapAccess, offset: number, size: number): Uint8Array {
  const out = new Uint8Array(size);
  eachPage(offset, size, (number, from, to, at) => {
    const page = readPage(access, number);
    if (page) out.set(page.subarray(from, to), at);
  });
  return out;
}

/** Writes bytes of the value area. */
export function writeArea(access: MapAccess, offset: number, bytes: Uint8Array): void {
  eachPage(offset, bytes.length, (number, from, to, at) => {
    const old = readPage(access, number);
    const page = new Uint8Array(Math.max(old?.length ?? 0, to));
    if (old) page.set(old);
    page.set(bytes.subarray(at, at + to - from), from);
    let length = page.length;
    while (length > 0 && page[length - 1] === 0) length--;
    if (length > 0) {
      const sql = 'INSERT OR REPLACE INTO page VALUES (?, ?, ?)';
      access.db.run(sql, access.map.id, number, page.subarray(0, length));
    } else if (old) {
      access.db.run('DELETE FROM page WHERE map = ? AND number = ?', access.map.id, number);
    }
  });
}
