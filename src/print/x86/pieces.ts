// An instruction's text cut into the pieces in which the GNU disassembler hands it out, one for each change of style.
// bpftool's JSON shows them one by one.

/** Column of the operands: shorter mnemonics are filled up with blanks. */
const MNEMONIC_WIDTH = 6;

const TOKEN = /%[a-z0-9]+|0x[0-9a-f]+|[0-9]+|:\(|[-*$:,()]|[^-%*$:,()0]+/g;

/** Parts of an instruction that are known before its text is put together. */
export interface InsnParts {
  /** Words in front: "lock", "rex". */
  prefixes: readonly string[];
  mnemonic: string;
  /** In AT&T order and form. */
  operands: readonly string[];
  /** The only operand is the address of code. */
  branch: boolean;
  /** What a rip-relative operand means. */
  comment: string | undefined;
}

/** All pieces; the text of the instruction is their concatenation. */
export function insnPieces({ prefixes, mnemonic, operands, branch, comment }: InsnParts): string[] {
  const pieces = prefixes.map((prefix) => `${prefix} `);
  if (operands.length === 0) {
    pieces.push(mnemonic);
    return pieces;
  }
  const before = pieces.reduce((sum, piece) => sum + piece.length, 0);
  pieces.push(`${mnemonic.padEnd(MNEMONIC_WIDTH - before)} `);
  operands.forEach((operand, i) => {
    if (i) pieces.push(',');
    if (branch) pieces.push(operand);
    else pieces.push('', ...(operand.match(TOKEN) ?? []));
  });
  if (comment !== undefined) pieces.push('        # ', comment);
  return pieces;
}

/** Operands of `a,b(c,d,1),e`: commas within parentheses do not separate. */
export function splitOperands(text: string): string[] {
  return text === '' ? [] : text.split(/,(?![^(]*\))/);
}
