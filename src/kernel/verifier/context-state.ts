// In what surroundings the current instruction runs.
import type { VerifierEnv } from './env.ts';

export const inSleepable = (env: VerifierEnv): boolean => env.state.inSleepable;

/** Objects under RCU stay valid here: a lock is held, or the program cannot sleep anyway. */
export const inRcuCs = (env: VerifierEnv): boolean =>
  env.state.activeRcuLock || env.state.activeLocks !== 0 || !inSleepable(env);
