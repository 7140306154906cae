// Makes a differing program small: instructions go as long as the difference stays.
import { decodeInsns, encodeInsns, type Insn, LDIMM64 } from '../../src/isa/insn.ts';
import { CALL_KIND, CLASS, insnClass, insnOp, JMP, PSEUDO } from '../../src/isa/opcode.ts';
import type { FuzzProgram } from './program.ts';

/** An instruction with what it leads to. */
interface Unit {
  insns: Insn[];
  target: Unit | undefined;
  field: 'off' | 'imm';
}

/** Which field of an instruction counts instructions to its target. */
function targetField(x: Insn): 'off' | 'imm' | undefined {
  const kind = insnClass(x.code);
  if (x.code === LDIMM64) return x.src === PSEUDO.FUNC ? 'imm' : undefined;
  if (kind !== CLASS.JMP && kind !== CLASS.JMP32) return undefined;
  const op = insnOp(x.code);
  if (op === JMP.EXIT) return undefined;
  if (op === JMP.CALL) return x.src === CALL_KIND.PSEUDO ? 'imm' : undefined;
  return kind === CLASS.JMP32 && op === JMP.JA ? 'imm' : 'off';
}

function toUnits(program: FuzzProgram): { units: Unit[]; starts: (Unit | undefined)[] } {
  const insns = decodeInsns(program.insns);
  const units: Unit[] = [];
  const at: Unit[] = [];
  for (let i = 0; i < insns.length; i++) {
    const unit: Unit = { insns: [insns[i]], target: undefined, field: 'off' };
    at[i] = unit;
    if (insns[i].code === LDIMM64 && i + 1 < insns.length) {
      at[i + 1] = unit;
      unit.insns.push(insns[++i]);
    }
    units.push(unit);
  }
  for (let i = 0; i < insns.length; i++) {
    const field = targetField(insns[i]);
    if (field === undefined || at[i].insns[0] !== insns[i]) continue;
    at[i].target = at[i + insns[i][field] + 1];
    at[i].field = field;
  }
  return { units, starts: (program.funcs ?? []).map(([start]) => at[start]) };
}

function assemble(program: FuzzProgram, units: readonly Unit[], starts: readonly (Unit | undefined)[]): FuzzProgram {
  const place = new Map<Unit, number>();
  let length = 0;
  for (const unit of units) {
    place.set(unit, length);
    length += unit.insns.length;
  }
  const insns: Insn[] = [];
  for (const { insns: own, target, field } of units) {
    const first = { ...own[0] };
    if (target) first[field] = (place.get(target) ?? length) - insns.length - 1;
    insns.push(first, ...own.slice(1));
  }
  const called = new Set(units.flatMap((unit) => (unit.target && unit.field === 'imm' ? [unit.target] : [])));
  const funcs = program.funcs?.flatMap(([, type], i) => {
    const start = starts[i];
    const kept = start !== undefined && (i === 0 || called.has(start));
    return kept ? [[place.get(start) ?? length, type] as const] : [];
  });
  return { ...program, insns: encodeInsns(insns), ...(funcs ? { funcs } : {}) };
}

/** `units` without those in [from, from + count); what led there leads behind. */
function without(units: readonly Unit[], from: number, count: number): Unit[] {
  const gone = new Set(units.slice(from, from + count));
  const next = units[from + count];
  return units
    .filter((unit) => !gone.has(unit))
    .map((unit) => {
      if (unit.target && gone.has(unit.target)) unit.target = next;
      return unit;
    });
}

/** The smallest program found for which `differs` holds. `differs` is asked at most `tries` times. */
export function shrink(program: FuzzProgram, differs: (p: FuzzProgram) => boolean, tries = 1500): FuzzProgram {
  let best = program;
  let left = tries;
  const attempt = (candidate: FuzzProgram): boolean => {
    if (left-- <= 0 || !differs(candidate)) return false;
    best = candidate;
    return true;
  };
  for (const flags of [0, best.flags & 0x1f]) if (flags !== best.flags) attempt({ ...best, flags });
  for (let size = 32; size >= 1 && left > 0; ) {
    let shrunk = false;
    for (let from = toUnits(best).units.length - size; from >= 0 && left > 0; from -= size > 1 ? size >> 1 : 1) {
      // Units are made anew each time, as cutting changes them.
      const { units, starts } = toUnits(best);
      if (from + size > units.length) continue;
      const moved = starts.map((start) =>
        start && units.indexOf(start) >= from && units.indexOf(start) < from + size ? units[from + size] : start,
      );
      if (attempt(assemble(best, without(units, from, size), moved))) shrunk = true;
    }
    // The last round is repeated until nothing more goes.
    if (size > 1 || !shrunk) size >>= 1;
  }
  return simplify(best, attempt, () => best);
}

/** Numbers become 0 where that does not matter. */
function simplify(program: FuzzProgram, attempt: (p: FuzzProgram) => boolean, best: () => FuzzProgram): FuzzProgram {
  const count = decodeInsns(program.insns).length;
  for (let i = 0; i < count; i++) {
    const insns = decodeInsns(best().insns);
    const x = insns[i];
    if (x.imm === 0 || targetField(x) === 'imm' || x.code === LDIMM64 || x.code === 0 || x.code === 0x85) continue;
    x.imm = 0;
    attempt({ ...best(), insns: encodeInsns(insns) });
  }
  if (best().funcs) attempt({ ...best(), funcs: undefined });
  return best();
}
