// Maps are made, or found where they are pinned, and filled.
import { SysError } from '../errno.ts';
import { MAP_TYPE } from '../isa/uapi.ts';
import type { MapCreateAttr, MapInfo } from '../syscall.ts';
import { errstr, ObjectError } from './errors.ts';
import { errnoOf } from './kernel-btf.ts';
import { isInternal, type LoadState, type MapState, mapState } from './load-state.ts';
import { isMapInMap } from './map-def.ts';
import { MAP_FLAG } from './maps.ts';
import { pinMap } from './pin.ts';

const NAME_LENGTH = 15;
const EEXIST = 17;
const ENOENT = 2;
/** The first descriptor that is shown where there is no kernel yet. */
const FIRST_PLACEHOLDER_FD = 4;
const ZERO_KEY = new Uint8Array(4);

/** Types whose maps take no BTF for key and value. Rule: libbpf 1.8. */
const WITHOUT_BTF: ReadonlySet<number> = new Set([
  MAP_TYPE.perf_event_array,
  MAP_TYPE.cgroup_array,
  MAP_TYPE.stack_trace,
  MAP_TYPE.array_of_maps,
  MAP_TYPE.hash_of_maps,
  MAP_TYPE.devmap,
  MAP_TYPE.devmap_hash,
  MAP_TYPE.cpumap,
  MAP_TYPE.xskmap,
  MAP_TYPE.sockmap,
  MAP_TYPE.sockhash,
  MAP_TYPE.queue,
  MAP_TYPE.stack,
  MAP_TYPE.arena,
]);

const u32Bytes = (value: number): Uint8Array => new Uint8Array(Uint32Array.of(value).buffer);

/** Makes all maps in order; throws ObjectError when one cannot be made. Rule: libbpf 1.8. */
export function createMaps(state: LoadState): void {
  for (const map of state.maps) {
    try {
      createOne(state, map);
    } catch (error) {
      const errno = errnoOf(error);
      state.messages.warn(`map '${map.name}': failed to create: ${errstr(errno)}`);
      throw new ObjectError(errno);
    }
  }
}

function createOne(state: LoadState, map: MapState): void {
  const { messages, features } = state;
  if (isInternal(map.spec) && !features.supports('GLOBAL_DATA')) map.autocreate = false;
  if (!map.autocreate) {
    messages.debug(() => `map '${map.name}': skipped auto-creating...`);
    return;
  }
  setDefaultSize(state, map);
  for (let retried = false; ; retried = true) {
    const path = map.spec.pinPath;
    if (path !== undefined) {
      try {
        reusePinned(state, map, path);
      } catch (error) {
        messages.warn(`map '${map.name}': error reusing pinned map`);
        throw error;
      }
      if (retried && map.fd < 0) {
        messages.warn(`map '${map.name}': cannot find pinned map`);
        throw new ObjectError('ENOENT');
      }
    }
    if (map.reused) messages.debug(() => `map '${map.name}': skipping creation (preset fd=${map.fd})`);
    else if (map.fd < 0) make(state, map);
    if (path === undefined || map.pinned) return;
    try {
      pinMap(state.kernel, messages, map.fd, path);
      map.pinned = true;
      return;
    } catch (error) {
      const errno = errnoOf(error);
      if (!retried && errno === EEXIST) {
        // Somebody else was faster: that map is as good.
        state.kernel.close(map.fd);
        map.fd = -1;
        continue;
      }
      messages.warn(`map '${map.name}': failed to auto-pin at '${path}': ${errstr(errno)}`);
      throw error;
    }
  }
}

/** Perf event arrays without a size get one entry for each CPU. */
function setDefaultSize(state: LoadState, map: MapState): void {
  if (map.type !== MAP_TYPE.perf_event_array || map.maxEntries) return;
  map.maxEntries = state.kernel.possibleCpus;
  state.messages.debug(() => `map '${map.name}': setting size to ${map.maxEntries}`);
}

function make(state: LoadState, map: MapState): void {
  const { messages } = state;
  map.fd = createMap(state, map, state.maps.indexOf(map));
  messages.debug(() => `map '${map.name}': created successfully, fd=${map.fd}`);
  if (isInternal(map.spec)) populate(state, map);
  if (map.spec.slots.length && map.type !== MAP_TYPE.prog_array) fillSlots(state, map);
}

/** BPF_MAP_CREATE; inner maps are made for their shape only. */
function createMap(state: LoadState, map: MapState, index: number): number {
  const { kernel, messages, features, btfFd } = state;
  const attr: MapCreateAttr = {
    type: map.type,
    keySize: map.keySize,
    valueSize: map.valueSize,
    maxEntries: map.maxEntries,
    flags: map.flags,
    numaNode: map.spec.numaNode,
    mapExtra: map.mapExtra,
    ifindex: map.spec.ifindex,
    name: features.supports('PROG_NAME') ? map.name.slice(0, NAME_LENGTH) : '',
  };
  if (map.spec.kind === 'struct_ops') {
    attr.btfVmlinuxValueTypeId = map.vmlinuxValueTypeId;
    if (map.moduleBtfFd >= 0) {
      attr.valueTypeBtfObjFd = map.moduleBtfFd;
      attr.flags = map.flags | MAP_FLAG.VTYPE_BTF_OBJ_FD;
    }
  }
  if (btfFd >= 0) {
    attr.btfFd = btfFd;
    attr.btfKeyTypeId = map.btfKeyTypeId;
    attr.btfValueTypeId = map.btfValueTypeId;
  }
  let inner = -1;
  if (isMapInMap(map.type) && map.spec.inner) {
    const template = mapState(map.spec.inner);
    try {
      setDefaultSize(state, template);
      inner = createMap(state, template, -1);
    } catch (error) {
      messages.warn(`map '${map.name}': failed to create inner map: ${errstr(errnoOf(error))}`);
      throw error;
    }
    attr.innerMapFd = inner;
  }
  const forgetBtf = (): void => {
    attr.btfFd = 0;
    attr.btfKeyTypeId = 0;
    attr.btfValueTypeId = 0;
    map.btfKeyTypeId = 0;
    map.btfValueTypeId = 0;
  };
  if (WITHOUT_BTF.has(map.type)) forgetBtf();
  else if (map.spec.kind === 'struct_ops') attr.btfValueTypeId = 0;
  if (state.loader) {
    state.loader.createMap(attr, map.name, index);
    return placeholderFd(state, index);
  }
  try {
    return kernel.mapCreate(attr);
  } catch (error) {
    if (!attr.btfKeyTypeId && !attr.btfValueTypeId) throw error;
    messages.warn(`Error in bpf_create_map_xattr(${map.name}): ${errstr(errnoOf(error))}. Retrying without BTF.`);
    forgetBtf();
    return kernel.mapCreate(attr);
  } finally {
    if (inner >= 0) kernel.close(inner);
  }
}

/** Templates of maps in maps have one too, after the map's own. */
const placeholderFd = (state: LoadState, index: number): number =>
  FIRST_PLACEHOLDER_FD + index + state.maps.slice(0, index).filter((m) => m.spec.inner).length;

function contentsOf(map: MapState): Uint8Array {
  if (map.valueSize > MAX_CONTENTS) throw new SysError('ENOMEM');
  const value = new Uint8Array(map.valueSize);
  value.set((map.value ?? new Uint8Array()).subarray(0, map.valueSize));
  return value;
}

/** Bytes of the largest data section; an object that claims more is taken for damaged. */
const MAX_CONTENTS = 1 << 28;

/** Writes the contents of a data section, and freezes what programs may not write. */
function populate(state: LoadState, map: MapState): void {
  const { kernel, loader, messages } = state;
  const readOnly = map.spec.kind === 'rodata' || map.spec.kind === 'kconfig';
  if (loader) {
    const index = state.maps.indexOf(map);
    loader.fillMap(index, map.valueSize, map.value);
    if (readOnly) loader.freezeMap(index);
    return;
  }
  const attempt = (what: string, run: () => void): void => {
    try {
      run();
    } catch (error) {
      messages.warn(`map '${map.name}': failed to ${what}: ${errstr(errnoOf(error))}`);
      throw error;
    }
  };
  attempt('set initial contents', () => {
    kernel.mapUpdate(map.fd, ZERO_KEY, contentsOf(map));
  });
  if (readOnly) {
    attempt('freeze as read-only', () => kernel.mapFreeze(map.fd));
  }
}

function fillSlots(state: LoadState, map: MapState): void {
  map.spec.slots.forEach((target, i) => {
    if (target === undefined) return;
    const { name, fd } = state.maps[target];
    state.loader?.fillSlot(state.maps.indexOf(map), i, target);
    setSlot(state, map, i, 'map', name, fd);
  });
}

/** Slots of program arrays, once the programs are loaded. Throws ObjectError. */
export function fillProgramArrays(state: LoadState): void {
  for (const map of state.maps) {
    if (map.type !== MAP_TYPE.prog_array || map.fd < 0) continue;
    if (state.loader && map.spec.slots.length) throw new ObjectError('EOPNOTSUPP');
    map.spec.slots.forEach((target, i) => {
      if (target === undefined) return;
      const program = state.programs[target];
      setSlot(state, map, i, 'prog', program.spec.name, program.fd);
    });
  }
}

function setSlot(state: LoadState, map: MapState, index: number, what: string, name: string, fd: number): void {
  try {
    if (!state.loader) state.kernel.mapUpdate(map.fd, u32Bytes(index), u32Bytes(fd));
  } catch (error) {
    const errno = errnoOf(error);
    state.messages.warn(
      `map '${map.name}': failed to initialize slot [${index}] to ${what} '${name}' fd=${fd}: ${errstr(errno)}`,
    );
    throw new ObjectError(errno);
  }
  state.messages.debug(() => `map '${map.name}': slot [${index}] set to ${what} '${name}' fd=${fd}`);
}

/** True when a pinned map is what the object asks for. */
function sameShape(map: MapState, info: MapInfo): boolean {
  const isDevmap = map.type === MAP_TYPE.devmap || map.type === MAP_TYPE.devmap_hash;
  const flags = isDevmap ? info.flags & ~MAP_FLAG.RDONLY_PROG : info.flags;
  return (
    info.type === map.type &&
    info.keySize === map.keySize &&
    info.valueSize === map.valueSize &&
    info.maxEntries === map.maxEntries &&
    flags === map.flags &&
    info.mapExtra === map.mapExtra
  );
}

function reusePinned(state: LoadState, map: MapState, path: string): void {
  const { kernel, messages } = state;
  let fd: number;
  try {
    fd = kernel.objGet(path).fd;
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === ENOENT) {
      messages.debug(() => `found no pinned map to reuse at '${path}'`);
      return;
    }
    messages.warn(`couldn't retrieve pinned map '${path}': ${errstr(errno)}`);
    throw error;
  }
  let info: MapInfo | undefined;
  try {
    info = kernel.mapInfo(fd);
  } catch (error) {
    messages.warn(`failed to get map info for map FD ${fd}: ${errstr(errnoOf(error))}`);
  }
  if (!info || !sameShape(map, info)) {
    messages.warn(`couldn't reuse pinned map at '${path}': parameter mismatch`);
    kernel.close(fd);
    throw new ObjectError('EINVAL');
  }
  adopt(map, fd, info);
  map.pinned = true;
  messages.debug(() => `reused pinned map at '${path}'`);
}

/** Takes an existing map in place of a new one: its shape counts from now on. */
export function adopt(map: MapState, fd: number, info: MapInfo): void {
  map.fd = fd;
  map.reused = true;
  const cut = info.name.length === NAME_LENGTH && map.name.startsWith(info.name);
  if (!cut) map.name = info.name;
  map.type = info.type;
  map.keySize = info.keySize;
  map.valueSize = info.valueSize;
  map.maxEntries = info.maxEntries;
  map.flags = info.flags;
  map.mapExtra = info.mapExtra;
  map.btfKeyTypeId = info.btfKeyTypeId;
  map.btfValueTypeId = info.btfValueTypeId;
}
