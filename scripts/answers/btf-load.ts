// BPF_BTF_LOAD of good and of broken BTF: the errno and what the log says.
import { createHash } from 'node:crypto';
import { BTF_KIND } from '../../src/btf/btf.ts';
import { BtfBuilder } from '../../src/btf/encode.ts';
import type { Kernel, LogRequest } from '../../src/syscall.ts';
import { type Random, randomSource } from '../random.ts';
import { type Answer, ask } from './answer.ts';

const LOG_BYTES = 1 << 16;
/** Values that words are replaced by. */
const ODD = [
  0, 1, 2, 3, 5, 7, 8, 9, 16, 31, 64, 0xff, 0x100, 0xffff, 0x10000, 0x100000, 0x1000000, 0x80000000, 0xffffffff,
];

/** One type of every kind, and several ways to refer to them. */
function everyKind(): BtfBuilder {
  const b = new BtfBuilder();
  const int = b.addInt('int', 4, 1);
  const char = b.addInt('char', 1, 1);
  const long = b.addInt('long', 8);
  const wide = b.addInt('__int128', 16, 1);
  const bit = b.addInt('bit', 4, 0, 3, 2);
  const pointer = b.addPtr(int);
  const array = b.addArray(char, int, 16);
  const matrix = b.addArray(array, long, 3);
  const float = b.addFloat('float', 4);
  const double = b.addFloat('long double', 16);
  const e32 = b.addEnum('e', 4, [
    { name: 'A', value: -1n },
    { name: 'B', value: 5n },
  ]);
  const e64 = b.addEnum64('e64', 8, [
    { name: 'C', value: 1n },
    { name: 'D', value: 0xffffffff00000000n },
  ]);
  const union = b.addUnion('u', 16, [
    { name: 'wide', type: wide, bitOffset: 0 },
    { name: 'float', type: double, bitOffset: 0 },
  ]);
  const typedef = b.addTypedef('int_t', b.addRef(BTF_KIND.CONST, b.addRef(BTF_KIND.VOLATILE, int)));
  const restricted = b.addRef(BTF_KIND.RESTRICT, b.addPtr(b.addTypeTag('tag', b.addRef(BTF_KIND.CONST, 0))));
  const list = b.nextId;
  b.addStruct('list', 16, [
    { name: 'next', type: list + 1, bitOffset: 0 },
    { name: 'data', type: pointer, bitOffset: 64 },
  ]);
  b.addPtr(list);
  const plain = b.addStruct('plain', 104, [
    { name: 'typedef', type: typedef, bitOffset: 0 },
    { name: 'e', type: e32, bitOffset: 32 },
    { name: 'e64', type: e64, bitOffset: 64 },
    { name: 'matrix', type: matrix, bitOffset: 128 },
    { name: 'union', type: union, bitOffset: 512 },
    { name: '', type: restricted, bitOffset: 640 },
    { name: 'float', type: float, bitOffset: 704 },
    { name: 'bit', type: bit, bitOffset: 736 },
    { name: 'list', type: list + 1, bitOffset: 768 },
  ]);
  b.addStruct('fields', 8, [
    { name: 'a', type: int, bitOffset: 0, bitSize: 3 },
    { name: 'b', type: e32, bitOffset: 3, bitSize: 7 },
    { name: 'c', type: typedef, bitOffset: 32 },
  ]);
  b.addFwd('nowhere');
  b.addFwd('somewhere', true);
  const none = b.addFuncProto(0, []);
  const proto = b.addFuncProto(int, [
    { name: 'a', type: int },
    { name: 'p', type: b.nextId + 1 },
    { name: '', type: 0 },
  ]);
  b.addRef(BTF_KIND.CONST, list + 1);
  const func = b.addFunc('function', 1, proto);
  b.addFunc('nothing', 0, none);
  const variable = b.addVar('variable', 1, int);
  const second = b.addVar('second.1', 0, plain);
  b.addDatasec('.data', 120, [
    { type: variable, offset: 0, size: 4 },
    { type: second, offset: 8, size: 104 },
  ]);
  b.addDeclTag('whole', func);
  b.addDeclTag('argument', func, 1);
  b.addDeclTag('member', plain, 3);
  b.addDeclTag('typedef', typedef);
  b.addDeclTag('variable', variable);
  return b;
}

function load(kernel: Kernel, bytes: Uint8Array, level = 1): number | string {
  const log: LogRequest = { level, size: level === 0 ? 0 : LOG_BYTES };
  const result = ask(() => void kernel.close(kernel.btfLoad({ bytes, log })));
  const text = log.text ?? '';
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return `${result} ${log.trueSize} ${digest} ${text.slice(text.lastIndexOf('\n', text.length - 2) + 1).trim()}`;
}

const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Copies with a few words changed, at a place chosen by chance. */
export function mutate(bytes: Uint8Array, random: Random): { bytes: Uint8Array; what: string } {
  const copy = Uint8Array.from(bytes);
  const words = Math.floor(copy.length / 4);
  const changes: string[] = [];
  for (let n = 1 + random.below(2); n > 0; n--) {
    const at = random.below(words) * 4;
    const odd = random.below(3);
    const old = view(copy).getUint32(at, true);
    const byte = random.below(4);
    const value =
      odd === 0 ? ODD[random.below(ODD.length)] : odd === 1 ? old ^ (1 << random.below(32)) : old + random.below(9) - 4;
    if (random.below(4) === 0) copy[at + byte] = random.below(256);
    else view(copy).setUint32(at, value >>> 0, true);
    changes.push(`${at}=${view(copy).getUint32(at, true).toString(16)}`);
  }
  return { bytes: copy, what: changes.join(' ') };
}

function* headers(kernel: Kernel, good: Uint8Array): Generator<Answer> {
  for (let length = 0; length <= 40; length++) {
    yield { what: `first ${length} bytes`, answer: load(kernel, good.subarray(0, length)) };
  }
  for (const cut of [1, 2, 3, 4, 100]) {
    yield { what: `without the last ${cut}`, answer: load(kernel, good.subarray(0, good.length - cut)) };
  }
  const longer = new Uint8Array(good.length + 4);
  longer.set(good);
  yield { what: 'four bytes more', answer: load(kernel, longer) };
  for (let at = 0; at < 32; at += 4) {
    const old = view(good).getUint32(at, true);
    for (const value of [...ODD, old - 1, old + 1, old + 4, old - 4]) {
      const copy = Uint8Array.from(good);
      view(copy).setUint32(at, value >>> 0, true);
      yield { what: `header word ${at} = ${value >>> 0}`, answer: load(kernel, copy) };
    }
  }
  for (let at = 0; at < 4; at++) {
    const copy = Uint8Array.from(good);
    copy[at] ^= 1;
    yield { what: `header byte ${at}`, answer: load(kernel, copy) };
  }
}

/** Chains and rings of references. */
function* chains(kernel: Kernel): Generator<Answer> {
  for (const length of [10, 30, 31, 32, 33, 40]) {
    for (const kind of ['CONST', 'PTR', 'TYPEDEF'] as const) {
      const b = new BtfBuilder();
      const end = b.nextId + length;
      for (let i = 1; i <= length; i++) {
        if (kind === 'TYPEDEF') b.addTypedef(`t${i}`, b.nextId + 1);
        else b.addRef(BTF_KIND[kind], b.nextId + 1);
      }
      if (b.nextId === end) b.addInt('int', 4, 1);
      yield { what: `${length} ${kind}`, answer: load(kernel, b.bytes()) };
    }
    const nested = new BtfBuilder();
    for (let i = 0; i < length; i++) {
      nested.addStruct(`s${i}`, 4, [{ name: 'm', type: nested.nextId + 1, bitOffset: 0 }]);
    }
    nested.addInt('int', 4);
    yield { what: `${length} nested structs`, answer: load(kernel, nested.bytes()) };
  }
  const rings: Record<string, (b: BtfBuilder) => void> = {
    'a pointer to itself': (b) => b.addPtr(1),
    'a typedef of itself': (b) => b.addTypedef('t', 1),
    'a struct in itself': (b) => b.addStruct('s', 4, [{ name: 'm', type: 1, bitOffset: 0 }]),
    'an array of itself': (b) => b.addArray(1, b.addInt('int', 4), 2),
    'pointer and constant': (b) => b.addRef(BTF_KIND.CONST, b.addPtr(2)),
    'pointer, constant, struct': (b) => {
      b.addStruct('s', 8, [{ name: 'm', type: 2, bitOffset: 0 }]);
      b.addRef(BTF_KIND.CONST, 3);
      b.addPtr(2);
    },
    'a prototype that returns itself': (b) => b.addFuncProto(1, []),
    'tags in order': (b) => b.addPtr(b.addTypeTag('a', b.addTypeTag('b', b.addRef(BTF_KIND.CONST, b.addInt('i', 4))))),
    'tags out of order': (b) => b.addPtr(b.addRef(BTF_KIND.CONST, b.addTypeTag('a', b.addInt('i', 4)))),
  };
  for (const [what, make] of Object.entries(rings)) {
    const b = new BtfBuilder();
    make(b);
    yield { what, answer: load(kernel, b.bytes()) };
  }
}

export function* askBtfLoad(kernel: Kernel): Generator<Answer> {
  const good = everyKind().bytes();
  for (const level of [0, 1, 2, 3, 4]) yield { what: `level ${level}`, answer: load(kernel, good, level) };
  for (const size of [10, 100, 5000]) {
    const log: LogRequest = { level: 1, size };
    const answer = ask(() => void kernel.close(kernel.btfLoad({ bytes: good, log })));
    yield { what: `log of ${size}`, answer: `${answer} ${log.trueSize} ${(log.text ?? '').slice(-40)}` };
  }
  yield* headers(kernel, good);
  yield* chains(kernel);
  const random = randomSource(5);
  for (let n = 0; n < 1500; n++) {
    const { bytes, what } = mutate(good, random);
    yield { what: `${n}: ${what}`, answer: load(kernel, bytes) };
  }
}

export { everyKind, load };
