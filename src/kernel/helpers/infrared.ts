// Infrared remote control: prototypes of the helper functions, by helper number; variants stand beside their kind.
import { A, type ProtoTable, R } from '../verifier/helper-proto.ts';

export const INFRARED_HELPERS = {
  rc_repeat: { ret: R.int, args: [A.ctx], gpl: true },
  rc_keydown: { ret: R.int, args: [A.ctx, A.any, A.any, A.any], gpl: true },
  rc_pointer_rel: { ret: R.int, args: [A.ctx, A.any, A.any], gpl: true },
} satisfies ProtoTable;
