// Programs whose dumps show the corners of `prog dump xlated`. Built in a folder with a long name, which the line
// records then hold: clang-19 -O2 -g -target bpf -mcpu=v3 -c
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 4);
	__type(key, int);
	__type(value, long);
} counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 4);
	__type(key, int);
	__type(value, int);
} jumps SEC(".maps");

int first = 1;
int second = 2;

extern void bpf_throw(unsigned long long cookie) __ksym;
extern void bpf_rcu_read_lock(void) __ksym;
extern void bpf_rcu_read_unlock(void) __ksym;

static __noinline int a_function_whose_name_is_longer_than_what_one_row_of_a_graph_can_hold(int x, const char *y)
{
	return x > 3 ? *y : second;
}

static long each(unsigned int i, long *sum)
{
	*sum = i; if ((i < 5 && i > 2) || !i) { second |= 1; } // "quoted" \ {braces} <angles> a|b
	return 0;
}

SEC("xdp")
int everything(struct xdp_md *ctx)
{
	long sum = 0, *value;
	int key = ctx->ingress_ifindex;
	char text[4] = "abc";

	value = bpf_map_lookup_elem(&counts, &key);
	if (value)
		__sync_fetch_and_add(value, first);
	bpf_loop(ctx->rx_queue_index, each, &sum, 0);
	bpf_rcu_read_lock();
	sum += bpf_get_smp_processor_id();
	bpf_rcu_read_unlock();
	sum += a_function_whose_name_is_longer_than_what_one_row_of_a_graph_can_hold(sum, text);
	if (sum == 3)
		bpf_tail_call(ctx, &jumps, 2);
	return sum & 0x7fffffffffffffff ? XDP_PASS : XDP_DROP;
}

static __noinline int thrower(int x)
{
	if (x > 5)
		bpf_throw(7);
	return x;
}

SEC("tc")
int throws(struct __sk_buff *skb)
{
	return thrower(skb->ifindex);
}

SEC("socket")
int loops(struct __sk_buff *skb)
{
	int n = 0;

	for (int i = 0; i < 20; i++) {
		if (skb->len > i)
			n += bpf_get_prandom_u32();
		else if (skb->mark == 7)
			break;
	}
	return n;
}

SEC("socket")
int lines(struct __sk_buff *skb)
{
	int n = skb->len; if ((n < 5 && n > 2) || !n) { second |= n; } // "quoted" \ {braces} <angles> a|b
	if (n == 70)
		return bpf_get_prandom_u32() > 3 ? first : second;
	return n;
}
