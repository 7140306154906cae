// Runs a case and tells what it left behind, in the form in which the kernel's answer is kept.
import { PSEUDO } from '../../../isa/opcode.ts';
import { MAP_TYPE } from '../../../isa/uapi.ts';
import { loadImage } from '../../image/load.ts';
import type { Packet } from '../contexts/packet.ts';
import { SkbContext } from '../contexts/skb.ts';
import { XdpContext } from '../contexts/xdp.ts';
import { HELPER_TABLES } from '../helpers/index.ts';
import { type Code, Machine } from '../machine.ts';
import { RunArray } from '../maps/array.ts';
import { RunHolder } from '../maps/holders.ts';
import { addMap } from '../maps/index.ts';
import { paperMap } from '../paper-map.ts';
import { prepare } from '../program.ts';
import type { RunMap } from '../run-map.ts';
import type { RunAnswer, RunCase } from './case.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');

/** Types whose elements are compared; those of others are not values. */
const WITH_VALUES: ReadonlySet<string> = new Set(['array', 'hash', 'lpm_trie', 'percpu_array', 'percpu_hash']);
export const hasValues = (type: string): boolean => WITH_VALUES.has(type);

function makeMaps(m: Machine, theCase: RunCase): RunMap[] {
  return (theCase.maps ?? []).map((spec, i) => {
    const { type, key, value, max } = spec;
    const made = addMap(m, paperMap(i + 1, { type: MAP_TYPE[type], keySize: key, valueSize: value, maxEntries: max }));
    for (const [k, v] of spec.elements ?? []) made.update(bytes(k), bytes(v), 0n, 0);
    return made;
  });
}

/** Keys and values as the program's CPU sees them, sorted by key. */
function elementsOf(m: Machine, map: RunMap): [string, string][] {
  return [...map.elements(m.cpu)]
    .map(({ key, address }): [string, string] => [hex(key), hex(m.memory.bytesAt(address, map.map.valueSize))])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function contextOf(m: Machine, theCase: RunCase): { address: bigint; packet?: Packet } {
  const data = bytes(theCase.data ?? '');
  const image = loadImage();
  if (theCase.type === 'xdp') {
    const { region, packet } = new XdpContext(m, image, data);
    return { address: region.base, packet };
  }
  if (theCase.type === 'syscall') return { address: m.memory.add({ bytes: bytes(theCase.context ?? '') }).base };
  const { region, packet } = new SkbContext(m, image, data, { linkLayer: theCase.type === 'sched_cls' });
  return { address: region.base, packet };
}

function codeOf(theCase: RunCase, maps: readonly RunMap[]): Code {
  return prepare({
    name: theCase.name,
    insns: theCase.insns,
    helpers: HELPER_TABLES,
    immediate: (_, { src, imm }) => {
      const map = maps[imm - 1];
      if (src === PSEUDO.MAP_FD) return map.map.address;
      return src === PSEUDO.MAP_VALUE && map instanceof RunArray ? map.values.base : undefined;
    },
  });
}

/** Their packets come back without the link header, which they do not see. */
export const NO_LINK_LAYER: ReadonlySet<string> = new Set(['socket_filter', 'cgroup_skb']);

export function answerCase(theCase: RunCase): RunAnswer {
  const m = new Machine();
  const maps = makeMaps(m, theCase);
  const code = codeOf(theCase, maps);
  for (const slot of theCase.ownSlots ?? []) {
    if (maps[0] instanceof RunHolder) maps[0].set(Uint8Array.of(slot, 0, 0, 0), code);
  }
  const { address, packet } = contextOf(m, theCase);
  const retval = Number(m.run(code, address) & 0xffffffffn);
  return {
    retval,
    ...(packet === undefined || NO_LINK_LAYER.has(theCase.type) ? {} : { data: hex(packet.withMeta) }),
    ...(theCase.context === undefined ? {} : { context: hex(m.memory.bytesAt(address, theCase.context.length / 2)) }),
    ...(theCase.maps === undefined
      ? {}
      : { maps: theCase.maps.map((spec, i) => (hasValues(spec.type) ? elementsOf(m, maps[i]) : [])) }),
  };
}
