// `struct bpf_link_info` of the running kernel: the fields of each link type as a table.
import type { LinkInfo } from '../syscall.ts';
import { Block, cString, type NativeCalls } from './bpf-call.ts';
import { queryInfo } from './info.ts';

const LINK_INFO_BYTES = 64;
const TEXT_BYTES = 4096;

/** How a field is stored; `text` is a pointer to a buffer whose length stands in the next 4 bytes but `lengthAt`. */
type Field = readonly [name: string, kind: 'u32' | 'i32' | 'u64', at: number];

interface Layout {
  fields: readonly Field[];
  /** A buffer that the caller offers: name of the field, offsets of the pointer and of its length. */
  text?: readonly [name: string, pointerAt: number, lengthAt: number];
}

/** By number of the link type (`enum bpf_link_type`). The union begins at byte 16. */
const LAYOUTS: Readonly<Record<number, Layout>> = {
  1: { fields: [['cookie', 'u64', 32]], text: ['tp_name', 16, 24] },
  2: {
    fields: [
      ['attach_type', 'u32', 16],
      ['target_obj_id', 'u32', 20],
      ['target_btf_id', 'u32', 24],
      ['cookie', 'u64', 32],
    ],
  },
  3: {
    fields: [
      ['cgroup_id', 'u64', 16],
      ['attach_type', 'u32', 24],
    ],
  },
  4: {
    fields: [
      ['map_id', 'u32', 28],
      ['cgroup_id', 'u64', 32],
      ['order', 'u32', 40],
      ['tid', 'u32', 32],
      ['pid', 'u32', 36],
    ],
    text: ['target_name', 16, 24],
  },
  5: {
    fields: [
      ['netns_ino', 'u32', 16],
      ['attach_type', 'u32', 20],
    ],
  },
  6: { fields: [['ifindex', 'u32', 16]] },
  8: {
    fields: [
      ['count', 'u32', 24],
      ['flags', 'u32', 28],
      ['missed', 'u64', 32],
    ],
  },
  9: { fields: [['map_id', 'u32', 16]] },
  10: {
    fields: [
      ['pf', 'u32', 16],
      ['hooknum', 'u32', 20],
      ['priority', 'i32', 24],
      ['flags', 'u32', 28],
    ],
  },
  11: {
    fields: [
      ['ifindex', 'u32', 16],
      ['attach_type', 'u32', 20],
    ],
  },
  12: {
    fields: [
      ['count', 'u32', 52],
      ['flags', 'u32', 56],
      ['pid', 'u32', 60],
    ],
    text: ['path', 16, 48],
  },
  13: {
    fields: [
      ['ifindex', 'u32', 16],
      ['attach_type', 'u32', 20],
    ],
  },
  14: {
    fields: [
      ['map_id', 'u32', 16],
      ['attach_type', 'u32', 20],
    ],
  },
};

const PERF_EVENT = 7;
/** By number of the perf event type (`enum bpf_perf_event_type`). */
const PERF_LAYOUTS: Readonly<Record<number, Layout>> = {
  1: {
    fields: [
      ['offset', 'u32', 36],
      ['cookie', 'u64', 40],
      ['ref_ctr_offset', 'u64', 48],
    ],
    text: ['file_name', 24, 32],
  },
  3: {
    fields: [
      ['offset', 'u32', 36],
      ['addr', 'u64', 40],
      ['missed', 'u64', 48],
      ['cookie', 'u64', 56],
    ],
    text: ['func_name', 24, 32],
  },
  5: { fields: [['cookie', 'u64', 40]], text: ['tp_name', 24, 32] },
  6: {
    fields: [
      ['config', 'u64', 24],
      ['event_type', 'u32', 32],
      ['cookie', 'u64', 40],
    ],
  },
};

/** Return probes have the layout of their entry probes. */
const perfLayout = (type: number): Layout | undefined => PERF_LAYOUTS[type === 2 || type === 4 ? type - 1 : type];

export function linkInfo(native: NativeCalls, fd: number): LinkInfo {
  const first = new Block(native, LINK_INFO_BYTES);
  queryInfo(native, fd, first);
  const type = first.u32(0);
  const detail: Record<string, string | number | bigint> = {};
  let layout = LAYOUTS[type];
  if (type === PERF_EVENT) {
    detail.type = first.u32(16);
    layout = perfLayout(first.u32(16)) ?? { fields: [] };
  }
  let info = first;
  if (layout?.text) {
    const [name, pointerAt, lengthAt] = layout.text;
    const text = new Uint8Array(TEXT_BYTES);
    info = new Block(native, LINK_INFO_BYTES).setPointer(pointerAt, text).setU32(lengthAt, text.length);
    if (type === PERF_EVENT) info.setU32(16, first.u32(16));
    queryInfo(native, fd, info);
    detail[name] = cString(text);
  }
  for (const [name, kind, at] of layout?.fields ?? []) {
    detail[name] = kind === 'u64' ? info.u64(at) : kind === 'i32' ? info.i32(at) : info.u32(at);
  }
  return { type, id: info.u32(4), progId: info.u32(8), detail };
}
