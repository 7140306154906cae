// What becomes of a program's instructions once it is verified, in the order of the kernel's passes.

export { optimizeBpfLoop } from './bpf-loop.ts';
export { convertCtxAccesses } from './convert.ts';
export { hardWireDeadCodeBranches, removeDeadCode, sanitizeDeadCode } from './dead-code.ts';
export { removeFastcallSpillsFills } from './fastcall.ts';
export { finishProgram } from './finish.ts';
export { doMiscFixups } from './fixups/index.ts';
export { fixupCallArgs } from './functions.ts';
export { removeNops } from './nops.ts';
export { zextAndRandomize } from './zext.ts';
