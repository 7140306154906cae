// Which prototype a helper number has for a program.
import { HELPERS, type HelperName } from '../../isa/uapi.ts';
import { type HelperKey, prototypeOf } from '../helpers/index.ts';
import type { HelperProto } from '../verifier/helper-proto.ts';
import { programType } from './index.ts';
import type { Capability, HelperLayer, HelperSet, ProgramView } from './program-type.ts';

function capable(view: ProgramView, need: Capability): boolean {
  return view.request.caps[need];
}

function choiceIn(layer: HelperLayer, name: HelperName, view: ProgramView): HelperKey | 'absent' | undefined {
  const variant = layer.variants?.[name];
  if (variant !== undefined) return (typeof variant === 'function' ? variant(view) : variant) ?? 'absent';
  return (layer.plain as readonly HelperName[] | undefined)?.includes(name) ? (name as HelperKey) : undefined;
}

/** The prototype that a set gives a helper, or undefined. */
export function lookupIn(set: HelperSet, name: HelperName, view: ProgramView): HelperProto | undefined {
  for (const layer of set) {
    if (layer.needs && !capable(view, layer.needs)) continue;
    if (layer.when && !layer.when(view)) continue;
    const choice = choiceIn(layer, name, view);
    if (choice !== undefined) return choice === 'absent' ? undefined : prototypeOf(choice);
  }
  return undefined;
}

/** Prototypes found for a program, by helper number, and the type of the program then. */
interface Known {
  readonly type: number;
  readonly protos: Map<number, HelperProto | undefined>;
}

const cache = new WeakMap<ProgramView, Known>();

/**
 * Prototype of helper number `id` for the program; undefined where its type has no such helper or there is no such
 * number. Remembered for each program.
 */
export function helperProto(view: ProgramView, id: number): HelperProto | undefined {
  let known = cache.get(view);
  // A replacement gets the type of what it replaces when that has been found.
  if (known?.type !== view.progType) {
    known = { type: view.progType, protos: new Map() };
    cache.set(view, known);
  }
  const { protos } = known;
  if (protos.has(id)) return protos.get(id);
  const name = HELPERS[id];
  const proto =
    name === undefined || name === 'unspec' ? undefined : lookupIn(programType(view.progType).helpers, name, view);
  protos.set(id, proto);
  return proto;
}
