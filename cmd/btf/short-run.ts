// How V8 compiles while types are dumped.

const setFlags = (flags: string): void => process.getBuiltinModule('node:v8').setFlagsFromString(flags);

/**
 * A dump of all types takes a tenth of a second, in which V8 would spend more on optimising than the dump on running:
 * TurboFan is done when the dump is, and Maglev copies functions into each other that then are compiled over and over.
 * On an idle machine other cores bear it, elsewhere the dump itself does. Only the shortest functions are worth it.
 */
export const compileForShortRun = (): void => setFlags('--no-turbofan --max-maglev-inlined-bytecode-size=40');

/** As V8 does by itself, for what takes longer. */
export const compileForLongRun = (): void => setFlags('--turbofan --max-maglev-inlined-bytecode-size=460');
