// Accesses to the context that programs see, as accesses to the kernel's own structures: the means for the tables.
import { type Insn, insn } from '../../../isa/insn.ts';
import { CLASS, insnClass, insnSize, JMP, MODE, SIZE } from '../../../isa/opcode.ts';
import type { KernelImage } from '../../image/image.ts';
import { AX, jumpImm, load, sizeBits, store } from '../build.ts';
import { type StructField, structField } from './struct-field.ts';

/** One load or store to be converted, and what has come of it so far. */
export class Conversion {
  readonly image: KernelImage;
  /** The access: `dst` and `src` as in a load or store of the context. */
  readonly insn: Insn;
  readonly write: boolean;
  /** The program's facts (`tstamp_type_access` …); converters add to them. */
  readonly progFlags: Set<string>;
  readonly out: Insn[] = [];
  /** Bytes that the conversion loads of a field that may be read in parts; 0 where it may not. */
  targetSize = 0;

  constructor(image: KernelImage, access: Insn, write: boolean, progFlags: Set<string>) {
    this.image = image;
    this.insn = access;
    this.write = write;
    this.progFlags = progFlags;
  }

  emit(...insns: Insn[]): void {
    this.out.push(...insns);
  }

  /** A member by "struct.member", where members of members follow with further dots. */
  field(name: string): StructField {
    return structField(this.image, name);
  }

  /** Loads `to = from->member`, all of it. */
  loadField(to: number, from: number, name: string): void {
    const { off, size } = this.field(name);
    this.emit(load(sizeBits(size), to, from, off));
  }

  /** The access itself as a store of another size and offset: register or immediate as it was. */
  storeAs(size: number, off: number, to = this.insn.dst): void {
    const { code, src, imm } = this.insn;
    this.emit(insn(insnClass(code) | size | MODE.MEM, to, src, off, imm));
  }

  /** The highest of r9, r8 and r7 that the access does not use. */
  get spareReg(): number {
    const { dst, src } = this.insn;
    let reg = 9;
    for (let k = 0; k < 2; k++) if (reg === dst || reg === src) reg--;
    return reg;
  }

  /** Runs `body` with a spare register, whose value is kept in the context structure's `slot` meanwhile. */
  borrow(slot: string, body: (reg: number) => void): void {
    const { dst } = this.insn;
    const reg = this.spareReg;
    const { off } = this.field(slot);
    this.emit(store(SIZE.DW, dst, reg, off));
    body(reg);
    this.emit(load(SIZE.DW, reg, dst, off));
  }
}

export type Converter = (c: Conversion) => void;

/**
 * Conversions of a context structure of the UAPI by field: `name` for the field's first byte, `name..` for every byte
 * of it, `>name` for the byte after its end.
 */
export interface ContextRules {
  readonly struct: string;
  readonly fields: Readonly<Record<string, Converter>>;
  /** Rules for the fields not named here. */
  readonly base?: ContextRules;
  /** What happens to all other offsets. */
  readonly others?: Converter;
}

const indexes = new WeakMap<KernelImage, Map<ContextRules, Map<number, Converter>>>();

function indexOf(rules: ContextRules, image: KernelImage): Map<number, Converter> {
  let known = indexes.get(image);
  if (!known) {
    known = new Map();
    indexes.set(image, known);
  }
  let index = known.get(rules);
  if (!index) {
    index = new Map(rules.base ? indexOf(rules.base, image) : []);
    for (const [key, converter] of Object.entries(rules.fields)) {
      const name = key.replace(/^>|\.\.$/g, '');
      const { off, size } = structField(image, `${rules.struct}.${name}`);
      if (key.startsWith('>')) index.set(off + size, converter);
      else for (let k = 0; k < (key.endsWith('..') ? size : 1); k++) index.set(off + k, converter);
    }
    known.set(rules, index);
  }
  return index;
}

/** Converts the access; nothing is emitted where the rules do not know its offset. */
export function convertAccess(rules: ContextRules, c: Conversion): void {
  const converter = indexOf(rules, c.image).get(c.insn.off) ?? rules.others;
  converter?.(c);
}

/** Loads through a chain of pointers, each member in its full size. */
export const through =
  (...names: readonly string[]): Converter =>
  (c) => {
    const { dst, src } = c.insn;
    names.forEach((name, k) => {
      c.loadField(dst, k === 0 ? src : dst, name);
    });
  };

/** The same where the field may be read in parts. */
export const narrowThrough =
  (...names: readonly string[]): Converter =>
  (c) => {
    through(...names)(c);
    c.targetSize = c.field(names[names.length - 1]).size;
  };

/** `through`, but the last member is not read when the pointer before it is NULL. */
export const throughIfSet =
  (pointer: string, member: string): Converter =>
  (c) => {
    through(pointer)(c);
    c.emit(jumpImm(JMP.JEQ, c.insn.dst, 0, 1));
    c.loadField(c.insn.dst, c.insn.dst, member);
  };

/** One member, read or written in its full size. */
export const readWrite =
  (name: string): Converter =>
  (c) => {
    const { off, size } = c.field(name);
    if (c.write) c.storeAs(sizeBits(size), off);
    else c.loadField(c.insn.dst, c.insn.src, name);
  };

/** The same where the field may be read in parts. */
export const narrowReadWrite =
  (name: string): Converter =>
  (c) => {
    readWrite(name)(c);
    c.targetSize = c.field(name).size;
  };

/** An array of the context that lies in an array of the kernel: the size of the access stays. */
export const shifted =
  (context: string, place: (c: Conversion) => number): Converter =>
  (c) => {
    const { code, dst, src, off } = c.insn;
    const at = off - c.field(context).off + place(c);
    if (c.write) c.storeAs(insnSize(code), at);
    else c.emit(load(insnSize(code), dst, src, at));
  };

/** 32-bit words of a member behind a pointer, by the access's distance from the context's own array. */
export const wordsThrough =
  (context: string, pointer: string, array: string): Converter =>
  (c) => {
    through(pointer)(c);
    const { dst, off } = c.insn;
    c.emit(load(SIZE.W, dst, dst, c.field(array).off + off - c.field(context).off));
  };

/** `dst = skb_shared_info(skb)`; the buffer's end is an offset from its head. */
export function sharedInfo(c: Conversion, dst: number, skb: number, add: (dst: number, src: number) => Insn): void {
  c.loadField(AX, skb, 'sk_buff.end');
  c.loadField(dst, skb, 'sk_buff.head');
  c.emit(add(dst, AX));
}

/** True of a store of an immediate. */
export const storesImm = (c: Conversion): boolean => insnClass(c.insn.code) === CLASS.ST;

/** Size bits of the access. */
export const accessSize = (c: Conversion): number => insnSize(c.insn.code);
