// Relocations of the section .maps: the initial slots of maps in maps and of program arrays.
import type { Btf } from '../btf/btf.ts';
import type { ElfReloc } from '../elf/elf.ts';
import { INSN_BYTES } from '../isa/insn.ts';
import { MAP_TYPE } from '../isa/uapi.ts';
import { type ObjectFile, symbolName } from './elf-collect.ts';
import { LIBBPF_ERRNO, ObjectError } from './errors.ts';
import { isMapInMap } from './map-def.ts';
import { datasecOf } from './maps.ts';
import type { MapSpec, ProgramSpec } from './spec.ts';

const POINTER_BYTES = 8;
/** More slots than any declaration has. */
const MAX_SLOTS = 1 << 20;

/** Fills the slots of the maps; throws ObjectError. Rule: libbpf 1.8. */
export function mapRelocs(
  file: ObjectFile,
  btf: Btf | undefined,
  maps: readonly MapSpec[],
  programs: readonly ProgramSpec[],
  relocs: readonly ElfReloc[],
): void {
  const { messages, mapsSection } = file;
  const datasec = btf ? datasecOf(btf, '.maps') : 0;
  if (!btf || datasec === 0) throw new ObjectError('EINVAL');
  relocs.forEach((entry, i) => {
    const refuse: (text: string, errno?: number | 'EINVAL' | 'ESRCH') => never = (text, errno = 'EINVAL') => {
      messages.warn(`.maps relo #${i}: ${text}`);
      throw new ObjectError(errno);
    };
    const symbol = file.symbols[entry.symbol];
    if (!symbol) refuse(`symbol ${entry.symbol.toString(16)} not found`, LIBBPF_ERRNO.FORMAT);
    const name = symbolName(file, symbol) ?? '<?>';
    const at = Number(entry.offset);
    messages.debug(
      () =>
        `.maps relo #${i}: for ${entry.symbol} value ${symbol.value} rel->r_offset ${at} ` +
        `name ${symbol.nameOffset} ('${name}')`,
    );
    const map = maps.find((m) => {
      if (m.kind !== 'user') return false;
      const start = btf.secOffset(datasec, m.variable);
      return start <= at && at + POINTER_BYTES <= start + btf.secSize(datasec, m.variable);
    });
    if (!map) refuse(`cannot find map '${name}' at rel->r_offset ${at}`);
    let target: number;
    if (isMapInMap(map.type)) {
      if (symbol.section !== mapsSection) refuse(`'${name}' isn't a BTF-defined map`, LIBBPF_ERRNO.RELOC);
      if (map.type === MAP_TYPE.hash_of_maps && map.keySize !== 4) {
        refuse(`hash-of-maps '${map.name}' should have key size 4.`);
      }
      target = maps.findIndex((m) => m.name === name);
      if (target < 0) refuse(`'${name}' isn't a valid map reference`, 'ESRCH');
    } else if (map.type === MAP_TYPE.prog_array) {
      target = programs.findIndex((p) => !p.subprogram && p.name === name);
      if (target < 0) refuse(`'${name}' isn't a valid program reference`, 'ESRCH');
      const program = programs[target];
      if (program.sectionIndex !== symbol.section || BigInt(program.start * INSN_BYTES) !== symbol.value) {
        refuse(`'${name}' isn't an entry-point program`, LIBBPF_ERRNO.RELOC);
      }
    } else {
      throw new ObjectError('EINVAL');
    }
    const struct = btf.skipModsAndTypedefs(btf.type(btf.secType(datasec, map.variable)));
    const last = btf.vlen(struct) - 1;
    if (last < 0 || btf.memberName(struct, last) !== 'values') throw new ObjectError('EINVAL');
    const start = btf.secOffset(datasec, map.variable) + Math.floor(btf.memberBitOffset(struct, last) / 8);
    const slot = (at - start) / POINTER_BYTES;
    if (slot < 0 || !Number.isInteger(slot) || slot > MAX_SLOTS) throw new ObjectError('EINVAL');
    while (map.slots.length <= slot) map.slots.push(undefined);
    map.slots[slot] = target;
    const what = map.type === MAP_TYPE.prog_array ? 'prog' : 'map';
    messages.debug(() => `.maps relo #${i}: map '${map.name}' slot [${slot}] points to ${what} '${name}'`);
  });
}
