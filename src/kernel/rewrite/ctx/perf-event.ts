// struct bpf_perf_event_data: what programs for samples see; all but two fields are registers.
import { SIZE } from '../../../isa/opcode.ts';
import { load } from '../build.ts';
import { type ContextRules, narrowThrough, through } from './conversion.ts';

const KERNEL = 'bpf_perf_event_data_kern';

/** rule: pe_prog_convert_ctx_access, 6.18 */
export const PERF_EVENT_CONTEXT: ContextRules = {
  struct: 'bpf_perf_event_data',
  fields: {
    sample_period: narrowThrough(`${KERNEL}.data`, 'perf_sample_data.period'),
    addr: narrowThrough(`${KERNEL}.data`, 'perf_sample_data.addr'),
  },
  others: (c) => {
    const { dst, off } = c.insn;
    through(`${KERNEL}.regs`)(c);
    c.emit(load(SIZE.DW, dst, dst, off));
  },
};
