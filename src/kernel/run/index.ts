// Running programs in the simulated kernel: a Machine has memory, registers and maps; prepare() makes a program ready
// for it, as it was loaded or (finishedProgram) as the kernel keeps it; helpers are functions in tables by family.
// Later work adds rows: a helper to a table in helpers/, a kernel function to kfuncs.ts, a map type to maps/, a context
// to contexts/.
export { finishedProgram } from './finished.ts';
export { HELPER_TABLES } from './helpers/index.ts';
export { Machine } from './machine.ts';
export { addMap } from './maps/index.ts';
export { RunFault } from './memory.ts';
export { prepare } from './program.ts';
