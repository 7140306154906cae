// Decoders of infrared remote controls.
import { BASE_HELPERS } from './base-helpers.ts';
import type { ProgramType } from './program-type.ts';

export const lircMode2: ProgramType = {
  name: 'lirc_mode2',
  /** Rule: lirc_mode2_func_proto; what it names besides is given to every type alike. */
  helpers: [{ plain: ['rc_repeat', 'rc_keydown', 'rc_pointer_rel'] }, ...BASE_HELPERS],
  /** The context is one unsigned int. */
  isValidAccess: (_view, off, size, access) => access === 'read' && off === 0 && size === 4,
  convertsContext: false,
  packet: 'none',
};
