// Random programs for the interpreter: of type syscall, always accepted, and leaving all that they computed in their
// context. The same number gives the same program, so that captured answers of the kernel need not hold the program.
import { type Insn, insn, LDIMM64 } from '../../isa/insn.ts';
import { ALU, ATOMIC, CLASS, JMP, MODE, PSEUDO, SIZE, SRC } from '../../isa/opcode.ts';
import { BINARY, COMPARE, READ_MODIFY_WRITE } from '../../isa/operations.ts';
import {
  aluImm,
  aluReg,
  callFunction,
  exit,
  load,
  loadImm64,
  movReg,
  negate,
  store,
  storeImm,
} from '../rewrite/build.ts';
import { randomSource64 } from './random.ts';

/** Registers that hold numbers; r6 is the context, r8 the value of the map. */
const NUMBERS = [0, 1, 2, 3, 4, 5, 7, 9];
const CONTEXT = 6;
const VALUE = 8;
const FP = 10;
/** Words of random input at the start of the context, one for each number register and stack word. */
const STACK_WORDS = 8;
const VALUE_WORDS = 8;
export const MAP_VALUE_BYTES = VALUE_WORDS * 8;
const INPUT_WORDS = NUMBERS.length + STACK_WORDS;
/** Bytes of the context: input, then what is left in registers, stack and map. */
export const CONTEXT_BYTES = (INPUT_WORDS + NUMBERS.length + STACK_WORDS + VALUE_WORDS) * 8;

const SIZES = [SIZE.B, SIZE.H, SIZE.W, SIZE.DW];

export interface TestProgram {
  insns: Insn[];
  context: Uint8Array;
  mapValue: Uint8Array;
}

/** Instructions that belong together; a jump skips so many units. */
interface Unit {
  insns: Insn[];
  skips?: number;
}

class Builder {
  private readonly next: () => bigint;

  /** Every other program works on small numbers, where comparisons are often undecided. */
  private readonly small: boolean;

  constructor(seed: number) {
    this.next = randomSource64(BigInt(seed) * 1000003n).next;
    this.small = seed % 2 === 1;
  }

  below(n: number): number {
    return Number(this.next() % BigInt(n));
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }

  /** 64 bits, often near a border. */
  word(): bigint {
    const any = this.next();
    if (this.small && this.below(5) > 0) return BigInt.asUintN(64, BigInt(this.below(24) - 8));
    switch (this.below(6)) {
      case 0:
        return any;
      case 1:
        return BigInt.asUintN(64, (1n << (any & 63n)) + BigInt(this.below(5) - 2));
      case 2:
        return any & 0xffffffffn;
      case 3:
        return BigInt.asUintN(64, BigInt.asIntN(32, any));
      case 4:
        return BigInt.asUintN(64, BigInt(this.below(40) - 20));
      default:
        return BigInt.asUintN(64, BigInt.asIntN(64, any) >> BigInt(this.below(64)));
    }
  }

  imm(): number {
    return Number(BigInt.asIntN(32, this.word()));
  }

  bytes(words: number): Uint8Array {
    const out = new Uint8Array(words * 8);
    const view = new DataView(out.buffer);
    for (let i = 0; i < words; i++) view.setBigUint64(i * 8, this.word(), true);
    return out;
  }

  number(): number {
    return this.pick(NUMBERS);
  }

  private alu(): Insn {
    const op = this.pick(BINARY);
    const wide = this.below(2) === 0;
    const kind = wide ? CLASS.ALU64 : CLASS.ALU;
    // A mask now and then, so that ranges are known.
    if (this.small && this.below(4) === 0) return aluImm(ALU.AND, this.number(), 15);
    const divides = op === ALU.DIV || op === ALU.MOD;
    const shifts = op === ALU.LSH || op === ALU.RSH || op === ALU.ARSH;
    if (this.below(2) === 0) {
      let imm = this.imm();
      if (shifts) imm = this.below(wide ? 64 : 32);
      if (divides && imm === 0) imm = 3;
      return insn(kind | op | SRC.K, this.number(), 0, divides ? this.below(2) : 0, imm);
    }
    let off = divides ? this.below(2) : 0;
    if (op === ALU.MOV && this.below(2) === 0) off = this.pick(wide ? [8, 16, 32] : [8, 16]);
    return insn(kind | op | SRC.X, this.number(), this.number(), off);
  }

  private unary(): Insn {
    switch (this.below(4)) {
      case 0:
        return negate(this.number(), this.pick([32, 64]));
      case 1:
        return insn(CLASS.ALU64 | ALU.END, this.number(), 0, 0, this.pick([16, 32, 64]));
      default:
        return insn(CLASS.ALU | ALU.END | this.pick([SRC.K, SRC.X]), this.number(), 0, 0, this.pick([16, 32, 64]));
    }
  }

  /** Base register and offset of an aligned place in the stack or the map. */
  private place(size: number): [number, number] {
    const bytes = [4, 2, 1, 8][size >> 3];
    const at = this.below((STACK_WORDS * 8) / bytes) * bytes;
    return this.below(2) === 0 ? [FP, at - STACK_WORDS * 8] : [VALUE, at];
  }

  private memory(): Insn {
    const size = this.pick(SIZES);
    const [base, off] = this.place(size);
    switch (this.below(5)) {
      case 0:
        return store(size, base, this.number(), off);
      case 1:
        return storeImm(size, base, off, this.imm());
      case 2:
        return insn(CLASS.LDX | MODE.MEMSX | (size === SIZE.DW ? SIZE.B : size), this.number(), base, off);
      default:
        return load(size, this.number(), base, off);
    }
  }

  private atomic(): Insn {
    const orders = this.below(4) === 0;
    const size = orders ? this.pick(SIZES) : this.pick([SIZE.W, SIZE.DW]);
    const [base, off] = this.place(size);
    const code = CLASS.STX | MODE.ATOMIC | size;
    if (!orders) return insn(code, base, this.number(), off, this.pick(READ_MODIFY_WRITE));
    if (this.below(2) === 0) return insn(code, this.number(), base, off, ATOMIC.LOAD_ACQ);
    return insn(code, base, this.number(), off, ATOMIC.STORE_REL);
  }

  private jump(): Unit {
    const kind = this.pick([CLASS.JMP, CLASS.JMP32]);
    const op = this.pick(COMPARE);
    const skips = 1 + this.below(5);
    if (this.below(3) === 0) return { insns: [insn(kind | op | SRC.X, this.number(), this.number())], skips };
    return { insns: [insn(kind | op | SRC.K, this.number(), 0, 0, this.imm())], skips };
  }

  /** A loop of a few rounds, ended by its counter or by may_goto's; the counter is r9. */
  private loop(): Unit {
    const rounds = 1 + this.below(6);
    const body = Array.from({ length: 1 + this.below(3) }, () => this.alu()).filter(({ dst }) => dst !== 9);
    const back = -(body.length + 2);
    return {
      insns: [
        aluImm(ALU.MOV, 9, rounds),
        ...body,
        aluImm(ALU.SUB, 9, 1),
        insn(CLASS.JMP | JMP.JNE | SRC.K, 9, 0, back, 0),
      ],
    };
  }

  /** Calls function `target` (an absolute number, patched later) and gives r1 to r5 new values. */
  private call(): Unit {
    return {
      insns: [
        callFunction(0),
        ...[1, 2, 3, 4, 5].map((r) => (this.below(2) === 0 ? movReg(r, 0) : movReg(r, this.pick([7, 9])))),
      ],
    };
  }

  private unit(mayCall: boolean): Unit {
    switch (this.below(12)) {
      case 0:
      case 1:
        return { insns: [this.memory()] };
      case 2:
        return { insns: [this.atomic()] };
      case 3:
        return { insns: [this.unary()] };
      case 4:
        return this.jump();
      case 5:
        return this.below(3) === 0 ? this.loop() : { insns: [this.memory()] };
      case 6:
        if (mayCall && this.below(2) === 0) return this.call();
        return { insns: [...loadImm64(this.number(), this.word())] };
      default:
        return { insns: [this.alu()] };
    }
  }

  /** A body of so many units with its jumps resolved. */
  body(count: number, mayCall: boolean): Insn[] {
    const units = Array.from({ length: count }, () => this.unit(mayCall));
    const lengths = units.map((u) => u.insns.length);
    units.forEach((u, i) => {
      if (u.skips === undefined) return;
      u.insns[0].off = lengths.slice(i + 1, i + 1 + u.skips).reduce((a, b) => a + b, 0);
    });
    return units.flatMap((u) => u.insns);
  }
}

/** `value` of the map number `fd`. */
const mapValue = (dst: number, fd: number): Insn[] => [insn(LDIMM64, dst, PSEUDO.MAP_VALUE, 0, fd), insn(0)];

const word = (i: number): number => i * 8;

/** A function with a frame of its own that works on r1 to r5 and gives r0. */
function callee(b: Builder, fd: number): Insn[] {
  return [
    ...mapValue(VALUE, fd),
    movReg(0, 1),
    aluImm(ALU.MOV, 7, b.imm()),
    movReg(9, 3),
    ...Array.from({ length: STACK_WORDS }, (_, i) =>
      store(SIZE.DW, FP, [1, 2, 3, 4, 5][i % 5], word(i) - STACK_WORDS * 8),
    ),
    ...b.body(12, false),
    load(SIZE.DW, 1, FP, -8),
    aluReg(ALU.XOR, 0, 1),
    exit(),
  ];
}

/** Program `seed`, whose only map has the descriptor `fd`: an array of one value of MAP_VALUE_BYTES. */
export function testProgram(seed: number, fd: number): TestProgram {
  const b = new Builder(seed);
  const main = [
    movReg(CONTEXT, 1),
    ...mapValue(VALUE, fd),
    ...Array.from({ length: STACK_WORDS }, (_, i) => [
      load(SIZE.DW, 0, CONTEXT, word(NUMBERS.length + i)),
      store(SIZE.DW, FP, 0, word(i) - STACK_WORDS * 8),
    ]).flat(),
    ...NUMBERS.map((r, i) => load(SIZE.DW, r, CONTEXT, word(i))),
    ...b.body(30 + b.below(30), true),
    ...NUMBERS.map((r, i) => store(SIZE.DW, CONTEXT, r, word(INPUT_WORDS + i))),
    ...Array.from({ length: STACK_WORDS }, (_, i) => [
      load(SIZE.DW, 1, FP, word(i) - STACK_WORDS * 8),
      store(SIZE.DW, CONTEXT, 1, word(INPUT_WORDS + NUMBERS.length + i)),
    ]).flat(),
    ...Array.from({ length: VALUE_WORDS }, (_, i) => [
      load(SIZE.DW, 1, VALUE, word(i)),
      store(SIZE.DW, CONTEXT, 1, word(INPUT_WORDS + NUMBERS.length + STACK_WORDS + i)),
    ]).flat(),
    exit(),
  ];
  const calls = main.flatMap((x, i) => (x.code === (CLASS.JMP | JMP.CALL) ? [i] : []));
  const insns = [...main];
  for (const i of calls) {
    main[i].imm = insns.length - i - 1;
    insns.push(...callee(b, fd));
  }
  const context = new Uint8Array(CONTEXT_BYTES);
  context.set(b.bytes(INPUT_WORDS));
  return { insns, context, mapValue: b.bytes(VALUE_WORDS) };
}
