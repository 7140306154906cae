// Every kind of CO-RE relocation. Compiled with the whole vmlinux.h of Linux 6.18.
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>
struct task_struct___old { long state; int pid; } __attribute__((preserve_access_index));
struct task_struct___gone { long nothing_like_it; } __attribute__((preserve_access_index));
struct no_such_struct { int a; } __attribute__((preserve_access_index));
enum bpf_map_type___x { BPF_MAP_TYPE_HASH___x = 1, NOPE___x = 99 };
struct sock_common___m { unsigned short skc_family; } ;
typedef struct { int counter; } atomic_t___z;
union bpf_attr___q { struct { unsigned map_type; }; };
char LICENSE[] SEC("license") = "GPL";
__u64 out[64];
SEC("kprobe/x")
int every(struct pt_regs *ctx)
{
	struct task_struct *t = (void *)bpf_get_current_task();
	struct sk_buff *skb = (void *)ctx->di;
	out[0] = BPF_CORE_READ(t, mm, exe_file, f_inode, i_ino);
	out[1] = BPF_CORE_READ(t, comm[3]);
	out[2] = BPF_CORE_READ_BITFIELD_PROBED(skb, pkt_type);
	out[3] = bpf_core_field_size(t->comm);
	out[4] = bpf_core_field_exists(((struct task_struct___old *)t)->state);
	out[5] = bpf_core_field_exists(((struct task_struct___gone *)t)->nothing_like_it);
	out[6] = bpf_core_type_exists(struct no_such_struct);
	out[7] = bpf_core_type_size(struct file);
	out[8] = bpf_core_type_id_kernel(struct inode);
	out[9] = bpf_core_type_id_local(struct inode);
	out[10] = bpf_core_enum_value_exists(enum bpf_map_type___x, BPF_MAP_TYPE_HASH___x);
	out[11] = bpf_core_enum_value_exists(enum bpf_map_type___x, NOPE___x);
	out[12] = bpf_core_enum_value(enum bpf_prog_type, BPF_PROG_TYPE_XDP);
	out[13] = bpf_core_type_matches(struct list_head);
	out[14] = bpf_core_type_matches(struct file_operations);
	out[15] = bpf_core_type_exists(initcall_t);
	out[16] = bpf_core_type_size(atomic_t___z);
	out[17] = bpf_core_type_matches(union bpf_attr___q);
	out[18] = 1;
	out[19] = BPF_CORE_READ(t, se.avg.util_avg);
	out[20] = BPF_CORE_READ(t, signal, rlim[2].rlim_cur);
	out[21] = bpf_core_field_offset(struct sk_buff, cb[4]);
	out[22] = BPF_CORE_READ_BITFIELD_PROBED(t, sched_reset_on_fork);
	out[23] = bpf_core_type_exists(struct seq_operations);
	out[24] = bpf_core_type_matches(struct rb_node);
	out[25] = bpf_core_type_exists(work_func_t);
	return 0;
}
