// The line records of a loaded program, searched by instruction or by address of machine code.
import type { ProgInfo } from '../../syscall.ts';

/** One bpf_line_info record. */
export interface SourceLine {
  insnOff: number;
  /** Offsets in the strings of the program's BTF. */
  fileNameOff: number;
  lineOff: number;
  line: number;
  column: number;
}

/** What bpftool says (as information, not as an error) of records that make no sense. */
export const BAD_LINE_INFO = 'error in processing bpf_line_info.  continue without it.';

/** Which records belong to which compiled function. */
interface FunctionLines {
  first: number;
  count: number;
}

export class ProgramLines {
  readonly records: readonly SourceLine[];
  private readonly addresses: readonly bigint[];
  private readonly functions: readonly FunctionLines[];
  private readonly ascending: boolean;

  private constructor(records: SourceLine[], addresses: readonly bigint[], functions: FunctionLines[]) {
    this.records = records;
    this.addresses = addresses;
    this.functions = functions;
    this.ascending = records.every((r, i) => i === 0 || r.insnOff > records[i - 1].insnOff);
  }

  /**
   * The records of `info`: undefined if it has none, 'bad' if they contradict the addresses of the machine code.
   * rule: bpf_prog_linfo__new, libbpf 1.8
   */
  static of(info: ProgInfo): ProgramLines | 'bad' | undefined {
    const raw = info.lineInfo;
    if (!raw || raw.bytes.length === 0) return undefined;
    if (raw.recSize < 8) return 'bad';
    const records = parseRecords(raw.bytes, raw.recSize);
    const funcs = info.jitedKsyms.length;
    if (funcs === 0 || info.jitedLineInfo.length !== records.length || info.jitedFuncLens.length !== funcs)
      return new ProgramLines(records, [], []);
    const functions = splitByFunction(info);
    return functions ? new ProgramLines(records, info.jitedLineInfo, functions) : 'bad';
  }

  /** The record that covers instruction `insnOff` among those from `skip` on; as libbpf, the one before the first later. */
  find(insnOff: number, skip: number): SourceLine | undefined {
    const { records } = this;
    if (skip >= records.length || insnOff < records[skip].insnOff) return undefined;
    let end = skip;
    if (this.ascending) {
      let high = records.length;
      while (end < high) {
        const mid = (end + high) >> 1;
        if (records[mid].insnOff <= insnOff) end = mid + 1;
        else high = mid;
      }
    } else {
      while (end < records.length && records[end].insnOff <= insnOff) end++;
    }
    return records[end - 1];
  }

  /** The record that covers an address of compiled function `func`, among those from the function's `skip`-th on. */
  findAddress(address: bigint, func: number, skip: number): SourceLine | undefined {
    const lines = this.functions[func];
    if (!lines || skip >= lines.count) return undefined;
    const end = lines.first + lines.count;
    let i = lines.first + skip;
    if (address < this.addresses[i]) return undefined;
    while (i < end && this.addresses[i] <= address) i++;
    return this.records[i - 1];
  }
}

function parseRecords(bytes: Uint8Array, size: number): SourceLine[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u32 = (at: number, field: number) => (field + 4 <= size ? view.getUint32(at + field, true) : 0);
  return Array.from({ length: Math.floor(bytes.length / size) }, (_, i) => {
    const at = i * size;
    const position = u32(at, 12);
    return {
      insnOff: u32(at, 0),
      fileNameOff: u32(at, 4),
      lineOff: u32(at, 8),
      line: position >>> 10,
      column: position & 0x3ff,
    };
  });
}

/** Each function's first record is the one whose address is the function's own; addresses ascend within a function. */
function splitByFunction({ jitedKsyms, jitedFuncLens, jitedLineInfo }: ProgInfo): FunctionLines[] | undefined {
  if (jitedLineInfo[0] !== jitedKsyms[0]) return undefined;
  const out: FunctionLines[] = [{ first: 0, count: 0 }];
  for (let i = 1; i < jitedLineInfo.length && out.length < jitedKsyms.length; i++) {
    const last = jitedLineInfo[i - 1];
    const f = out.length;
    if (jitedLineInfo[i] === jitedKsyms[f]) {
      if (BigInt.asUintN(64, last - jitedKsyms[f - 1]) + 1n > BigInt(jitedFuncLens[f - 1])) return undefined;
      out[f - 1].count = i - out[f - 1].first;
      out.push({ first: i, count: 0 });
    } else if (jitedLineInfo[i] <= last) {
      return undefined;
    }
  }
  if (out.length !== jitedKsyms.length) return undefined;
  const final = out[out.length - 1];
  final.count = jitedLineInfo.length - final.first;
  return out;
}
