// struct xdp_md: what XDP programs see of struct xdp_buff.
import { type ContextRules, through } from './conversion.ts';

/** rule: xdp_convert_ctx_access, 6.18 */
export const XDP_CONTEXT: ContextRules = {
  struct: 'xdp_md',
  fields: {
    data: through('xdp_buff.data'),
    data_meta: through('xdp_buff.data_meta'),
    data_end: through('xdp_buff.data_end'),
    ingress_ifindex: through('xdp_buff.rxq', 'xdp_rxq_info.dev', 'net_device.ifindex'),
    rx_queue_index: through('xdp_buff.rxq', 'xdp_rxq_info.queue_index'),
    egress_ifindex: through('xdp_buff.txq', 'xdp_txq_info.dev', 'net_device.ifindex'),
  },
};
