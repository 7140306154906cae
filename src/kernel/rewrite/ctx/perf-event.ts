// struct bpf_perf_event_data: registers and sample of a perf event.
import { SIZE } from '../../../isa/opcode.ts';
import { load } from '../build.ts';
import { type ContextRules, narrowThrough } from './conversion.ts';

const KERN = 'bpf_perf_event_data_kern';

/** rule: pe_prog_convert_ctx_access, 6.18 */
export const PERF_EVENT_CONTEXT: ContextRules = {
  struct: 'bpf_perf_event_data',
  fields: {
    sample_period: narrowThrough(`${KERN}.data`, 'perf_sample_data.period'),
    addr: narrowThrough(`${KERN}.data`, 'perf_sample_data.addr'),
  },
  // All else are the registers, which both sides lay out alike.
  others: (c) => {
    const { dst, src, off } = c.insn;
    c.loadField(dst, src, `${KERN}.regs`);
    c.emit(load(SIZE.DW, dst, dst, off));
  },
};
