// Writes a loader program: a BPF program of type syscall that makes the maps and loads the programs of one object.
import { ERRNO } from '../../errno.ts';
import { ATTR, COMMAND } from '../../isa/bpf-attr.ts';
import { JMP } from '../../isa/opcode.ts';
import { HELPER, MAP_TYPE } from '../../isa/uapi.ts';
import type { InfoRecords, MapCreateAttr, ProgLoadAttr } from '../../syscall.ts';
import { errstr } from '../errors.ts';
import type { Messages } from '../print.ts';
import { Blob, type Failure } from './blob.ts';
import { LoaderCode, R0, RESULT, STACK_BTF_FD, STACK_INNER_MAP_FD, stackProgFd } from './code.ts';
import { Fields } from './fields.ts';
import { findByNameKind, KernelSymbols, type LoaderParts, type SymbolReference } from './kernel-symbols.ts';
import {
  ATTR_BYTES,
  CORE_RELO_BYTES,
  LOADER_CTX,
  MAP_DESC,
  MAX_KFUNC_BTFS,
  MAX_MAPS,
  PROG_DESC,
  SKEL_KERNEL,
} from './layouts.ts';

const MAX_TARGET = 127;
/** More than any object has, and little enough to write down. */
const MAX_CONTENTS = 1 << 26;

/** A part of the data: offset and size in bytes. */
export type Place = readonly [at: number, size: number];

/** A finished loader program. */
export interface Loader {
  /** Initial value of its map. */
  data: Uint8Array;
  /** Instructions in wire form. */
  insns: Uint8Array;
  /** Where the object's BTF lies in the data. */
  btfAt: Place | undefined;
  /** Where the contents of maps lie, by the map's index. */
  contentsAt: ReadonlyMap<number, Place>;
}

/** What goes with a program besides the attributes of its load. */
export interface ProgramExtras {
  /** Index among all functions of the object. */
  index: number;
  references: readonly SymbolReference[];
  coreRelos: Uint8Array;
}

const mapDescAt = (map: number): number => LOADER_CTX.bytes + MAP_DESC.bytes * map;

export class LoaderProgram implements LoaderParts {
  readonly failure: Failure = { errno: 0 };
  readonly blob = new Blob(this.failure);
  readonly code = new LoaderCode(this.failure);
  readonly messages: Messages;
  readonly fdArray: number;
  private readonly symbols: KernelSymbols;
  private readonly signed: boolean;
  private btfAt: Place | undefined;
  private readonly contentsAt = new Map<number, Place>();
  private maps = 0;
  private programs = 0;
  private attachTarget: { name: string; kind: number } | undefined;

  /**
   * `programs` and `maps` count all functions and maps of the object. Contents and sizes of a signed loader's maps
   * cannot be changed when it runs.
   */
  constructor(messages: Messages, programs: number, maps: number, signed = false) {
    this.messages = messages;
    this.signed = signed;
    this.fdArray = this.blob.add((MAX_MAPS + MAX_KFUNC_BTFS) * 4);
    this.symbols = new KernelSymbols(this);
    this.code.begin(programs, maps, (map) => this.fdAt(map));
  }

  private fdAt(index: number): number {
    return this.fdArray + index * 4;
  }

  /** Level, size and place of the log come from the context. */
  private passLog(attr: number, layout: { logLevel: number; logSize: number; logBuf: number }): void {
    this.code.contextToBlob(attr + layout.logLevel, 4, LOADER_CTX.logLevel);
    this.code.contextToBlob(attr + layout.logSize, 4, LOADER_CTX.logSize);
    this.code.contextToBlob(attr + layout.logBuf, 8, LOADER_CTX.logBuf);
  }

  loadBtf(bytes: Uint8Array): void {
    const { blob, code, messages } = this;
    const layout = ATTR.BTF_LOAD;
    const data = blob.add(bytes);
    this.btfAt = [data, bytes.length];
    const attr = blob.add(new Fields(ATTR_BYTES.BTF_LOAD).u32(layout.btfSize, bytes.length).bytes);
    messages.debug(
      () => `gen: load_btf: off ${data} size ${bytes.length}, attr: off ${attr} size ${ATTR_BYTES.BTF_LOAD}`,
    );
    this.passLog(attr, layout);
    code.storeAddress(attr + layout.btf, data);
    code.systemCall(COMMAND.BTF_LOAD, attr, ATTR_BYTES.BTF_LOAD);
    code.checkError();
    code.storeStack(STACK_BTF_FD, RESULT);
  }

  /** `index` is the map's place in the object, -1 for the template of a map in map; `name` may be longer than Linux takes. */
  createMap(request: MapCreateAttr, name: string, index: number): void {
    const { blob, code, messages } = this;
    const layout = ATTR.MAP_CREATE;
    const valueType = request.btfValueTypeId ?? 0;
    const fields = new Fields(ATTR_BYTES.MAP_CREATE)
      .u32(layout.mapType, request.type)
      .u32(layout.keySize, request.keySize)
      .u32(layout.valueSize, request.valueSize)
      .u32(layout.maxEntries, request.maxEntries)
      .u32(layout.mapFlags, request.flags)
      .u32(layout.numaNode, request.numaNode)
      .name(layout.mapName, name)
      .u32(layout.mapIfindex, request.ifindex)
      .u32(layout.btfKeyTypeId, request.btfKeyTypeId)
      .u32(layout.btfValueTypeId, valueType)
      .u64(layout.mapExtra, request.mapExtra);
    const attr = blob.add(fields.bytes);
    messages.debug(
      () =>
        `gen: map_create: ${name} idx ${index} type ${request.type} value_type_id ${valueType}, ` +
        `attr: off ${attr} size ${ATTR_BYTES.MAP_CREATE}`,
    );
    if (valueType) code.stackToBlob(attr + layout.btfFd, STACK_BTF_FD);
    const outer = request.type === MAP_TYPE.array_of_maps || request.type === MAP_TYPE.hash_of_maps;
    if (outer) code.stackToBlob(attr + layout.innerMapFd, STACK_INNER_MAP_FD);
    if (index >= 0 && !this.signed) {
      code.contextToBlob(attr + layout.maxEntries, 4, mapDescAt(index) + MAP_DESC.maxEntries, true);
    }
    code.systemCall(COMMAND.MAP_CREATE, attr, ATTR_BYTES.MAP_CREATE);
    code.checkError();
    if (index < 0) {
      code.storeStack(STACK_INNER_MAP_FD, RESULT);
    } else if (index !== this.maps) {
      this.failure.errno = ERRNO.EFAULT;
      return;
    } else {
      code.address(1, this.fdAt(this.addMap()));
      code.store(4, 1, 0, RESULT);
    }
    if (outer) code.closeStack(STACK_INNER_MAP_FD);
  }

  private addMap(): number {
    if (this.maps === MAX_MAPS) {
      this.messages.warn(`Total maps exceeds ${MAX_MAPS}`);
      this.failure.errno = ERRNO.E2BIG;
      return 0;
    }
    return this.maps++;
  }

  /** Element 0 of a map, zero behind `contents`; the context may bring other contents along. */
  fillMap(map: number, size: number, contents: Uint8Array = new Uint8Array()): void {
    const { blob, code, messages } = this;
    if (size > MAX_CONTENTS) {
      messages.warn(`map #${map}: ${size} bytes of contents are too many for a loader program`);
      this.failure.errno = ERRNO.ENOMEM;
      return;
    }
    const bytes = new Uint8Array(size);
    bytes.set(contents.subarray(0, size));
    const value = blob.add(bytes);
    this.contentsAt.set(map, [value, size]);
    const key = blob.add(4);
    if (!this.signed) {
      code.loadContext(8, 3, mapDescAt(map) + MAP_DESC.initialValue);
      code.jumpIf(JMP.JEQ, 3, 0, 8);
      code.address(1, value);
      code.set(2, size);
      code.loadContext(4, R0, LOADER_CTX.flags);
      code.jumpIf(JMP.JSET, R0, SKEL_KERNEL, 2);
      code.call(HELPER.copy_from_user);
      code.jump(1);
      code.call(HELPER.probe_read_kernel);
    }
    const attr = blob.add(ATTR_BYTES.MAP_UPDATE_ELEM);
    messages.debug(
      () =>
        `gen: map_update_elem: idx ${map}, value: off ${value} size ${size}, attr: off ${attr} size ${ATTR_BYTES.MAP_UPDATE_ELEM}`,
    );
    this.update(attr, map, key, value);
  }

  private update(attr: number, map: number, key: number, value: number): void {
    const { code } = this;
    const layout = ATTR.ELEMENT;
    code.blobToBlob(attr + layout.mapFd, 4, this.fdAt(map));
    code.storeAddress(attr + layout.key, key);
    code.storeAddress(attr + layout.value, value);
    code.systemCall(COMMAND.MAP_UPDATE_ELEM, attr, ATTR_BYTES.MAP_UPDATE_ELEM);
    code.checkError();
  }

  /** Puts a map in a slot of a map in map. */
  fillSlot(outer: number, slot: number, inner: number): void {
    const key = this.blob.add(new Fields(4).u32(0, slot).bytes);
    const attr = this.blob.add(ATTR_BYTES.MAP_UPDATE_ELEM);
    this.messages.debug(
      () =>
        `gen: populate_outer_map: outer ${outer} key ${slot} inner ${inner}, attr: off ${attr} size ${ATTR_BYTES.MAP_UPDATE_ELEM}`,
    );
    this.update(attr, outer, key, this.fdAt(inner));
  }

  freezeMap(map: number): void {
    const { code } = this;
    const layout = ATTR.ELEMENT;
    const attr = this.blob.add(ATTR_BYTES.MAP_FREEZE);
    this.messages.debug(() => `gen: map_freeze: idx ${map}, attr: off ${attr} size ${ATTR_BYTES.MAP_FREEZE}`);
    code.blobToBlob(attr + layout.mapFd, 4, this.fdAt(map));
    code.systemCall(COMMAND.MAP_FREEZE, attr, ATTR_BYTES.MAP_FREEZE);
    code.checkError();
  }

  /** The next program attaches to a kernel type; the loader will find its id. */
  attachTo(name: string, kind: number): void {
    this.attachTarget = { name, kind };
    if (Buffer.byteLength(name) > MAX_TARGET) this.failure.errno = ERRNO.ENOSPC;
  }

  loadProgram(request: ProgLoadAttr, extras: ProgramExtras): void {
    const { blob, code, messages } = this;
    const layout = ATTR.PROG_LOAD;
    const license = blob.addString(request.license);
    const insns = blob.add(request.insns);
    const count = request.insns.length / 8;
    messages.debug(
      () =>
        `gen: prog_load: prog_idx ${extras.index} type ${request.type} insn off ${insns} insns_cnt ${count} ` +
        `license off ${license}`,
    );
    const info = (what: string, records: InfoRecords | undefined): [number, number, number] => {
      const size = records?.recSize ?? 0;
      const at = blob.add(records?.bytes ?? 0);
      const rows = size ? (records?.bytes.length ?? 0) / size : 0;
      messages.debug(() => `gen: prog_load: ${what}: off ${at} cnt ${rows} rec size ${size}`);
      return [at, rows, size];
    };
    const [funcInfo, funcInfoCnt, funcInfoRecSize] = info('func_info', request.funcInfo);
    const [lineInfo, lineInfoCnt, lineInfoRecSize] = info('line_info', request.lineInfo);
    const [coreRelos, coreReloCnt] = info('core_relos', { recSize: CORE_RELO_BYTES, bytes: extras.coreRelos });
    const fields = new Fields(ATTR_BYTES.PROG_LOAD)
      .u32(layout.progType, request.type)
      .u32(layout.insnCnt, count)
      .u32(layout.progFlags, request.flags)
      .name(layout.progName, request.name ?? '')
      .u32(layout.progIfindex, request.ifindex)
      .u32(layout.expectedAttachType, request.expectedAttachType)
      .u32(layout.funcInfoRecSize, funcInfoRecSize)
      .u32(layout.funcInfoCnt, funcInfoCnt)
      .u32(layout.lineInfoRecSize, lineInfoRecSize)
      .u32(layout.lineInfoCnt, lineInfoCnt)
      .u32(layout.attachBtfId, request.attachBtfId)
      .u32(layout.coreReloCnt, coreReloCnt)
      .u32(layout.coreReloRecSize, CORE_RELO_BYTES);
    const attr = blob.add(fields.bytes);
    messages.debug(() => `gen: prog_load: attr: off ${attr} size ${ATTR_BYTES.PROG_LOAD}`);
    code.storeAddress(attr + layout.license, license);
    code.storeAddress(attr + layout.insns, insns);
    code.storeAddress(attr + layout.funcInfo, funcInfo);
    code.storeAddress(attr + layout.lineInfo, lineInfo);
    code.storeAddress(attr + layout.coreRelos, coreRelos);
    code.storeAddress(attr + layout.fdArray, this.fdArray);
    this.passLog(attr, layout);
    code.stackToBlob(attr + layout.progBtfFd, STACK_BTF_FD);
    if (this.attachTarget) this.findAttachTarget(attr, this.attachTarget);
    this.symbols.relocate(extras.references, insns);
    code.systemCall(COMMAND.PROG_LOAD, attr, ATTR_BYTES.PROG_LOAD);
    this.symbols.close();
    if (this.attachTarget) code.closeBlob(attr + layout.attachBtfObjFd);
    this.attachTarget = undefined;
    code.checkError();
    code.storeStack(stackProgFd(this.programs++), RESULT);
  }

  private findAttachTarget(attr: number, { name, kind }: { name: string; kind: number }): void {
    const { code } = this;
    const layout = ATTR.PROG_LOAD;
    this.messages.debug(() => `gen: find_attach_tgt ${name} ${kind}`);
    findByNameKind(this, name, kind);
    code.checkError();
    code.address(R0, attr);
    code.store(4, R0, layout.attachBtfId, RESULT);
    code.shiftRight(RESULT, 32);
    code.store(4, R0, layout.attachBtfObjFd, RESULT);
  }

  /** Writes the end: what was made goes into the context. Gives a positive errno, or the program. */
  finish(programs: number, maps: number): Loader | number {
    const { code, failure, messages } = this;
    if (programs < this.programs || maps !== this.maps) {
      messages.warn(`nr_progs ${programs}/${this.programs} nr_maps ${maps}/${this.maps} mismatch`);
      failure.errno = ERRNO.EFAULT;
      return failure.errno;
    }
    code.closeStack(STACK_BTF_FD);
    for (let i = 0; i < this.programs; i++) {
      code.stackToContext(mapDescAt(this.maps) + PROG_DESC.bytes * i + PROG_DESC.progFd, stackProgFd(i));
    }
    for (let i = 0; i < this.maps; i++) code.blobToContext(mapDescAt(i) + MAP_DESC.mapFd, 4, this.fdAt(i));
    code.set(R0, 0);
    code.exit();
    messages.debug(() => `gen: finish ${failure.errno ? errstr(failure.errno) : 0}`);
    const { btfAt, contentsAt } = this;
    return failure.errno || { data: this.blob.bytes(), insns: code.encoded(), btfAt, contentsAt };
  }
}
