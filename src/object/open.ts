// Opening an object file: from ELF bytes to plain data, as libbpf 1.8 reads it.
import type { Btf } from '../btf/btf.ts';
import { BtfError } from '../btf/btf.ts';
import { ElfError } from '../elf/elf.ts';
import { fixDatasecs } from './datasec.ts';
import { collectElf, nameFault, type ObjectFile, openBtf } from './elf-collect.ts';
import { LIBBPF_ERRNO, ObjectError } from './errors.ts';
import { collectExterns } from './externs.ts';
import { mapRelocs } from './map-relocs.ts';
import { collectMaps, type MapOptions } from './maps.ts';
import { Messages, type Print } from './print.ts';
import { programRelocs, sortRelocs } from './prog-relocs.ts';
import { findSection } from './sections.ts';
import type { ObjectSpec } from './spec.ts';
import { structOpsRelocs } from './struct-ops-open.ts';

export interface OpenOptions extends MapOptions {
  /** Path of the file: names the object in messages and, up to its first dot, in the kernel. */
  path?: string;
  /** Name of the object, in place of the file's; such an object counts as opened from memory. */
  name?: string;
  print?: Print;
}

const NAME_LENGTH = 15;

/** Name of an object: the last part of the path, cut to 15 bytes, then up to the first dot. Rule: libbpf 1.8. */
function objectName(path: string): string {
  const base = path.slice(path.lastIndexOf('/') + 1).slice(0, NAME_LENGTH);
  const dot = base.indexOf('.');
  return dot < 0 ? base : base.slice(0, dot);
}

/**
 * Reads an object file. Throws ObjectError for anything that libbpf would refuse, the reason having gone to
 * `options.print` first; no other error leaves it whatever the bytes are.
 */
export function openObject(bytes: Uint8Array, options: OpenOptions = {}): ObjectSpec {
  const messages = new Messages(options.print);
  const path = options.name ?? options.path ?? 'object';
  if (options.name !== undefined) messages.debug(() => `loading object '${path}' from buffer`);
  else messages.debug(() => `loading object from ${path}`);
  const name = options.name !== undefined ? options.name.slice(0, NAME_LENGTH) : objectName(path);
  try {
    return readObject(bytes, path, name, options, messages);
  } catch (error) {
    if (error instanceof ElfError && error.stringOffset !== undefined) {
      messages.warn(nameFault(path, error));
      throw new ObjectError(LIBBPF_ERRNO.FORMAT);
    }
    // BTF that is sound in itself may still not be of the shape that an object needs.
    if (error instanceof BtfError || error instanceof ElfError) throw new ObjectError('EINVAL', error.message);
    throw error;
  }
}

function readObject(
  bytes: Uint8Array,
  path: string,
  name: string,
  options: OpenOptions,
  messages: Messages,
): ObjectSpec {
  const file = collectElf(bytes, path, messages);
  const opened = openBtf(file);
  const collected = collectExterns(file, opened.btf);
  const btf = collected.btf && fixDatasecs(file, collected.btf);
  const { maps, arenaMap } = collectMaps(file, name, btf, collected.externs, options);
  initPrograms(file);
  const spec: ObjectSpec = {
    name,
    path,
    littleEndian: file.elf.littleEndian,
    license: file.license,
    kernVersion: file.kernVersion,
    programs: file.programs,
    maps,
    externs: collected.externs,
    btf,
    btfExt: opened.btfExt,
    textSection: file.textSection,
    hasStructOps: file.hasStructOps,
    arenaMap,
    arenaData: file.arenaSection ? file.elf.sections[file.arenaSection].data : undefined,
    jumpTables: file.jumpTablesSection ? file.elf.sections[file.jumpTablesSection].data : undefined,
  };
  collectRelocs(file, spec, btf);
  return spec;
}

/** Types of entry-point programs, by their section names. */
function initPrograms(file: ObjectFile): void {
  for (const program of file.programs) {
    if (program.subprogram) continue;
    program.rule = findSection(program.section);
    if (!program.rule) {
      file.messages.debug(() => `prog '${program.name}': unrecognized ELF section name '${program.section}'`);
      continue;
    }
    program.type = program.rule.progType;
    program.expectedAttachType = program.rule.expectedAttachType;
  }
}

function collectRelocs(file: ObjectFile, spec: ObjectSpec, btf: Btf | undefined): void {
  for (const section of file.elf.sections) {
    if (file.roles[section.index] !== 'relocations') continue;
    const relocs = file.elf.relocations(section);
    const target = section.info;
    if (file.roles[target] === 'struct_ops') {
      if (btf) structOpsRelocs(file, btf, spec.maps, spec.programs, target, relocs);
    } else if (target === file.mapsSection) {
      mapRelocs(file, btf, spec.maps, spec.programs, relocs);
    } else {
      programRelocs(file, spec, section, relocs);
    }
  }
  for (const program of spec.programs) sortRelocs(program.relocs);
}
