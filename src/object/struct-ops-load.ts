// struct_ops maps meet the kernel: its version of the struct, and where each program goes in it.

import type { Btf } from '../btf/btf.ts';
import { BTF_KIND } from '../btf/kinds.ts';
import { PROG_TYPE } from '../isa/uapi.ts';
import { ObjectError } from './errors.ts';
import { essentialName } from './essential-name.ts';
import type { LoadState, MapState } from './load-state.ts';

const PREFIX = 'bpf_struct_ops_';

/** Lays out the values of all struct_ops maps that are to be made. Throws ObjectError. Rule: libbpf 1.8. */
export function initStructOps(state: LoadState): void {
  for (const map of state.maps) if (map.spec.structOps && map.autocreate) initMap(state, map);
}

/** A program is loaded when one of the maps that name it is made. */
export function adjustAutoload(state: LoadState): void {
  state.programs.forEach((program, index) => {
    if (program.spec.type !== PROG_TYPE.struct_ops) return;
    const users = state.maps.filter((m) => m.spec.structOps?.programs.includes(index));
    if (users.length) program.autoload = users.some((m) => m.autocreate);
  });
}

interface KernelTypes {
  btf: Btf;
  struct: number;
  value: number;
  /** Byte offset of the struct in the value. */
  dataOffset: number;
}

function kernelTypes(state: LoadState, map: MapState, name: string): KernelTypes {
  const { messages, kernelBtf } = state;
  const refuse: (text: string, errno: 'ESRCH' | 'ENOENT' | 'EINVAL') => never = (text, errno) => {
    messages.warn(`struct_ops init_kern: struct ${text}`);
    throw new ObjectError(errno);
  };
  const valueName = PREFIX + name;
  const found = kernelBtf.find(valueName, BTF_KIND.STRUCT);
  if (!found) return refuse(`${valueName} is not found in kernel BTF`, 'ESRCH');
  const { btf, id: value, module } = found;
  const struct = btf.find(name, BTF_KIND.STRUCT);
  if (!struct) refuse(`${name} is not found in kernel BTF`, 'ENOENT');
  map.moduleBtfFd = module ? module.fd : -1;
  for (let i = 0; i < btf.vlen(value); i++) {
    if (btf.memberType(value, i) !== struct) continue;
    return { btf, struct, value, dataOffset: Math.floor(btf.memberBitOffset(value, i) / 8) };
  }
  return refuse(`${name} data is not found in struct ${valueName}`, 'EINVAL');
}

function initMap(state: LoadState, map: MapState): void {
  const { messages } = state;
  const ops = map.spec.structOps;
  const local = state.spec.btf;
  if (!ops || !local) return;
  const kernel = kernelTypes(state, map, essentialName(local.name(ops.typeId)));
  messages.debug(
    () =>
      `struct_ops init_kern ${map.name}: type_id:${ops.typeId} kern_type_id:${kernel.struct} ` +
      `kern_vtype_id:${kernel.value}`,
  );
  map.valueSize = kernel.btf.size(kernel.value);
  map.vmlinuxValueTypeId = kernel.value;
  map.value = new Uint8Array(map.valueSize);
  for (let i = 0; i < local.vlen(ops.typeId); i++) initMember(state, map, local, kernel, i);
}

function initMember(state: LoadState, map: MapState, local: Btf, kernel: KernelTypes, i: number): void {
  const { messages } = state;
  const ops = map.spec.structOps;
  if (!ops || !map.value) return;
  const name = local.memberName(ops.typeId, i);
  const refuse: (text: string, errno?: 'EOPNOTSUPP' | 'EINVAL') => never = (text, errno = 'EOPNOTSUPP') => {
    messages.warn(`struct_ops init_kern ${map.name}${text}`);
    throw new ObjectError(errno);
  };
  const offset = Math.floor(local.memberBitOffset(ops.typeId, i) / 8);
  const size = local.resolveSize(local.memberType(ops.typeId, i));
  if (size < 0) refuse(`: failed to resolve the size of member ${name}`, 'EINVAL');
  const data = ops.data.subarray(offset, offset + size);
  const target = memberByName(kernel.btf, kernel.struct, name);
  if (target < 0) {
    if (ops.programs[i] !== undefined || data.some((byte) => byte !== 0)) {
      refuse(`: Cannot find member ${name} in kernel BTF`);
    }
    messages.info(`struct_ops ${map.name}: member ${name} not found in kernel, skipping it as it's set to zero`);
    return;
  }
  if (local.memberBitSize(ops.typeId, i) || kernel.btf.memberBitSize(kernel.struct, target)) {
    refuse(`: bitfield ${name} is not supported`);
  }
  const at = kernel.dataOffset + Math.floor(kernel.btf.memberBitOffset(kernel.struct, target) / 8);
  const type = local.skipModsAndTypedefs(local.memberType(ops.typeId, i));
  const kernelType = kernel.btf.skipModsAndTypedefs(kernel.btf.memberType(kernel.struct, target));
  if (local.kind(type) !== kernel.btf.kind(kernelType)) {
    refuse(`: Unmatched member type ${name} ${local.kind(type)} != ${kernel.btf.kind(kernelType)}(kernel)`);
  }
  if (local.kind(type) === BTF_KIND.PTR) {
    const index = ops.programs[i];
    if (index === undefined) {
      if (data.some((byte) => byte !== 0)) refuse(`: member ${name} is not a struct_ops program`);
      return;
    }
    const pointee = kernel.btf.skipModsAndTypedefs(kernel.btf.type(kernelType));
    if (kernel.btf.kind(pointee) !== BTF_KIND.FUNC_PROTO) {
      refuse(`: kernel member ${name} is not a func ptr`);
    }
    connect(state, map, kernel, name, index, target);
    map.structOps.push({ offset: at, program: index });
    messages.debug(
      () =>
        `struct_ops init_kern ${map.name}: func ptr ${name} is set to prog ${state.programs[index].spec.name} ` +
        `from data(+${offset}) to kern_data(+${at - kernel.dataOffset})`,
    );
    return;
  }
  const kernelSize = kernel.btf.resolveSize(kernelType);
  if (size !== kernelSize) {
    refuse(`: Error in size of member ${name}: ${size} != ${kernelSize}(kernel)`);
  }
  messages.debug(
    () =>
      `struct_ops init_kern ${map.name}: copy ${name} ${size} bytes from data(+${offset}) ` +
      `to kern_data(+${at - kernel.dataOffset})`,
  );
  map.value.set(data, at);
}

/** Tells a program which member of which struct it implements; it may implement one only. */
function connect(
  state: LoadState,
  map: MapState,
  kernel: KernelTypes,
  member: string,
  index: number,
  target: number,
): void {
  const program = state.programs[index];
  const { spec } = program;
  if (map.moduleBtfFd >= 0) program.attachBtfObjFd = map.moduleBtfFd;
  if (!program.attachBtfId) {
    program.attachBtfId = kernel.struct;
    program.expectedAttachType = target;
  }
  const refuse: (what: string) => never = (what) => {
    state.messages.warn(
      `struct_ops init_kern ${map.name} func ptr ${member}: invalid reuse of prog ${spec.name} in sec ` +
        `${spec.section} with type ${spec.type}: ${what}`,
    );
    throw new ObjectError('EINVAL');
  };
  if (program.attachBtfId !== kernel.struct) {
    refuse(`attach_btf_id ${program.attachBtfId} != kern_type_id ${kernel.struct}`);
  }
  if (program.expectedAttachType !== target) {
    refuse(`expected_attach_type ${program.expectedAttachType} != kern_member_idx ${target}`);
  }
}

function memberByName(btf: Btf, struct: number, name: string): number {
  for (let i = 0; i < btf.vlen(struct); i++) if (btf.memberName(struct, i) === name) return i;
  return -1;
}

/** Puts the descriptors of the loaded programs in the values, ready for the update that registers the struct. */
export function finishStructOps(state: LoadState): void {
  for (const map of state.maps) {
    if (!map.spec.structOps || !map.autocreate || !map.value) continue;
    const view = new DataView(map.value.buffer, map.value.byteOffset, map.value.byteLength);
    for (const { offset, program } of map.structOps) {
      view.setBigUint64(offset, BigInt(state.programs[program].fd), true);
    }
  }
}
