// How a loader program fills in references to variables, functions and addresses of the kernel that it runs on.
import { ERRNO } from '../../errno.ts';
import { JMP } from '../../isa/opcode.ts';
import { HELPER } from '../../isa/uapi.ts';
import type { Messages } from '../print.ts';
import { type Blob, type Failure, zeroTerminated } from './blob.ts';
import { type LoaderCode, R0, RESULT, SPARE, TARGET } from './code.ts';
import { MAX_KFUNC_BTFS, MAX_MAPS } from './layouts.ts';

/** A reference of the program that is about to be loaded. */
export interface SymbolReference {
  name: string;
  weak: boolean;
  /** An address without a type. */
  typeless: boolean;
  /** A 64-bit load; otherwise a call. */
  load: boolean;
  /** Kind of the BTF type. */
  kind: number;
  insn: number;
}

/** A symbol once the program has met it: the first place that has its number, to copy from. */
interface Symbol {
  reference: SymbolReference;
  uses: number;
  /** Offset of that instruction in the blob. */
  insn: number;
  /** Calls: place of the module's BTF in the table of descriptors. */
  btfIndex: number;
}

const INSN_BYTES = 8;
/** Offsets of the fields of an instruction; a 64-bit load has its other half in the next. */
const REGISTERS = 1;
const OFFSET = 2;
const IMMEDIATE = 4;
const UPPER = INSN_BYTES + IMMEDIATE;
/** Keeps the destination register, clears the source register. */
const DESTINATION = 0x0f;
const MAX_FD_INDEX = 0x7fff;

/** What the relocations share with the rest of the loader program. */
export interface LoaderParts {
  readonly code: LoaderCode;
  readonly blob: Blob;
  readonly failure: Failure;
  readonly messages: Messages;
  /** Offset in the blob of the table of descriptors. */
  readonly fdArray: number;
}

/** Looks up a BTF type; R7 holds its id and, in the upper half, the descriptor of its module. */
export function findByNameKind({ code, blob }: LoaderParts, name: string, kind: number): void {
  const bytes = zeroTerminated(name);
  code.address(1, blob.add(bytes));
  code.set(2, bytes.length);
  code.set(3, kind);
  code.set(4, 0);
  code.call(HELPER.btf_find_by_name_kind);
  code.copy(RESULT, R0);
}

/** The symbols of one program. */
export class KernelSymbols {
  private readonly parts: LoaderParts;
  private readonly symbols: Symbol[] = [];
  private btfs = 0;

  constructor(parts: LoaderParts) {
    this.parts = parts;
  }

  /** Writes the code that fills in all references of a program whose instructions lie at `insns` of the blob. */
  relocate(references: readonly SymbolReference[], insns: number): void {
    const { code, messages } = this.parts;
    for (const reference of references) {
      const { kind, name, load } = reference;
      messages.debug(() => `gen: emit_relo (${kind}): ${name} at ${reference.insn} ${load ? 'ld64' : 'call'}`);
      const at = insns + reference.insn * INSN_BYTES;
      code.address(TARGET, at);
      const symbol = this.meet(reference, at);
      if (!load) this.relocateCall(symbol, at);
      else if (reference.typeless) this.relocateAddress(symbol, at);
      else this.relocateVariable(symbol, reference, at);
    }
  }

  private meet(reference: SymbolReference, insn: number): Symbol {
    const { name, kind, load } = reference;
    let symbol = this.symbols.find(
      ({ reference: known }) => known.kind === kind && known.load === load && known.name === name,
    );
    if (!symbol) {
      symbol = { reference, uses: 0, insn, btfIndex: 0 };
      this.symbols.push(symbol);
    }
    symbol.uses++;
    return symbol;
  }

  private copyField(from: number, to: number, field: number, width: 2 | 4): void {
    this.parts.code.blobToBlob(to + field, width, from + field);
  }

  /** A place of the table of descriptors, or behind everything when that is full. */
  private btfPlace(): number {
    const { blob, fdArray } = this.parts;
    if (this.btfs === MAX_KFUNC_BTFS) return Math.trunc((blob.add(4) - fdArray) / 4);
    return MAX_MAPS + this.btfs++;
  }

  private relocateCall(symbol: Symbol, at: number): void {
    const { code, failure, messages, fdArray } = this.parts;
    if (symbol.uses > 1) {
      this.copyField(symbol.insn, at, IMMEDIATE, 4);
      this.copyField(symbol.insn, at, OFFSET, 2);
      return;
    }
    const { name, kind, weak } = symbol.reference;
    findByNameKind(this.parts, name, kind);
    if (!weak) code.checkError();
    const index = this.btfPlace();
    if (index > MAX_FD_INDEX) {
      messages.warn(`BTF fd off ${index} for kfunc ${name} exceeds INT16_MAX, cannot process relocation`);
      failure.errno = ERRNO.E2BIG;
      return;
    }
    symbol.btfIndex = index;
    code.jumpIf(JMP.JSGE, RESULT, 0, 3);
    code.storeValue(4, TARGET, IMMEDIATE, 0);
    code.storeValue(2, TARGET, OFFSET, 0);
    code.jump(10);
    code.store(4, TARGET, IMMEDIATE, RESULT);
    code.copy(SPARE, RESULT);
    code.shiftRight(SPARE, 32);
    code.address(R0, fdArray + index * 4);
    code.store(4, R0, 0, SPARE);
    // Functions of vmlinux have no descriptor, and 0 for the place.
    code.jumpIf(JMP.JNE, SPARE, 0, 2);
    code.storeValue(2, TARGET, OFFSET, 0);
    code.jump(1);
    code.storeValue(2, TARGET, OFFSET, index);
  }

  private relocateAddress(symbol: Symbol, at: number): void {
    const { code, blob } = this.parts;
    if (symbol.uses > 1) {
      this.copyField(symbol.insn, at, IMMEDIATE, 4);
      this.copyField(symbol.insn, at, UPPER, 4);
      return;
    }
    const name = zeroTerminated(symbol.reference.name);
    const nameAt = blob.add(name);
    const result = blob.add(8);
    code.address(1, nameAt);
    code.set(2, name.length);
    code.set(3, 0);
    code.address(4, result);
    code.copy(RESULT, 4);
    code.call(HELPER.kallsyms_lookup_name);
    code.load(8, SPARE, RESULT, 0);
    code.copy(RESULT, R0);
    code.jumpIf(JMP.JEQ, RESULT, -ERRNO.ENOENT, 1);
    code.checkError();
    code.store(4, TARGET, IMMEDIATE, SPARE);
    code.shiftRight(SPARE, 32);
    code.store(4, TARGET, UPPER, SPARE);
  }

  private relocateVariable(symbol: Symbol, reference: SymbolReference, at: number): void {
    const { code } = this.parts;
    if (symbol.uses > 1) {
      this.copyField(symbol.insn, at, UPPER, 4);
      this.copyField(symbol.insn, at, IMMEDIATE, 4);
      code.jumpIf(JMP.JNE, R0, 0, 3);
    } else {
      findByNameKind(this.parts, reference.name, reference.kind);
      if (!reference.weak) code.checkError();
      code.jumpIf(JMP.JSGE, RESULT, 0, 3);
      code.storeValue(4, TARGET, IMMEDIATE, 0);
      code.storeValue(4, TARGET, UPPER, 0);
      code.jump(4);
      code.store(4, TARGET, IMMEDIATE, RESULT);
      code.shiftRight(RESULT, 32);
      code.store(4, TARGET, UPPER, RESULT);
      code.jump(3);
    }
    // What was not found is a plain number, no longer a BTF id.
    code.load(1, SPARE, TARGET, REGISTERS);
    code.and32(SPARE, DESTINATION);
    code.store(1, TARGET, REGISTERS, SPARE);
  }

  /** Writes the code that closes the descriptors of modules, and forgets the symbols. */
  close(): void {
    const { code, fdArray } = this.parts;
    for (const { reference, insn, btfIndex } of this.symbols) {
      if (!reference.load) {
        code.closeBlob(fdArray + btfIndex * 4);
        if (btfIndex < MAX_MAPS + MAX_KFUNC_BTFS) this.btfs--;
      } else if (!reference.typeless) {
        code.closeBlob(insn + UPPER);
      }
    }
    this.symbols.length = 0;
  }
}
