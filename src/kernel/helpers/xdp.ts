// XDP: prototypes of the helper functions, by helper number; variants stand beside their kind.
import { A, btf, fixedInOut, type ProtoTable, R } from '../verifier/helper-proto.ts';

export const XDP_HELPERS = {
  xdp_redirect: { ret: R.int, args: [A.any, A.any] },
  xdp_adjust_head: { ret: R.int, args: [A.ctx, A.any] },
  xdp_adjust_meta: { ret: R.int, args: [A.ctx, A.any] },
  xdp_adjust_tail: { ret: R.int, args: [A.ctx, A.any] },
  xdp_fib_lookup: { ret: R.int, args: [A.ctx, A.memWrite, A.size, A.any], gpl: true },
  xdp_sk_lookup_tcp: { ret: R.socketOrNull, args: [A.ctx, A.mem, A.sizeOrZero, A.any, A.any], packet: true },
  xdp_sk_lookup_udp: { ret: R.socketOrNull, args: [A.ctx, A.mem, A.sizeOrZero, A.any, A.any], packet: true },
  xdp_skc_lookup_tcp: { ret: R.sockCommonOrNull, args: [A.ctx, A.mem, A.sizeOrZero, A.any, A.any], packet: true },
  xdp_output: {
    ret: R.int,
    args: [btf('xdp_buff'), A.map, A.any, A.mem, A.sizeOrZero],
    gpl: true,
    symbol: 'bpf_xdp_event_output',
  },
  xdp_check_mtu: { ret: R.int, args: [A.ctx, A.any, fixedInOut(4), A.any, A.any], gpl: true },
  xdp_get_buff_len: { ret: R.int, args: [A.ctx] },
  xdp_get_buff_len_trace: { ret: R.int, args: [btf('xdp_buff')], symbol: 'bpf_xdp_get_buff_len' },
  xdp_load_bytes: { ret: R.int, args: [A.ctx, A.any, A.out, A.size] },
  xdp_store_bytes: { ret: R.int, args: [A.ctx, A.any, A.mem, A.size] },
  xdp_event_output: { ret: R.int, args: [A.ctx, A.map, A.any, A.mem, A.sizeOrZero], gpl: true },
} satisfies ProtoTable;
