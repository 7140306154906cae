// Names of register types and of what stack slots hold, as the log prints them. Rule: log.c, 6.18.
import type { Btf } from '../../btf/btf.ts';
import { baseType, DYNPTR, FLAG, ITER_STATE, mayBeNull, REG } from './types.ts';

const BASE_NAMES: Readonly<Record<number, string>> = {
  [REG.NOT_INIT]: '?',
  [REG.SCALAR]: 'scalar',
  [REG.CTX]: 'ctx',
  [REG.CONST_MAP_PTR]: 'map_ptr',
  [REG.MAP_VALUE]: 'map_value',
  [REG.MAP_KEY]: 'map_key',
  [REG.STACK]: 'fp',
  [REG.PACKET_META]: 'pkt_meta',
  [REG.PACKET]: 'pkt',
  [REG.PACKET_END]: 'pkt_end',
  [REG.FLOW_KEYS]: 'flow_keys',
  [REG.SOCKET]: 'sock',
  [REG.SOCK_COMMON]: 'sock_common',
  [REG.TCP_SOCK]: 'tcp_sock',
  [REG.TP_BUFFER]: 'tp_buffer',
  [REG.XDP_SOCK]: 'xdp_sock',
  [REG.BTF_ID]: 'ptr_',
  [REG.MEM]: 'mem',
  [REG.ARENA]: 'arena',
  [REG.BUF]: 'buf',
  [REG.FUNC]: 'func',
  [REG.CONST_DYNPTR]: 'dynptr_ptr',
};

/** In the order in which they are put before the name. */
const PREFIXES: readonly (readonly [number, string])[] = [
  [FLAG.RDONLY, 'rdonly_'],
  [FLAG.RINGBUF, 'ringbuf_'],
  [FLAG.USER, 'user_'],
  [FLAG.PERCPU, 'percpu_'],
  [FLAG.RCU, 'rcu_'],
  [FLAG.UNTRUSTED, 'untrusted_'],
  [FLAG.TRUSTED, 'trusted_'],
];

const made = new Map<number, string>();

/** "map_value_or_null", "trusted_ptr_" (the struct's name follows), "scalar". */
export function regTypeStr(type: number): string {
  let name = made.get(type);
  if (name === undefined) {
    const prefix = PREFIXES.filter(([flag]) => (type & flag) !== 0).map(([, text]) => text);
    const orNull = baseType(type) === REG.BTF_ID ? 'or_null_' : '_or_null';
    name = `${prefix.join('')}${BASE_NAMES[baseType(type)]}${mayBeNull(type) ? orNull : ''}`;
    made.set(type, name);
  }
  return name;
}

const DYNPTR_NAMES: Readonly<Record<number, string>> = {
  [DYNPTR.INVALID]: '<invalid>',
  [DYNPTR.LOCAL]: 'local',
  [DYNPTR.RINGBUF]: 'ringbuf',
  [DYNPTR.SKB]: 'skb',
  [DYNPTR.XDP]: 'xdp',
  [DYNPTR.SKB_META]: 'skb_meta',
};

export const dynptrTypeStr = (type: number): string => DYNPTR_NAMES[type] ?? '<unknown>';

const ITER_PREFIX = 'bpf_iter_';

/** "num" of `struct bpf_iter_num`. */
export const iterTypeStr = (btf: Btf | undefined, btfId: number): string =>
  btf === undefined || btfId === 0 ? '<invalid>' : btf.name(btfId).slice(ITER_PREFIX.length);

const ITER_STATES: Readonly<Record<number, string>> = {
  [ITER_STATE.INVALID]: '<invalid>',
  [ITER_STATE.ACTIVE]: 'active',
  [ITER_STATE.DRAINED]: 'drained',
};

export const iterStateStr = (state: number): string => ITER_STATES[state] ?? '<unknown>';
