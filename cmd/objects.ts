// Every object of the command line in the order in which abbreviations are tried; one is loaded when it is named.
import type { CommandObject } from './command.ts';

export interface ObjectEntry {
  name: string;
  load?: () => Promise<CommandObject>;
}

export const OBJECTS: readonly ObjectEntry[] = [
  { name: 'help' },
  { name: 'batch' },
  { name: 'prog', load: async () => (await import('./prog.ts')).prog },
  { name: 'map', load: async () => (await import('./map.ts')).map },
  { name: 'link' },
  { name: 'cgroup' },
  { name: 'perf' },
  { name: 'net' },
  { name: 'feature', load: async () => (await import('./feature.ts')).feature },
  { name: 'btf', load: async () => (await import('./btf.ts')).btf },
  { name: 'gen', load: async () => (await import('./gen.ts')).gen },
  { name: 'struct_ops' },
  { name: 'iter' },
  { name: 'token' },
  { name: 'version' },
  // Ours.
  { name: 'kernel', load: async () => (await import('./kernel.ts')).kernel },
];

/** First entry that the word abbreviates. */
export const byPrefix = <T extends { name: string }>(table: readonly T[], word: string): T | undefined =>
  table.find((entry) => entry.name.startsWith(word));
