// The library: what generated skeletons and tests of BPF programs build on.
export { Btf, BtfError } from './btf/btf.ts';
export { ElfError } from './elf/elf.ts';
export { SysError } from './errno.ts';
export { type OpenOptions as KernelOptions, openSimulatedKernel } from './kernel/index.ts';
export { StateError } from './kernel/store/state-error.ts';
export { openLiveKernel } from './live/live-kernel.ts';
export { LoadError, ObjectError } from './object/errors.ts';
export { LoaderError } from './object/light/run.ts';
export { type LoadedObject, type LoadOptions, loadObject } from './object/load.ts';
export { type OpenOptions, openObject } from './object/open.ts';
export { entryPrograms, type MapSpec, type ObjectSpec, type ProgramSpec } from './object/spec.ts';
export { LightProgram, type LightShape, LightSkeleton } from './skeleton/light-skeleton.ts';
export { Skeleton, SkeletonProgram } from './skeleton/skeleton.ts';
export { SkeletonMap } from './skeleton/skeleton-map.ts';
export { type ArrayView, ViewError } from './skeleton/value-view.ts';
export type * from './syscall.ts';
