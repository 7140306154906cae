// Types of the kernel that a type of the object may stand for: those of its name, whatever their flavour.
import type { Btf } from '../../btf/btf.ts';
import { isEnum } from '../../btf/kinds.ts';
import { kindWord } from '../btf-words.ts';
import { essentialName } from '../essential-name.ts';
import type { Messages } from '../print.ts';

export interface Candidate {
  btf: Btf;
  id: number;
}

/** Names with a flavour by their essential name; few BTFs have any. */
const flavours = new WeakMap<Btf, Map<string, string[]>>();

function flavoursOf(btf: Btf): Map<string, string[]> {
  let known = flavours.get(btf);
  if (known) return known;
  known = new Map();
  const bytes = Buffer.from(btf.bytes.buffer, btf.bytes.byteOffset, btf.bytes.length);
  const seen = new Set<string>();
  for (let at = bytes.indexOf('___'); at >= 0; at = bytes.indexOf('___', at + 1)) {
    // The strings lie at the end, and types hardly ever contain these bytes: what is no string finds no type.
    const start = bytes.lastIndexOf(0, at) + 1;
    const end = bytes.indexOf(0, at);
    const name = bytes.toString('utf8', start, end < 0 ? bytes.length : end);
    if (seen.has(name)) continue;
    seen.add(name);
    const essential = essentialName(name);
    if (essential === name) continue;
    const list = known.get(essential);
    if (list) list.push(name);
    else known.set(essential, [name]);
  }
  flavours.set(btf, known);
  return known;
}

/**
 * Adds the types of `target`, from id `first` on, that have the essential name and the kind of a type of the object.
 * `targetName` is "vmlinux" or a module's. Rule: libbpf 1.8.
 */
export function addCandidates(
  out: Candidate[],
  local: Btf,
  localId: number,
  target: Btf,
  targetName: string,
  first: number,
  messages: Messages,
): void {
  const localName = local.name(localId);
  const essential = essentialName(localName);
  const names = new Set([essential]);
  for (let btf: Btf | undefined = target; btf; btf = btf.base) {
    for (const name of flavoursOf(btf).get(essential) ?? []) names.add(name);
  }
  const ids = [...names].flatMap((name) => target.findAll(name)).sort((a, b) => a - b);
  const localKind = local.kind(localId);
  for (const id of ids) {
    if (id < first) continue;
    const kind = target.kind(id);
    if (kind !== localKind && !(isEnum(kind) && isEnum(localKind))) continue;
    // A name that is itself essential may still be another's flavour by its letters.
    if (essentialName(target.name(id)) !== essential) continue;
    messages.debug(
      () =>
        `CO-RE relocating [${localId}] ${kindWord(local, localId)} ${localName}: found target candidate ` +
        `[${id}] ${kindWord(target, id)} ${target.name(id)} in [${targetName}]`,
    );
    out.push({ btf: target, id });
  }
}
