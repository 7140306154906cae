// What bounds a register: cutting it to a size, and reconciling all that is known of it.
export { coerceToSize, coerceToSizeSx, zeroExtend32 } from './bounds-cast.ts';
export { regBoundsSanityCheck, regBoundsSync } from './bounds-sync.ts';
