// Running programs in the simulated kernel: a Machine has memory and registers, prepare() makes a program ready for it,
// helpers are functions in tables by family. See program.ts for which instructions run.

export { type FinishedSource, finishedProgram } from './finished.ts';
export { HELPER_TABLES } from './helpers/index.ts';
export {
  type Code,
  type HelperFn,
  Machine,
  type MachineOptions,
  type PacketOwner,
} from './machine.ts';
export { addMap } from './maps/index.ts';
export { Memory, type Region, type RegionOptions, RunFault } from './memory.ts';
export {
  functionAddress,
  functionAt,
  type HelperTable,
  type KfuncTable,
  type ProgramSource,
  prepare,
} from './program.ts';
export type { RandomSource } from './random.ts';
export type { RunMap } from './run-map.ts';
