// bpftool prog
import type { CommandObject } from './command.ts';
import { pinCommand } from './pinning.ts';
import { dump } from './prog/dump.ts';
import { load, loadall } from './prog/load.ts';
import { show } from './prog/show.ts';
import { verify } from './prog/verify.ts';
import { selectProg } from './select.ts';

export const prog: CommandObject = {
  name: 'prog',
  subcommands: [
    { name: 'show', run: show },
    { name: 'list', run: show },
    { name: 'dump', run: dump },
    { name: 'pin', run: pinCommand(selectProg) },
    { name: 'load', run: load },
    { name: 'loadall', run: loadall },
    // Ours.
    { name: 'verify', run: verify },
  ],
  usage: (bin) => `Usage: ${bin} @ { show | list } [PROG]
       ${bin} @ dump xlated PROG [{ file FILE | [opcodes] [linum] [visual] }]
       ${bin} @ dump jited  PROG [{ file FILE | [opcodes] [linum] }]
       ${bin} @ pin   PROG FILE
       ${bin} @ { load | loadall } OBJ  PATH \\
                         [type TYPE] [{ offload_dev | xdpmeta_dev } NAME] \\
                         [map { idx IDX | name NAME } MAP]\\
                         [pinmaps MAP_DIR]
                         [autoattach]
                         [kernel_btf BTF_FILE]
       ${bin} @ attach PROG ATTACH_TYPE [MAP]
       ${bin} @ detach PROG ATTACH_TYPE [MAP]
       ${bin} @ run PROG \\
                         data_in FILE \\
                         [data_out FILE [data_size_out L]] \\
                         [ctx_in FILE [ctx_out FILE [ctx_size_out M]]] \\
                         [repeat N]
       ${bin} @ profile PROG [duration DURATION] METRICs
       ${bin} @ tracelog
       ${bin} @ tracelog { stdout | stderr } PROG
       ${bin} @ help

       MAP := { id MAP_ID | pinned FILE | name MAP_NAME }
       PROG := { id PROG_ID | pinned FILE | tag PROG_TAG | name PROG_NAME }
       TYPE := { socket | kprobe | kretprobe | classifier | action |
                 tracepoint | raw_tracepoint | xdp | perf_event | cgroup/skb |
                 cgroup/sock | cgroup/dev | lwt_in | lwt_out | lwt_xmit |
                 lwt_seg6local | sockops | sk_skb | sk_msg | lirc_mode2 |
                 sk_reuseport | flow_dissector | cgroup/sysctl |
                 cgroup/bind4 | cgroup/bind6 | cgroup/post_bind4 |
                 cgroup/post_bind6 | cgroup/connect4 | cgroup/connect6 |
                 cgroup/connect_unix | cgroup/getpeername4 | cgroup/getpeername6 |
                 cgroup/getpeername_unix | cgroup/getsockname4 | cgroup/getsockname6 |
                 cgroup/getsockname_unix | cgroup/sendmsg4 | cgroup/sendmsg6 |
                 cgroup/sendmsg_unix | cgroup/recvmsg4 | cgroup/recvmsg6 | cgroup/recvmsg_unix |
                 cgroup/getsockopt | cgroup/setsockopt | cgroup/sock_release |
                 struct_ops | fentry | fexit | fsession | freplace | sk_lookup }
       ATTACH_TYPE := { sk_msg_verdict | sk_skb_verdict | sk_skb_stream_verdict |
                        sk_skb_stream_parser | flow_dissector }
       METRIC := { cycles | instructions | l1d_loads | llc_misses | itlb_misses | dtlb_misses }
       OPTIONS := { {-j|--json} [{-p|--pretty}] | {-d|--debug} |
                    {-f|--bpffs} | {-m|--mapcompat} | {-n|--nomount} |
                    {-L|--use-loader} | [ {-S|--sign } {-k} <private_key.pem> {-i} <certificate.x509> ] 
`,
};
