// struct_ops maps: variables of the sections .struct_ops and .struct_ops.link, whose function pointers name programs.
import type { Btf } from '../btf/btf.ts';
import { BTF_KIND } from '../btf/kinds.ts';
import { SHN } from '../elf/constants.ts';
import type { ElfReloc, ElfSection } from '../elf/elf.ts';
import { INSN_BYTES } from '../isa/insn.ts';
import { MAP_TYPE, PROG_TYPE } from '../isa/uapi.ts';
import { type ObjectFile, symbolName } from './elf-collect.ts';
import { LIBBPF_ERRNO, ObjectError } from './errors.ts';
import { emptyMap, MAP_FLAG } from './maps.ts';
import { findProgram } from './prog-relocs.ts';
import type { MapSpec, ProgramSpec } from './spec.ts';

/** Adds a map for each variable; throws ObjectError. Rule: libbpf 1.8. */
export function structOpsMaps(file: ObjectFile, btf: Btf, maps: MapSpec[]): void {
  for (const section of file.elf.sections) {
    if (file.roles[section.index] === 'struct_ops') sectionMaps(file, btf, maps, section);
  }
}

function sectionMaps(file: ObjectFile, btf: Btf, maps: MapSpec[], section: ElfSection): void {
  const { messages } = file;
  const refuse: (text: string, errno?: 'EINVAL' | 'EOPNOTSUPP') => never = (text, errno = 'EINVAL') => {
    messages.warn(`struct_ops init: ${text}`);
    throw new ObjectError(errno);
  };
  const datasec = btf.find(section.name, BTF_KIND.DATASEC);
  if (datasec === 0) refuse(`DATASEC ${section.name} not found`);
  for (let i = 0; i < btf.vlen(datasec); i++) {
    const variable = btf.secType(datasec, i);
    const offset = btf.secOffset(datasec, i);
    let typeId = variable;
    if (btf.kind(typeId) === BTF_KIND.VAR) typeId = btf.type(typeId);
    typeId = btf.skipModsAndTypedefs(typeId);
    if (btf.kind(typeId) === BTF_KIND.UNKN || btf.kind(typeId) === BTF_KIND.FWD) {
      refuse(`Cannot resolve var type_id ${variable} in DATASEC ${section.name}`);
    }
    const typeName = btf.name(typeId);
    if (typeName === '') refuse('anonymous type is not supported', 'EOPNOTSUPP');
    if (btf.kind(typeId) !== BTF_KIND.STRUCT) refuse(`${typeName} is not a struct`);
    const size = btf.size(typeId);
    const optional = section.name.startsWith('?');
    const map = emptyMap('struct_ops', btf.name(variable), section.index);
    map.section = optional ? section.name.slice(1) : section.name;
    map.sectionOffset = offset;
    map.btfValueTypeId = typeId;
    map.autocreate = !optional;
    map.type = MAP_TYPE.struct_ops;
    map.keySize = 4;
    map.valueSize = size;
    map.maxEntries = 1;
    map.flags = map.section === '.struct_ops.link' ? MAP_FLAG.LINK : 0;
    maps.push(map);
    if (offset + size > section.data.length) {
      refuse(`var ${btf.name(variable)} is beyond the end of DATASEC ${section.name}`);
    }
    map.structOps = {
      typeId,
      data: section.data.slice(offset, offset + size),
      programs: new Array(btf.vlen(typeId)).fill(undefined),
    };
    messages.debug(
      () => `struct_ops init: struct ${typeName}(type_id=${typeId}) ${map.name} found at offset ${offset}`,
    );
  }
}

/** Connects function pointers with programs; throws ObjectError. */
export function structOpsRelocs(
  file: ObjectFile,
  btf: Btf,
  maps: readonly MapSpec[],
  programs: readonly ProgramSpec[],
  target: number,
  relocs: readonly ElfReloc[],
): void {
  const { messages } = file;
  const refuse: (text: string, errno?: number | 'EINVAL') => never = (text, errno = 'EINVAL') => {
    messages.warn(`struct_ops reloc${text}`);
    throw new ObjectError(errno);
  };
  for (const reloc of relocs) {
    const symbol = file.symbols[reloc.symbol];
    if (!symbol) refuse(`: symbol ${reloc.symbol.toString(16)} not found`, LIBBPF_ERRNO.FORMAT);
    const at = Number(reloc.offset);
    const map = maps.find(
      (m) => m.structOps && m.sectionIndex === target && m.sectionOffset <= at && at - m.sectionOffset < m.valueSize,
    );
    if (!map?.structOps) refuse(`: cannot find map at rel->r_offset ${reloc.offset}`);
    const { structOps } = map;
    const offset = at - map.sectionOffset;
    messages.debug(
      () =>
        `struct_ops reloc ${map.name}: for ${reloc.symbol} value ${symbol.value} shdr_idx ${symbol.section} ` +
        `rel->r_offset ${at} map->sec_offset ${map.sectionOffset} name ${symbol.nameOffset} ('${symbolName(file, symbol) ?? '<?>'}')`,
    );
    if (symbol.section >= SHN.LORESERVE) {
      refuse(
        ` ${map.name}: rel->r_offset ${at} shdr_idx ${symbol.section} unsupported non-static function`,
        LIBBPF_ERRNO.RELOC,
      );
    }
    if (symbol.value % BigInt(INSN_BYTES)) {
      refuse(` ${map.name}: invalid target program offset ${symbol.value}`, LIBBPF_ERRNO.FORMAT);
    }
    const member = memberAt(btf, structOps.typeId, offset * 8);
    if (member < 0) refuse(` ${map.name}: cannot find member at moff ${offset}`);
    const memberName = btf.memberName(structOps.typeId, member);
    if (!isFunctionPointer(btf, btf.memberType(structOps.typeId, member))) {
      refuse(` ${map.name}: cannot relocate non func ptr ${memberName}`);
    }
    const index = findProgram(programs, symbol.section, Number(symbol.value) / INSN_BYTES);
    if (index < 0) {
      refuse(` ${map.name}: cannot find prog at shdr_idx ${symbol.section} to relocate func ptr ${memberName}`);
    }
    if (programs[index].type !== PROG_TYPE.struct_ops) {
      refuse(` ${map.name}: prog ${programs[index].name} is not struct_ops BPF program`);
    }
    structOps.programs[member] = index;
  }
}

function memberAt(btf: Btf, struct: number, bitOffset: number): number {
  for (let i = 0; i < btf.vlen(struct); i++) if (btf.memberBitOffset(struct, i) === bitOffset) return i;
  return -1;
}

function isFunctionPointer(btf: Btf, typeId: number): boolean {
  const pointer = btf.skipModsAndTypedefs(typeId);
  if (btf.kind(pointer) !== BTF_KIND.PTR) return false;
  return btf.kind(btf.skipModsAndTypedefs(btf.type(pointer))) === BTF_KIND.FUNC_PROTO;
}
