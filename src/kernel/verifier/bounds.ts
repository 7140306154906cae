// What is known of the value of a register: one door to the files that set, cut and reconcile it.
export { assign32Into64, coerceSubregToSizeSx, coerceToSize, coerceToSizeSx, zeroExtend32 } from './bounds-cast.ts';
export { narrowToS32Range, regBoundsSanityCheck, regBoundsSync } from './bounds-sync.ts';
export {
  assignScalarIdBeforeMov,
  clearScalarId,
  isRegConst,
  markReg32Known,
  markReg32Unbounded,
  markReg64Unbounded,
  markRegConstZero,
  markRegInvalid,
  markRegKnown,
  markRegKnownZero,
  markRegNotInit,
  markRegUnbounded,
  markRegUnknown,
  markRegUnknownImprecise,
  regConst,
  regIsNull,
  regWidth,
  setKnownValue,
} from './scalar-marks.ts';
export {
  isSlotSpecial,
  isSpilledReg,
  isSpilledScalarReg,
  isSpilledScalarReg64,
  markSlotByteMisc,
  scrubSpilledByte,
} from './slots.ts';
