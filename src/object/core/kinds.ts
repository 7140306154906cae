// Kinds of CO-RE relocations (`enum bpf_core_relo_kind`).

export const CORE = {
  FIELD_BYTE_OFFSET: 0,
  FIELD_BYTE_SIZE: 1,
  FIELD_EXISTS: 2,
  FIELD_SIGNED: 3,
  FIELD_LSHIFT_U64: 4,
  FIELD_RSHIFT_U64: 5,
  TYPE_ID_LOCAL: 6,
  TYPE_ID_TARGET: 7,
  TYPE_EXISTS: 8,
  TYPE_SIZE: 9,
  ENUMVAL_EXISTS: 10,
  ENUMVAL_VALUE: 11,
  TYPE_MATCHES: 12,
} as const;

/** Words in messages; the index is the number. */
const WORDS: readonly string[] = [
  'byte_off',
  'byte_sz',
  'field_exists',
  'signed',
  'lshift_u64',
  'rshift_u64',
  'local_type_id',
  'target_type_id',
  'type_exists',
  'type_size',
  'enumval_exists',
  'enumval_value',
  'type_matches',
];

export const coreWord = (kind: number): string => WORDS[kind] ?? 'unknown';

export const isFieldRelo = (kind: number): boolean => kind <= CORE.FIELD_RSHIFT_U64;
export const isTypeRelo = (kind: number): boolean =>
  (kind >= CORE.TYPE_ID_LOCAL && kind <= CORE.TYPE_SIZE) || kind === CORE.TYPE_MATCHES;
export const isEnumRelo = (kind: number): boolean => kind === CORE.ENUMVAL_EXISTS || kind === CORE.ENUMVAL_VALUE;
