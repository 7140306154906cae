// How V8 compiles while all types are dumped.

/**
 * A dump of all types takes a tenth of a second, in which V8 would spend more on optimising than the dump on running:
 * TurboFan is done when the dump is, and Maglev compiles every small function once more for each one that calls it. On
 * an idle machine other cores bear it, elsewhere the dump itself does.
 */
export const compileForShortRun = (): void => {
  process.getBuiltinModule('node:v8').setFlagsFromString('--no-turbofan --no-maglev-inlining');
};
