// Where in the sources an instruction comes from, by the line records of the object.
import { BtfError } from '../btf/btf.ts';
import type { ObjectSpec } from './spec.ts';

/** "file.c:12" of the instruction `insnOff` bytes into a section; undefined where no record tells. */
export const sourcePlace = (
  { btf, btfExt }: ObjectSpec,
  section: number | undefined,
  insnOff: number,
): string | undefined => {
  if (!btf || !btfExt) return undefined;
  const { recSize, groups } = btfExt.lineInfo;
  let place: string | undefined;
  let nearest = -1;
  for (const { sectionIndex, bytes, count } of groups) {
    if (sectionIndex !== section) continue;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0; i < count; i++) {
      const offset = view.getUint32(i * recSize, true);
      if (offset > insnOff || offset < nearest) continue;
      nearest = offset;
      try {
        place = `${btf.str(view.getUint32(i * recSize + 4, true))}:${view.getUint32(i * recSize + 12, true) >>> 10}`;
      } catch (error) {
        if (!(error instanceof BtfError)) throw error;
      }
    }
  }
  return place;
};
