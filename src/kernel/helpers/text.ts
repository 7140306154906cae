// Strings and printing: prototypes of the helper functions, by helper number; variants stand beside their kind.
import { A, btf, fixedOut, type ProtoTable, R } from '../verifier/helper-proto.ts';

export const TEXT_HELPERS = {
  trace_printk: { ret: R.int, args: [A.mem, A.size], gpl: true },
  strtol: { ret: R.int, args: [A.mem, A.size, A.any, fixedOut(8)] },
  strtoul: { ret: R.int, args: [A.mem, A.size, A.any, fixedOut(8)] },
  seq_printf: { ret: R.int, args: [btf('seq_file'), A.mem, A.size, A.memOrNull, A.sizeOrZero], gpl: true },
  seq_write: { ret: R.int, args: [btf('seq_file'), A.mem, A.sizeOrZero], gpl: true },
  snprintf_btf: { ret: R.int, args: [A.memWrite, A.size, A.mem, A.size, A.any] },
  seq_printf_btf: { ret: R.int, args: [btf('seq_file'), A.mem, A.sizeOrZero, A.any], gpl: true },
  snprintf: { ret: R.int, args: [A.memWriteOrNull, A.sizeOrZero, A.constStr, A.memOrNull, A.sizeOrZero], gpl: true },
  trace_vprintk: { ret: R.int, args: [A.mem, A.size, A.memOrNull, A.sizeOrZero], gpl: true },
  strncmp: { ret: R.int, args: [A.mem, A.size, A.constStr] },
} satisfies ProtoTable;
