// BTF as a C header.
import { type Btf, BtfError } from './btf.ts';
import { CEmitter } from './c/emit.ts';
import { sortForC } from './c/sort.ts';
import { BTF_KIND } from './kinds.ts';
import { TextSink } from './text-sink.ts';

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

const KFUNC_TAG = 'bpf_kfunc';
const FASTCALL_TAG = 'bpf_fastcall';

const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

/** Prototypes of the functions that the kernel marks as callable by programs, by name; of all or of the wanted ones. */
const kfuncText = (btf: Btf, emitter: CEmitter, wanted?: ReadonlySet<number>): string => {
  const kfuncs: { id: number; name: string }[] = [];
  const fast = new Set<number>();
  for (let id = 1; id < btf.count; id++) {
    if (btf.kind(id) !== BTF_KIND.DECL_TAG || btf.tagComponent(id) !== -1) continue;
    const func = btf.type(id);
    if (btf.kind(func) !== BTF_KIND.FUNC) continue;
    const tag = btf.name(id);
    if (wanted && !wanted.has(func)) continue;
    if (tag === KFUNC_TAG) kfuncs.push({ id: func, name: btf.name(func) });
    if (tag === FASTCALL_TAG) fast.add(func);
  }
  let text = '\n/* BPF kfuncs */\n#ifndef BPF_NO_KFUNC_PROTOTYPES\n';
  for (const { id, name } of kfuncs.sort(byName)) {
    const declaration = emitter.declarations.declare(btf.type(id), name, 0);
    text += `extern ${fast.has(id) ? '__bpf_fastcall ' : ''}${declaration} __weak __ksym;\n`;
  }
  return `${text}#endif\n\n`;
};

export interface DumpCOptions {
  /** Only these types and what they need, in this order. */
  roots?: readonly number[];
  /** With roots: functions whose prototypes are declared too; without, all that programs may call are. */
  kfuncs?: ReadonlySet<number>;
  /** Visit types by rank and name instead of by id. */
  sorted?: boolean;
  write(text: string): void;
  /** A sentence about types that C cannot express; the dump goes on unless it throws afterwards. */
  warn(text: string): void;
}

/**
 * Writes a C header with the types of `btf`, those of its base included. Throws BtfError when types cannot be put in
 * an order that C accepts; what was written until then stays.
 */
export const dumpC = (btf: Btf, options: DumpCOptions): void => {
  const sink = new TextSink((text) => options.write(text));
  const emitter = new CEmitter(btf, { write: (text) => sink.add(text), warn: (text) => options.warn(text) });
  const { roots = [], sorted = true } = options;
  sink.add(HEAD);
  try {
    if (roots.length) {
      for (const id of roots) emitter.define(id);
      // What a prototype mentions has to be known outside of it.
      for (const id of options.kfuncs ?? []) emitter.define(btf.type(id));
      if (options.kfuncs?.size) sink.add(kfuncText(btf, emitter, options.kfuncs));
    } else {
      const order = sorted ? sortForC(btf) : undefined;
      // Void sorts among the others, yet it is the first place that bpftool passes over.
      for (let i = 1; i < btf.count; i++) emitter.define(order ? order[i] : i);
      sink.add(kfuncText(btf, emitter));
    }
    sink.add(TAIL);
  } catch (error) {
    if (error instanceof BtfError && error.warned) options.warn(error.message);
    throw error;
  } finally {
    sink.flush();
  }
};
