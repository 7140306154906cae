// The structs of a C skeleton that lie over the object's data sections. Rule: bpftool 7.8, gen.c.
import type { Btf } from '../../btf/btf.ts';
import { Declarations } from '../../btf/c/declare.ts';
import { WorkLimit } from '../../btf/c/limits.ts';
import { CNames } from '../../btf/c/names.ts';
import { BTF_KIND, LINKAGE } from '../../btf/kinds.ts';
import { ObjectError } from '../errors.ts';
import type { ObjectSpec } from '../spec.ts';
import { mappedIdentifier, sectionIdentifier, sectionTypeOf, variableName } from './object-names.ts';

/** Pointers and longs count as those of a 32-bit machine, so that both kinds of machines get enough padding. */
const MAX_ALIGN = 4;
const MEMBER_LEVEL = 2;
const KCONFIG = '.kconfig';

export const declarationsOf = (btf: Btf): Declarations =>
  new Declarations(btf, new CNames(btf), WorkLimit.ofDump(btf.count), () => {});

export interface SectionVariable {
  /** Number in the DATASEC. */
  index: number;
  name: string;
  type: number;
  /** Bytes. */
  offset: number;
  size: number;
}

/** Variables of a DATASEC that user space may see. */
export const visibleVariables = (btf: Btf, section: number): SectionVariable[] => {
  const out: SectionVariable[] = [];
  for (let index = 0; index < btf.vlen(section); index++) {
    const variable = btf.secType(section, index);
    if (btf.kind(variable) !== BTF_KIND.VAR || btf.linkage(variable) === LINKAGE.STATIC) continue;
    const place = { offset: btf.secOffset(section, index), size: btf.secSize(section, index) };
    out.push({ index, name: btf.name(variable), type: btf.type(variable), ...place });
  }
  return out;
};

/** Declares a variable's type; data is declared as writable whatever it is to the program. */
const declare = (c: Declarations, section: string, type: number, name: string): string =>
  section === KCONFIG ? c.declare(type, name, MEMBER_LEVEL) : c.declareUnqualified(type, name, MEMBER_LEVEL);

/** One struct, with padding that keeps every variable in its place. Throws ObjectError where that is impossible. */
const sectionStruct = (btf: Btf, c: Declarations, section: number, write: (text: string) => void): void => {
  const name = btf.name(section);
  let end = 0;
  let paddings = 0;
  for (const { index, name: variable, type, offset, size } of visibleVariables(btf, section)) {
    if (end > offset) {
      throw new ObjectError(
        'EINVAL',
        `Something is wrong for ${name}'s variable #${index}: need offset ${offset}, already at ${end}.\n`,
      );
    }
    const natural = btf.align(type);
    if (natural <= 0) {
      throw new ObjectError('EINVAL', `Failed to determine alignment of variable '${variable}': ${natural}`);
    }
    const align = Math.min(natural, MAX_ALIGN);
    if (Math.ceil(end / align) * align !== offset) write(`\t\tchar __pad${paddings++}[${offset - end}];\n`);
    write(`\t\t${declare(c, name, type, variableName(variable))};\n`);
    end = offset + size;
  }
};

/** A pointer to a struct for each data section that can be mapped. Throws ObjectError. */
export const writeSections = (object: ObjectSpec, btf: Btf, name: string, write: (text: string) => void): void => {
  const c = declarationsOf(btf);
  for (const map of object.maps) {
    const ident = mappedIdentifier(object, map);
    if (ident === undefined) continue;
    const section = sectionTypeOf(btf, ident);
    const known = section ? sectionIdentifier(btf.name(section)) : ident;
    write(`\tstruct ${name}__${known} {\n`);
    if (section) sectionStruct(btf, c, section, write);
    write(`\t} *${known};\n`);
  }
};

/** A struct of pointers, one to each variable, for each data section that can be mapped. */
export const writeSectionPointers = (
  object: ObjectSpec,
  btf: Btf,
  name: string,
  write: (text: string) => void,
): void => {
  const c = declarationsOf(btf);
  for (const map of object.maps) {
    const ident = mappedIdentifier(object, map);
    const section = ident === undefined ? 0 : sectionTypeOf(btf, ident);
    if (!section) continue;
    write(`\tstruct ${name}__${ident} {\n`);
    for (const { name: variable, type } of visibleVariables(btf, section)) {
      const text = declare(c, btf.name(section), type, '');
      write(`\t\t${needsTypeof(btf, type) ? `__typeof__(${text})` : text} *${variable};\n`);
    }
    write(`\t} ${ident};\n`);
  }
};

/** C puts the name of an array or a function pointer inside its type; a pointer to one is easier said around it. */
const needsTypeof = (btf: Btf, type: number): boolean => {
  const id = btf.skipModsAndTypedefs(type);
  const kind = btf.kind(id);
  return kind === BTF_KIND.ARRAY || (kind === BTF_KIND.PTR && btf.kind(btf.type(id)) === BTF_KIND.FUNC_PROTO);
};

/** Checks, by the C compiler, of the sizes of all variables. */
export const sizeAsserts = (object: ObjectSpec, btf: Btf, name: string): string => {
  let text = `__attribute__((unused)) static void
${name}__assert(struct ${name} *s __attribute__((unused)))
{
#ifdef __cplusplus
#define _Static_assert static_assert
#endif
`;
  for (const map of object.maps) {
    const ident = mappedIdentifier(object, map);
    const section = ident === undefined ? 0 : sectionTypeOf(btf, ident);
    if (!section) continue;
    for (const variable of visibleVariables(btf, section)) {
      const size = btf.resolveSize(variable.type);
      if (size < 0) continue;
      const own = variableName(variable.name);
      text += `\t_Static_assert(sizeof(s->${ident}->${own}) == ${size}, "unexpected size of '${own}'");\n`;
    }
  }
  return `${text}#ifdef __cplusplus
#undef _Static_assert
#endif
}
`;
};
