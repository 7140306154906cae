// BPF_OBJ_GET_INFO_BY_FD of the running kernel: struct layouts as tables, and the replies built from them.
import type { BtfInfo, InfoRecords, MapInfo, ProgInfo } from '../syscall.ts';
import { Block, CMD, cString, type NativeCalls } from './bpf-call.ts';
import { fdInfo } from './fdinfo.ts';

/** Byte offsets in `struct bpf_prog_info`. */
const PROG = {
  type: 0,
  id: 4,
  tag: 8,
  jitedLen: 16,
  xlatedLen: 20,
  jited: 24,
  xlated: 32,
  loadTime: 40,
  createdByUid: 48,
  mapIdCount: 52,
  mapIds: 56,
  name: 64,
  ifindex: 80,
  gplCompatible: 84,
  netnsDev: 88,
  netnsIno: 96,
  ksymCount: 104,
  funcLenCount: 108,
  ksyms: 112,
  funcLens: 120,
  btfId: 128,
  funcInfoSize: 132,
  funcInfo: 136,
  funcInfoCount: 144,
  lineInfoCount: 148,
  lineInfo: 152,
  jitedLineInfo: 160,
  jitedLineInfoCount: 168,
  lineInfoSize: 172,
  jitedLineInfoSize: 176,
  tagCount: 180,
  tags: 184,
  runTimeNs: 192,
  runCnt: 200,
  recursionMisses: 208,
  verifiedInsns: 216,
  attachBtfObjId: 220,
  attachBtfId: 224,
  SIZE: 232,
} as const;

/** Byte offsets in `struct bpf_map_info`. */
const MAP = {
  type: 0,
  id: 4,
  keySize: 8,
  valueSize: 12,
  maxEntries: 16,
  flags: 20,
  name: 24,
  ifindex: 40,
  btfVmlinuxValueTypeId: 44,
  netnsDev: 48,
  netnsIno: 56,
  btfId: 64,
  btfKeyTypeId: 68,
  btfValueTypeId: 72,
  btfVmlinuxId: 76,
  mapExtra: 80,
  SIZE: 88,
} as const;

/** Byte offsets in `struct bpf_btf_info`. */
const BTF = { btf: 0, size: 8, id: 12, name: 16, nameLen: 24, kernel: 28, SIZE: 32 } as const;
const BTF_NAME_BYTES = 64;
/** BPF_OBJ_NAME_LEN. */
const NAME_BYTES = 16;

/** Fills `info` from the kernel. */
export function queryInfo(native: NativeCalls, fd: number, info: Block): void {
  const attr = new Block(native).setU32(0, fd).setU32(4, info.bytes.length).setPointer(8, info.bytes);
  native.bpf(CMD.OBJ_GET_INFO_BY_FD, attr.bytes);
}

const u32List = (bytes: Uint8Array): number[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(i * 4, true));
};

const u64List = (bytes: Uint8Array): bigint[] => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: bytes.length / 8 }, (_, i) => view.getBigUint64(i * 8, true));
};

/** Everything Linux tells of a program: a first call for the lengths, a second for the contents. */
export function progInfo(native: NativeCalls, fd: number): ProgInfo {
  const sizes = new Block(native, PROG.SIZE);
  queryInfo(native, fd, sizes);
  const info = new Block(native, PROG.SIZE);
  /** Offers a buffer of `count` records; the count field stands at `countAt`, the pointer at `pointerAt`. */
  const offer = (countAt: number, pointerAt: number, recordBytes: number): Uint8Array => {
    const count = sizes.u32(countAt);
    const buffer = new Uint8Array(count * recordBytes);
    info.setU32(countAt, count).setPointer(pointerAt, buffer);
    return buffer;
  };
  const funcInfoSize = sizes.u32(PROG.funcInfoSize);
  const lineInfoSize = sizes.u32(PROG.lineInfoSize);
  const jitedLineInfoSize = sizes.u32(PROG.jitedLineInfoSize);
  const jited = offer(PROG.jitedLen, PROG.jited, 1);
  const xlated = offer(PROG.xlatedLen, PROG.xlated, 1);
  const mapIds = offer(PROG.mapIdCount, PROG.mapIds, 4);
  const ksyms = offer(PROG.ksymCount, PROG.ksyms, 8);
  const funcLens = offer(PROG.funcLenCount, PROG.funcLens, 4);
  const funcInfo = offer(PROG.funcInfoCount, PROG.funcInfo, funcInfoSize);
  const lineInfo = offer(PROG.lineInfoCount, PROG.lineInfo, lineInfoSize);
  const jitedLineInfo = offer(PROG.jitedLineInfoCount, PROG.jitedLineInfo, jitedLineInfoSize);
  const tags = offer(PROG.tagCount, PROG.tags, 8);
  info
    .setU32(PROG.funcInfoSize, funcInfoSize)
    .setU32(PROG.lineInfoSize, lineInfoSize)
    .setU32(PROG.jitedLineInfoSize, jitedLineInfoSize);
  queryInfo(native, fd, info);
  const records = (recSize: number, bytes: Uint8Array): InfoRecords | undefined =>
    bytes.length > 0 ? { recSize, bytes } : undefined;
  return {
    type: info.u32(PROG.type),
    id: info.u32(PROG.id),
    tag: info.bytes.slice(PROG.tag, PROG.tag + 8),
    name: info.text(PROG.name, NAME_BYTES),
    loadTime: info.u64(PROG.loadTime),
    createdByUid: info.u32(PROG.createdByUid),
    gplCompatible: (info.u32(PROG.gplCompatible) & 1) === 1,
    mapIds: u32List(mapIds),
    ifindex: info.u32(PROG.ifindex),
    netnsDev: info.u64(PROG.netnsDev),
    netnsIno: info.u64(PROG.netnsIno),
    btfId: info.u32(PROG.btfId),
    attachBtfObjId: info.u32(PROG.attachBtfObjId),
    attachBtfId: info.u32(PROG.attachBtfId),
    verifiedInsns: info.u32(PROG.verifiedInsns),
    runTimeNs: info.u64(PROG.runTimeNs),
    runCnt: info.u64(PROG.runCnt),
    recursionMisses: info.u64(PROG.recursionMisses),
    xlated,
    jited,
    jitedKsyms: u64List(ksyms),
    jitedFuncLens: u32List(funcLens),
    progTags: Array.from({ length: tags.length / 8 }, (_, i) => tags.slice(i * 8, i * 8 + 8)),
    funcInfo: records(funcInfoSize, funcInfo),
    lineInfo: records(lineInfoSize, lineInfo),
    jitedLineInfo: u64List(jitedLineInfo),
    memlock: Number(fdInfo(fd).get('memlock') ?? 0),
  };
}

export function mapInfo(native: NativeCalls, fd: number): MapInfo {
  const info = new Block(native, MAP.SIZE);
  queryInfo(native, fd, info);
  const more = fdInfo(fd);
  const ownerType = more.get('owner_prog_type');
  const ownerJited = more.get('owner_jited');
  return {
    type: info.u32(MAP.type),
    id: info.u32(MAP.id),
    keySize: info.u32(MAP.keySize),
    valueSize: info.u32(MAP.valueSize),
    maxEntries: info.u32(MAP.maxEntries),
    flags: info.u32(MAP.flags),
    name: info.text(MAP.name, NAME_BYTES),
    ifindex: info.u32(MAP.ifindex),
    btfVmlinuxValueTypeId: info.u32(MAP.btfVmlinuxValueTypeId),
    netnsDev: info.u64(MAP.netnsDev),
    netnsIno: info.u64(MAP.netnsIno),
    btfId: info.u32(MAP.btfId),
    btfKeyTypeId: info.u32(MAP.btfKeyTypeId),
    btfValueTypeId: info.u32(MAP.btfValueTypeId),
    btfVmlinuxId: info.u32(MAP.btfVmlinuxId),
    mapExtra: info.u64(MAP.mapExtra),
    memlock: Number(more.get('memlock') ?? 0),
    frozen: more.get('frozen') === '1',
    ...(ownerType !== undefined && { ownerProgType: Number(ownerType) }),
    ...(ownerJited !== undefined && { ownerJited: ownerJited !== '0' }),
  };
}

export function btfInfo(native: NativeCalls, fd: number): BtfInfo {
  const sizes = new Block(native, BTF.SIZE);
  queryInfo(native, fd, sizes);
  const bytes = new Uint8Array(sizes.u32(BTF.size));
  const name = new Uint8Array(BTF_NAME_BYTES);
  const info = new Block(native, BTF.SIZE)
    .setPointer(BTF.btf, bytes)
    .setU32(BTF.size, bytes.length)
    .setPointer(BTF.name, name)
    .setU32(BTF.nameLen, name.length);
  queryInfo(native, fd, info);
  return {
    id: info.u32(BTF.id),
    name: cString(name),
    kernelBtf: info.u32(BTF.kernel) !== 0,
    size: info.u32(BTF.size),
    bytes,
  };
}
