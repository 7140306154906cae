// Decoders of infrared remote controls.
import { BASE_HELPERS } from './base-helpers.ts';
import type { ProgramType } from './program-type.ts';

export const lircMode2: ProgramType = {
  name: 'lirc_mode2',
  /** Rule: lirc_mode2_func_proto. */
  helpers: [
    { plain: ['rc_repeat', 'rc_keydown', 'rc_pointer_rel'] },
    {
      plain: [
        'map_lookup_elem',
        'map_update_elem',
        'map_delete_elem',
        'map_push_elem',
        'map_pop_elem',
        'map_peek_elem',
        'ktime_get_ns',
        'ktime_get_boot_ns',
        'tail_call',
        'get_prandom_u32',
      ],
    },
    { needs: 'perfmon', plain: ['trace_printk'] },
    ...BASE_HELPERS,
  ],
  /** The context is one unsigned int. */
  isValidAccess: (_view, off, size, access) => access === 'read' && off === 0 && size === 4,
  convertsContext: false,
  packet: 'none',
};
