// BTF as a C header.

import { ByteSink } from '../print/byte-sink.ts';
import { type Btf, BtfError } from './btf.ts';
import { CEmitter } from './c/emit.ts';
import { SortedTypes } from './c/sort.ts';
import type { FlatTypes } from './flat-types.ts';
import { BTF_KIND } from './kinds.ts';

const HEAD = `#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

#ifndef __ksym
#define __ksym __attribute__((section(".ksyms")))
#endif

#ifndef __weak
#define __weak __attribute__((weak))
#endif

#ifndef __bpf_fastcall
#if __has_attribute(bpf_fastcall)
#define __bpf_fastcall __attribute__((bpf_fastcall))
#else
#define __bpf_fastcall
#endif
#endif

`;

const TAIL = `#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* __VMLINUX_H__ */
`;

const KFUNC_TAG = Buffer.from('bpf_kfunc');
const FASTCALL_TAG = Buffer.from('bpf_fastcall');

/** Writes prototypes of the functions that the kernel marks as callable by programs, by name; all or the wanted ones. */
const writeKfuncs = (types: FlatTypes, emitter: CEmitter, out: ByteSink, wanted?: ReadonlySet<number>): void => {
  const { strings } = types;
  const kfuncs: { id: number; name: Buffer }[] = [];
  const fast = new Set<number>();
  for (let id = 1; id < types.count; id++) {
    if (types.kind(id) !== BTF_KIND.DECL_TAG || types.words[types.rest(id)] !== -1) continue;
    const func = types.type(id);
    if (types.kind(func) !== BTF_KIND.FUNC || (wanted && !wanted.has(func))) continue;
    const tag = types.nameOffset(id);
    if (strings.is(tag, KFUNC_TAG)) kfuncs.push({ id: func, name: Buffer.from(strings.at(types.nameOffset(func))) });
    if (strings.is(tag, FASTCALL_TAG)) fast.add(func);
  }
  out.text('\n/* BPF kfuncs */\n#ifndef BPF_NO_KFUNC_PROTOTYPES\n');
  for (const { id } of kfuncs.sort((a, b) => a.name.compare(b.name))) {
    out.text(fast.has(id) ? 'extern __bpf_fastcall ' : 'extern ');
    emitter.declarations.declare(types.type(id), types.nameOffset(id), 0);
    out.text(' __weak __ksym;\n');
  }
  out.text('#endif\n\n');
};

/** Defines all types in sorted order. */
const defineSorted = (types: FlatTypes, emitter: CEmitter): void => {
  const order = new SortedTypes(types);
  const ranked = order.ranked();
  // bpftool passes over the first place, since void has the id 0; yet void is sorted like all others.
  for (let i = 1; i < ranked.length; i++) emitter.define(ranked[i]);
  const isFirst = ranked.length === 0;
  const rest = order.last(isFirst, (id) => !emitter.isSettled(id));
  for (let i = isFirst ? 1 : 0; i < rest.length; i++) emitter.define(rest[i]);
};

export interface DumpCOptions {
  /** Only these types and what they need, in this order. */
  roots?: readonly number[];
  /** With roots: functions whose prototypes are declared too; without, all that programs may call are. */
  kfuncs?: ReadonlySet<number>;
  /** Visit types by rank and name instead of by id. */
  sorted?: boolean;
  /** What it is given is overwritten after it returns. */
  write(bytes: Buffer): void;
  /** A sentence about types that C cannot express; the dump goes on unless it throws afterwards. */
  warn(text: string): void;
}

/**
 * Writes a C header with the types of `btf`, those of its base included. Throws BtfError when types cannot be put in
 * an order that C accepts; what was written until then stays.
 */
export const dumpC = (btf: Btf, options: DumpCOptions): void => {
  const types = btf.flat();
  const out = new ByteSink(types.strings, (bytes) => options.write(bytes));
  const emitter = new CEmitter(btf, { out, warn: (text) => options.warn(text) });
  const { roots = [], sorted = true } = options;
  out.text(HEAD);
  try {
    if (roots.length) {
      for (const id of roots) emitter.define(id);
      // What a prototype mentions has to be known outside of it.
      for (const id of options.kfuncs ?? []) emitter.define(btf.type(id));
      if (options.kfuncs?.size) writeKfuncs(types, emitter, out, options.kfuncs);
    } else {
      if (sorted) defineSorted(types, emitter);
      else for (let id = 1; id < types.count; id++) emitter.define(id);
      writeKfuncs(types, emitter, out);
    }
    out.text(TAIL);
  } catch (error) {
    if (error instanceof BtfError && error.warned) options.warn(error.message);
    throw error;
  } finally {
    out.flush();
  }
};
