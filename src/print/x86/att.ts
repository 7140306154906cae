// x86-64 machine code as text in AT&T syntax, letter by letter as GNU binutils 2.40 writes it.
import type { Formatter, Instruction } from 'iced-x86';
import { SysError } from '../../errno.ts';
import { insnPieces, splitOperands } from './pieces.ts';

type Iced = typeof import('iced-x86');

/** One instruction, `length` bytes at `offset`; joined, the pieces are its text. */
export interface MachineInsn {
  offset: number;
  length: number;
  pieces: string[];
}

/** Legacy prefixes, by the words for those that stand at the end of the code with nothing to belong to. */
const PREFIXES: ReadonlyMap<number, string> = new Map([
  [0x26, 'es'],
  [0x2e, 'cs'],
  [0x36, 'ss'],
  [0x3e, 'ds'],
  [0x64, 'fs'],
  [0x65, 'gs'],
  [0x66, 'data16'],
  [0x67, 'addr32'],
  [0xf0, 'lock'],
  [0xf2, 'repnz'],
  [0xf3, 'repz'],
]);
const REPEAT = 0xf3;
const REX_BITS = ['B', 'X', 'R', 'W'];

/** Disassembles; made by loadDisassembler. */
export class Disassembler {
  private readonly iced: Iced;
  private readonly formatter: Formatter;
  private readonly insn: Instruction;

  constructor(iced: Iced) {
    this.iced = iced;
    this.formatter = new iced.Formatter(iced.FormatterSyntax.Gas);
    this.insn = new iced.Instruction();
    const { formatter } = this;
    formatter.uppercaseHex = false;
    formatter.hexPrefix = '0x';
    formatter.smallHexNumbersInDecimal = false;
    formatter.signedMemoryDisplacements = true;
    formatter.signedImmediateOperands = false;
    formatter.showZeroDisplacements = true;
    formatter.branchLeadingZeros = false;
    formatter.gasShowMnemonicSizeSuffix = false;
    formatter.spaceAfterOperandSeparator = false;
    formatter.ripRelativeAddresses = true;
    formatter.firstOperandCharIndex = 0;
  }

  /** All of `code`, which lies at `address`. Bytes that are no instruction become one line each. */
  *disassemble(code: Uint8Array, address: bigint): Generator<MachineInsn> {
    const { iced, insn } = this;
    const decoder = new iced.Decoder(64, code, iced.DecoderOptions.None);
    try {
      for (let offset = 0; offset < code.length; ) {
        decoder.position = offset;
        decoder.ip = BigInt.asUintN(64, address + BigInt(offset));
        decoder.decodeOut(insn);
        let { length } = insn;
        let pieces: string[];
        if (insn.code !== iced.Code.INVALID) {
          pieces = this.pieces(code.subarray(offset, offset + length));
        } else {
          length = 1;
          pieces = decoder.lastError === iced.DecoderError.NoMoreBytes ? strayByte(code[offset]) : ['(bad)'];
        }
        yield { offset, length, pieces };
        offset += length;
      }
    } finally {
      decoder.free();
    }
  }

  private pieces(bytes: Uint8Array): string[] {
    const { iced, formatter, insn } = this;
    const words = formatter.formatMnemonicOptions(insn, iced.FormatMnemonicOptions.None).split(' ');
    let mnemonic = words.pop() as string;
    const branch = isBranch(insn, iced);
    const operands = branch
      ? [addressText(insn.nearBranchTarget)]
      : splitOperands(formatter.formatAllOperands(insn)).map(fullScale);
    let at = 0;
    while (PREFIXES.has(bytes[at])) at++;
    const rex = bytes[at] >> 4 === 4 ? bytes[at++] : 0;
    if (rex === 0x40 && !this.namesLowByte()) words.push('rex');
    if (operands.some((operand) => operand.startsWith('*'))) mnemonic = mnemonic.replace(/q$/, '');
    if ((bytes[at] === 0xd0 || bytes[at] === 0xd1) && !isVex(bytes)) operands.shift();
    // A multiplication by a constant has three operands, even if two are the same.
    if ((bytes[at] === 0x69 || bytes[at] === 0x6b) && operands.length === 2) operands.push(operands[1]);
    if (mnemonic === 'ret' && words[0] === 'rep') words[0] = 'repz';
    // Of reserved no-ops only the operand is shown that a hint would have.
    if (mnemonic === 'nop' && operands.length === 2) {
      operands.shift();
      if (bytes.subarray(0, at).includes(REPEAT)) words.unshift('repz');
    }
    return insnPieces({
      prefixes: words,
      mnemonic,
      operands,
      branch,
      comment: operands.some((operand) => operand.includes('(%rip)'))
        ? addressText(insn.ipRelMemoryAddress)
        : undefined,
    });
  }

  /** True if an operand is one of spl, bpl, sil and dil, which only a REX prefix can name. */
  private namesLowByte(): boolean {
    const { Register, OpKind } = this.iced;
    for (let i = 0; i < this.insn.opCount; i++) {
      if (this.insn.opKind(i) !== OpKind.Register) continue;
      const register = this.insn.opRegister(i);
      if (register >= Register.SPL && register <= Register.DIL) return true;
    }
    return false;
  }
}

/** `(%a,%b)` as `(%a,%b,1)`. */
const fullScale = (operand: string): string => operand.replace(/\((%\w*),(%\w+)\)/, '($1,$2,1)');

const isVex = (bytes: Uint8Array): boolean => bytes[0] === 0xc4 || bytes[0] === 0xc5;

/** Jumps and calls whose operand is an address. */
const isBranch = (insn: Instruction, { OpKind }: Iced): boolean =>
  insn.opCount === 1 && insn.opKind(0) === OpKind.NearBranch64;

/** Addresses have at least eight digits. */
const addressText = (address: bigint): string => `0x${address.toString(16).padStart(8, '0')}`;

/** A byte of an instruction that is cut off by the end of the code. */
function strayByte(byte: number): string[] {
  if (byte >> 4 === 4) {
    const bits = REX_BITS.filter((_, i) => byte & (1 << i)).reverse();
    return [bits.length ? `rex.${bits.join('')}` : 'rex'];
  }
  const prefix = PREFIXES.get(byte);
  return prefix ? [prefix] : ['.byte ', `0x${byte.toString(16)}`];
}

let loaded: Promise<Disassembler> | undefined;

/** The disassembler; its library is loaded at the first call. Throws SysError EOPNOTSUPP where it is not installed. */
export function loadDisassembler(): Promise<Disassembler> {
  loaded ??= import('iced-x86').then(
    (module) => new Disassembler(module),
    () => {
      throw new SysError('EOPNOTSUPP', 'No JIT disassembly support');
    },
  );
  return loaded;
}
