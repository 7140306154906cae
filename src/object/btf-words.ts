// Small helpers over an object's BTF that several steps share.
import { Btf } from '../btf/btf.ts';

/** Kinds as libbpf writes them; the index is the number. */
const WORDS: readonly string[] = [
  'void',
  'int',
  'ptr',
  'array',
  'struct',
  'union',
  'enum',
  'fwd',
  'typedef',
  'volatile',
  'const',
  'restrict',
  'func',
  'func_proto',
  'var',
  'datasec',
  'float',
  'decl_tag',
  'type_tag',
  'enum64',
];

/** "struct", "func_proto" … of a type. */
export const kindWord = (btf: Pick<Btf, 'kind'>, id: number): string => WORDS[btf.kind(id)] ?? 'unknown';

/** Opens the BTF of an object, whose pointers are of 8 bytes; throws BtfError. */
export const parseObjectBtf = (bytes: Uint8Array): Btf => Btf.parse(bytes, undefined, { pointerSize: 8 });
