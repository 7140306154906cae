// Function prototypes: what is returned and what is passed must have a size. rule: btf_func_proto_check, btf.c, 6.18
import type { BtfLog } from './btf-log.ts';
import { isIdentifier } from './names.ts';
import type { RawBtf } from './raw-btf.ts';
import type { Resolved } from './resolved.ts';

/** Checks one prototype; `ensure` resolves a type. Throws BtfFault. */
export function checkPrototype(
  btf: RawBtf,
  log: BtfLog,
  resolved: Resolved,
  id: number,
  ensure: (type: number) => void,
): void {
  const checkType = (type: number, remark: string): void => {
    if (!btf.exists(type) || btf.isSourceOnly(type)) log.failType(id, remark);
  };
  const checkSize = (type: number, remark: string): void => {
    ensure(type);
    if (!resolved.sized(type)) log.failType(id, remark);
  };
  const returned = btf.third(id);
  if (returned !== 0) {
    checkType(returned, 'Invalid return type');
    checkSize(returned, 'Invalid return type');
  }
  let count = btf.vlen(id);
  if (count > 0 && btf.word(id, (count - 1) * 2 + 1) === 0) {
    // The last one may stand for any number of arguments.
    if (btf.word(id, (count - 1) * 2) !== 0) log.failType(id, `Invalid arg#${count}`);
    count--;
  }
  for (let i = 0; i < count; i++) {
    const remark = `Invalid arg#${i + 1}`;
    const [name, type] = [btf.word(id, i * 2), btf.word(id, i * 2 + 1)];
    checkType(type, remark);
    if (name !== 0 && (!btf.isNameOffset(name) || !isIdentifier(btf.stringBytes(name)))) log.failType(id, remark);
    checkSize(type, remark);
  }
}
