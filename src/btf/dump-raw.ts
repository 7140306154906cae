// The raw form of BTF: one entry a type with all its fields, as text lines or as JSON.
import type { JsonWriter } from '../print/json.ts';
import { type Btf, BtfError } from './btf.ts';
import { jsonStyle, textStyle } from './raw/steps.ts';
import { RawWriter } from './raw/writer.ts';

/** Where a dump goes. */
export interface RawOutput {
  /** The document that it becomes the next value of, as JSON; text without one. */
  json?: JsonWriter | undefined;
  /** What it is given is overwritten after it returns. */
  write(bytes: Buffer): void;
}

/**
 * Writes the types `roots`, or without any all types of `btf` that are not in its base.
 * Throws BtfError for a root that does not exist.
 */
export const dumpRaw = (btf: Btf, { json, write }: RawOutput, roots: readonly number[] = []): void => {
  const missing = roots.find((id) => id >= btf.count);
  if (missing !== undefined) throw new BtfError(`type id ${missing} does not exist`);
  const writer = new RawWriter(btf.flat(), json ? jsonStyle(json.leaveValue()) : textStyle(), write);
  writer.begin();
  if (roots.length) for (const id of roots) writer.type(id);
  else for (let id = btf.firstId; id < btf.count; id++) writer.type(id);
  writer.end();
};
