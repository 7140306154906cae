// Global data of every kind, kernel configuration, and symbols of the kernel.
#include "bpf.h"
LICENSE;

enum libbpf_tristate { TRI_NO = 0, TRI_YES = 1, TRI_MODULE = 2 };

struct point {
  __s32 x;
  __s32 y;
};

const volatile __u32 limit = 10;
const volatile struct point origin = {1, -2};
volatile __u64 total;
volatile struct point last = {3, 4};
static volatile int hits = 5;
__hidden volatile int quiet = 6;
volatile char label[8] SEC(".data.named") = "first";
static volatile __u32 shy SEC(".bss.shy");
const volatile char greeting[] SEC(".rodata.text") = "hello";

extern int LINUX_KERNEL_VERSION __kconfig;
extern bool LINUX_HAS_SYSCALL_WRAPPER __kconfig __weak;
extern int CONFIG_HZ __kconfig __weak;
extern bool CONFIG_BPF_SYSCALL __kconfig __weak;
extern enum libbpf_tristate CONFIG_IPV6 __kconfig __weak;
extern char CONFIG_DEFAULT_HOSTNAME[12] __kconfig __weak;
extern unsigned long CONFIG_NOT_THERE __kconfig __weak;
extern char CONFIG_PREEMPT __kconfig __weak;

SEC("tc") int sum(struct __sk_buff *skb) {
  total += limit + origin.y + LINUX_KERNEL_VERSION + CONFIG_HZ + CONFIG_BPF_SYSCALL + CONFIG_IPV6;
  total += CONFIG_DEFAULT_HOSTNAME[1] + CONFIG_NOT_THERE + CONFIG_PREEMPT + LINUX_HAS_SYSCALL_WRAPPER;
  last.y = skb->len + greeting[1];
  label[0]++;
  shy++;
  return hits++ + quiet;
}
