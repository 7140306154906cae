#define SEC(x) __attribute__((section(x), used))
struct outer {
	int i[3];
	long p;
};
struct task_struct {
	int pid;
	int tgid;
} __attribute__((preserve_access_index));
struct outer global;
long counter SEC(".data");
const int constant SEC(".rodata") = 5;
struct {
	int (*type)[2];
	int *key;
	long *value;
	int (*max_entries)[16];
} values SEC(".maps");
static long (*lookup)(void *, const void *) = (void *)1;
static long (*read_kernel)(void *, unsigned int, const void *) = (void *)113;
SEC("raw_tp/sched_switch") int prog(unsigned long long *ctx)
{
	struct task_struct *task = (void *)ctx[1];
	int key = 0;

	counter += constant;
	global.i[1] = 2;
	read_kernel(&key, sizeof(key), &task->tgid);
	return lookup(&values, &key) ? 1 : 2;
}
char _license[] SEC("license") = "GPL";
