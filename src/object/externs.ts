// Externs of an object: kernel configuration values (.kconfig) and kernel symbols (.ksyms), and what they do to its BTF.
import { type Btf, BtfError } from '../btf/btf.ts';
import { BtfBuilder } from '../btf/encode.ts';
import { BTF_KIND, INT_ENCODING, LINKAGE } from '../btf/kinds.ts';
import { SYM_BYTES } from '../elf/constants.ts';
import { kindWord, parseObjectBtf } from './btf-words.ts';
import { isExtern, type ObjectFile, symbolName } from './elf-collect.ts';
import { LIBBPF_ERRNO, ObjectError } from './errors.ts';
import { essentialName } from './essential-name.ts';
import type { ExternSpec, KconfigType } from './spec.ts';

/** Name of the variable that stands for functions in the DATASEC .ksyms. */
const DUMMY = 'dummy_ksym';
const POINTER_LIKE_BYTES = 4;
/** More than any kernel configuration value needs, and little enough to allocate. */
const MAX_CONFIG_BYTES = 1 << 24;

/** Two of the same name: how the list is ordered. Rule: libbpf 1.8. */
function compareExterns(a: ExternSpec, b: ExternSpec): number {
  if (a.kind !== b.kind) return a.kind === 'kconfig' ? -1 : 1;
  if (a.config && b.config) {
    if (a.config.align !== b.config.align) return b.config.align - a.config.align;
    if (a.config.size !== b.config.size) return a.config.size - b.config.size;
  }
  return Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));
}

/** How a kernel configuration value of a type is stored; undefined for types that cannot hold one. */
function configType(btf: Btf, typeId: number): { type: KconfigType; signed: boolean } | undefined {
  const id = btf.skipModsAndTypedefs(typeId);
  switch (btf.kind(id)) {
    case BTF_KIND.INT: {
      const size = btf.size(id);
      const encoding = btf.intEncoding(id);
      if (encoding & INT_ENCODING.BOOL) return size === 1 ? { type: 'bool', signed: false } : undefined;
      const signed = (encoding & INT_ENCODING.SIGNED) !== 0;
      if (size === 1) return { type: 'char', signed };
      return size === 2 || size === 4 || size === 8 ? { type: 'int', signed } : undefined;
    }
    case BTF_KIND.ENUM:
    case BTF_KIND.ENUM64:
      if (btf.kind(id) === BTF_KIND.ENUM && btf.size(id) !== 4) return undefined;
      return btf.name(id) === 'libbpf_tristate' ? { type: 'tristate', signed: false } : undefined;
    case BTF_KIND.ARRAY: {
      if (btf.arrayLength(id) === 0) return undefined;
      // Arrays of arrays are refused here, so that this does not nest.
      const element = btf.skipModsAndTypedefs(btf.arrayElem(id));
      if (btf.kind(element) === BTF_KIND.ARRAY) return undefined;
      return configType(btf, element)?.type === 'char' ? { type: 'chars', signed: false } : undefined;
    }
    default:
      return undefined;
  }
}

/** The first variable or function of that name; a negative errno when it is not an extern. */
function findExtern(btf: Btf | undefined, name: string): number {
  if (!btf) return -3;
  for (const id of btf.findAll(name)) {
    const kind = btf.kind(id);
    if (kind !== BTF_KIND.VAR && kind !== BTF_KIND.FUNC) continue;
    return btf.linkage(id) === LINKAGE.EXTERN ? id : -22;
  }
  return -2;
}

/** The DATASEC that lists each variable or function: the first, where several do. */
function sectionsOf(btf: Btf): Map<number, number> {
  const out = new Map<number, number>();
  for (let id = 1; id < btf.count; id++) {
    if (btf.kind(id) !== BTF_KIND.DATASEC) continue;
    for (let i = 0; i < btf.vlen(id); i++) {
      const member = btf.secType(id, i);
      if (!out.has(member)) out.set(member, id);
    }
  }
  return out;
}

function first32BitInt(btf: Btf): number {
  for (let id = 1; id < btf.count; id++) {
    if (btf.kind(id) === BTF_KIND.INT && btf.intBits(id) === 32) return id;
  }
  return 0;
}

/** True when the DATASEC .ksyms holds a function, which the kernel would refuse there. */
function needsDummy(btf: Btf): boolean {
  const section = btf.find('.ksyms', BTF_KIND.DATASEC);
  if (section === 0) return false;
  for (let i = 0; i < btf.vlen(section); i++) {
    if (btf.kind(btf.secType(section, i)) === BTF_KIND.FUNC) return true;
  }
  return false;
}

/**
 * Finds the externs among the symbols, sorts them as libbpf does, and turns the DATASECs .ksyms and .kconfig into
 * ones that the kernel takes. Gives the externs and the changed BTF; throws ObjectError.
 */
export function collectExterns(
  file: ObjectFile,
  btf: Btf | undefined,
): { externs: ExternSpec[]; btf: Btf | undefined } {
  const { messages } = file;
  if (file.symtab.entsize !== SYM_BYTES) throw new ObjectError(LIBBPF_ERRNO.FORMAT);
  const builder = btf && BtfBuilder.from(btf);
  let dummy = 0;
  if (btf && builder && needsDummy(btf)) {
    const int = first32BitInt(btf);
    dummy = builder.addVar(DUMMY, LINKAGE.GLOBAL, int);
  }
  messages.debug(() => `looking for externs among ${file.symbols.length} symbols...`);
  const externs: ExternSpec[] = [];
  let sections: Map<number, number> | undefined;
  const used = { kconfig: 0, ksyms: 0 };
  for (const symbol of file.symbols) {
    if (!isExtern(symbol) || !symbolName(file, symbol)) continue;
    const found = findExtern(btf, symbol.name);
    if (!btf || found <= 0) {
      messages.warn(`failed to find BTF for extern '${symbol.name}': ${found}`);
      throw new ObjectError(-found);
    }
    sections ??= sectionsOf(btf);
    const section = sections.get(found);
    if (section === undefined) {
      messages.warn(`failed to find BTF for extern '${symbol.name}' [${found}] section: -2`);
      throw new ObjectError('ENOENT');
    }
    externs.push(readExtern(file, btf, symbol, found, btf.name(section)));
    if (btf.name(section) === '.kconfig') used.kconfig = section;
    else used.ksyms = section;
  }
  messages.debug(() => `collected ${externs.length} externs total`);
  if (externs.length === 0 || !btf || !builder) return { externs, btf: builder && dummy ? reparse(builder) : btf };
  externs.sort(compareExterns);
  if (used.ksyms) fixKsyms(file, btf, builder, externs, used.ksyms, dummy);
  if (used.kconfig) fixKconfig(file, btf, builder, externs, used.kconfig);
  return { externs, btf: reparse(builder) };
}

/** The changed BTF. What was read was sound, so that a failure here is the fault of the fixing. */
function reparse(builder: BtfBuilder): Btf {
  return parseObjectBtf(builder.bytes());
}

function readExtern(
  file: ObjectFile,
  btf: Btf,
  symbol: { index: number; bind: number },
  btfId: number,
  section: string,
): ExternSpec {
  const { messages } = file;
  const name = btf.name(btfId);
  const essential = essentialName(name);
  const extern: ExternSpec = {
    kind: 'ksym',
    name,
    essentialName: essential === name ? undefined : essential,
    symbol: symbol.index,
    weak: symbol.bind === 2,
    btfId,
    func: btf.kind(btfId) === BTF_KIND.FUNC,
    typeId: 0,
  };
  const typeId = btf.type(btfId);
  if (section === '.ksyms') {
    extern.typeId = btf.skipModsAndTypedefs(typeId);
    return extern;
  }
  if (section !== '.kconfig') {
    messages.warn(`unrecognized extern section '${section}'`);
    throw new ObjectError('EOPNOTSUPP');
  }
  if (extern.func) {
    messages.warn(`extern function ${name} is unsupported under .kconfig section`);
    throw new ObjectError('EOPNOTSUPP');
  }
  const size = btf.resolveSize(typeId);
  if (size <= 0 || size > MAX_CONFIG_BYTES) {
    messages.warn(`failed to resolve size of extern (kcfg) '${name}': ${size < 0 ? -22 : size}`);
    throw new ObjectError('EINVAL');
  }
  let align = 0;
  try {
    align = btf.align(typeId);
  } catch (error) {
    if (!(error instanceof BtfError)) throw error;
  }
  if (align <= 0) {
    const kind = btf.unsupportedKind(typeId);
    if (kind !== undefined) messages.warn(`unsupported BTF_KIND:${kind}`);
    messages.warn(`failed to determine alignment of extern (kcfg) '${name}': ${align}`);
    throw new ObjectError('EINVAL');
  }
  const storage = configType(btf, typeId);
  if (!storage) {
    messages.warn(`extern (kcfg) '${name}': type is unsupported`);
    throw new ObjectError('EOPNOTSUPP');
  }
  extern.kind = 'kconfig';
  extern.config = { ...storage, size, align, offset: 0 };
  return extern;
}

/** Every extern becomes a 4-byte variable; functions become global, with names for all parameters. */
function fixKsyms(
  file: ObjectFile,
  btf: Btf,
  builder: BtfBuilder,
  externs: readonly ExternSpec[],
  section: number,
  dummy: number,
): void {
  const { messages } = file;
  const int = first32BitInt(btf);
  externs.forEach((extern, i) => {
    if (extern.kind === 'ksym') {
      messages.debug(() => `extern (ksym) #${i}: symbol ${extern.symbol}, name ${extern.name}`);
    }
  });
  const byName = new Set(externs.map((e) => e.name));
  const dummyName = dummy ? builder.str(DUMMY) : 0;
  const vlen = btf.vlen(section);
  for (let i = 0; i < vlen; i++) {
    const id = btf.secType(section, i);
    const func = btf.kind(id) === BTF_KIND.FUNC;
    if (!byName.has(btf.name(id))) {
      messages.warn(`failed to find extern definition for BTF ${kindWord(btf, id)} '${btf.name(id)}'`);
      throw new ObjectError('ESRCH');
    }
    if (func) {
      const proto = btf.type(id);
      for (let j = 0; j < btf.vlen(proto); j++) {
        if (btf.paramType(proto, j) !== 0 && btf.elementNameOffset(proto, j) === 0) {
          builder.editWord(proto, j * 2, dummyName);
        }
      }
      builder.edit(id, { vlen: LINKAGE.GLOBAL });
    } else {
      builder.edit(id, { third: int });
      builder.editWord(id, 0, LINKAGE.GLOBAL);
    }
    builder.editVariable(section, i, {
      ...(func && { type: dummy }),
      offset: i * POINTER_LIKE_BYTES,
      size: POINTER_LIKE_BYTES,
    });
  }
  builder.edit(section, { third: vlen * POINTER_LIKE_BYTES });
}

/** Lays out the map .kconfig: offsets in the order of the sorted externs. */
function fixKconfig(
  file: ObjectFile,
  btf: Btf,
  builder: BtfBuilder,
  externs: readonly ExternSpec[],
  section: number,
): void {
  const { messages } = file;
  const offsets = new Map<string, number>();
  let end = 0;
  externs.forEach((extern, i) => {
    const config = extern.config;
    if (!config) return;
    config.offset = Math.ceil(end / config.align) * config.align;
    end = config.offset + config.size;
    if (!offsets.has(extern.name)) offsets.set(extern.name, config.offset);
    messages.debug(() => `extern (kcfg) #${i}: symbol ${extern.symbol}, off ${config.offset}, name ${extern.name}`);
  });
  if (end > MAX_CONFIG_BYTES) throw new ObjectError('ENOMEM');
  builder.edit(section, { third: end });
  for (let i = 0; i < btf.vlen(section); i++) {
    const id = btf.secType(section, i);
    const offset = offsets.get(btf.name(id));
    if (offset === undefined || btf.kind(id) !== BTF_KIND.VAR) {
      messages.warn(`failed to find extern definition for BTF var '${btf.name(id)}'`);
      throw new ObjectError('ESRCH');
    }
    builder.editWord(id, 0, LINKAGE.GLOBAL);
    builder.editVariable(section, i, { offset });
  }
}
