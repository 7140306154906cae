// The stack: one door to the files that check it.
export { checkStackAccessWithinBounds } from './stack-bounds.ts';
export { checkStackRangeInitialized } from './stack-range.ts';
export { checkStackRead } from './stack-read.ts';
export { checkStackWrite } from './stack-write.ts';
