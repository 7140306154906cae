// Jump tables: maps of instruction numbers that indirect jumps go through. Linux 6.18 knows no such map yet.
import { INSN_BYTES } from '../isa/insn.ts';
import { ObjectError } from './errors.ts';
import { errnoOf } from './kernel-btf.ts';
import type { LoadState, ProgramState } from './load-state.ts';
import type { RelocSpec } from './spec.ts';

/** BPF_MAP_TYPE_INSN_ARRAY of later kernels, and the bytes of its values. */
const INSN_ARRAY = 34;
const VALUE_BYTES = 16;
const ENTRY_BYTES = 8;
const NAME = '.jumptables';

/** Descriptor of the table of a relocation, made at its first use. Throws ObjectError. Rule: libbpf 1.8. */
export function jumpTable(state: LoadState, program: ProgramState, reloc: RelocSpec, index: number): number {
  try {
    return makeTable(state, program, reloc);
  } catch (error) {
    const errno = errnoOf(error);
    state.messages.warn(
      `prog '${program.spec.name}': relo #${index}: can't create jump table: sym_off ${reloc.offset}`,
    );
    throw new ObjectError(errno);
  }
}

function makeTable(state: LoadState, program: ProgramState, reloc: RelocSpec): number {
  const { kernel, messages, jumpTables } = state;
  const known = jumpTables.find((t) => t.program === program && t.offset === reloc.offset);
  if (known) return known.fd;
  const refuse: (text: string) => never = (text) => {
    messages.warn(`map '${NAME}': ${text}`);
    throw new ObjectError('EINVAL');
  };
  if (reloc.offset % ENTRY_BYTES) {
    refuse(`jumptable start ${reloc.offset} should be multiple of ${ENTRY_BYTES}`);
  }
  if (reloc.size % ENTRY_BYTES) refuse(`jumptable size ${reloc.size} should be multiple of ${ENTRY_BYTES}`);
  const entries = reloc.size / ENTRY_BYTES;
  const fd = kernel.mapCreate({
    type: INSN_ARRAY,
    keySize: 4,
    valueSize: VALUE_BYTES,
    maxEntries: entries,
    name: state.features.supports('PROG_NAME') ? NAME : '',
  });
  try {
    const data = state.spec.jumpTables;
    if (!data) return refuse('ELF file is missing jump table data');
    if (reloc.offset + reloc.size > data.length) {
      refuse(`jumptables_data size is ${data.length}, trying to access ${reloc.offset + reloc.size}`);
    }
    const part = program.parts.findLast((p) => reloc.insn >= p.offset) ?? { start: program.spec.start, offset: 0 };
    const view = new DataView(data.buffer, data.byteOffset + reloc.offset, reloc.size);
    for (let i = 0; i < entries; i++) {
      const target = view.getBigUint64(i * ENTRY_BYTES, true) / BigInt(INSN_BYTES);
      const insn = BigInt.asUintN(64, target - BigInt(part.start) + BigInt(part.offset));
      if (insn > 0xffffffffn) {
        const at = reloc.offset + i * ENTRY_BYTES;
        refuse(`invalid jump table value 0x${(target * BigInt(INSN_BYTES)).toString(16)} at offset ${at}`);
      }
      const value = new Uint8Array(VALUE_BYTES);
      new DataView(value.buffer).setUint32(0, Number(insn), true);
      kernel.mapUpdate(fd, new Uint8Array(Uint32Array.of(i).buffer), value);
    }
    kernel.mapFreeze(fd);
  } catch (error) {
    kernel.close(fd);
    throw error;
  }
  jumpTables.push({ program, offset: reloc.offset, fd });
  return fd;
}
