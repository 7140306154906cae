// Socket maps and messages: prototypes of the helper functions, by helper number; variants stand beside their kind.
import { A, type ProtoTable, R } from '../verifier/helper-proto.ts';

export const SOCKMAP_HELPERS = {
  xdp_redirect_map: { ret: R.int, args: [A.map, A.any, A.any] },
  sk_redirect_map: { ret: R.int, args: [A.ctx, A.map, A.any, A.any] },
  sock_map_update: { ret: R.int, args: [A.ctx, A.map, A.key, A.any], packet: true },
  msg_redirect_map: { ret: R.int, args: [A.ctx, A.map, A.any, A.any] },
  msg_apply_bytes: { ret: R.int, args: [A.ctx, A.any] },
  msg_cork_bytes: { ret: R.int, args: [A.ctx, A.any] },
  msg_pull_data: { ret: R.int, args: [A.ctx, A.any, A.any, A.any] },
  sock_hash_update: { ret: R.int, args: [A.ctx, A.map, A.key, A.any], packet: true },
  msg_redirect_hash: { ret: R.int, args: [A.ctx, A.map, A.key, A.any] },
  sk_redirect_hash: { ret: R.int, args: [A.ctx, A.map, A.key, A.any] },
  sk_select_reuseport: { ret: R.int, args: [A.ctx, A.map, A.key, A.any], symbol: 'sk_select_reuseport' },
  msg_push_data: { ret: R.int, args: [A.ctx, A.any, A.any, A.any] },
  msg_pop_data: { ret: R.int, args: [A.ctx, A.any, A.any, A.any] },
} satisfies ProtoTable;
