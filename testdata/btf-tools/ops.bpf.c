// Data sections of several kinds, and a struct_ops map, for skeletons.
#define SEC(name) __attribute__((section(name)))
typedef unsigned int u32;
struct request;
struct engine_ops {
  char name[16];
  u32 flags;
  _Bool fast;
  enum { IDLE, BUSY } state;
  unsigned long limit;
  int (*start)(struct request *);
  void *owner;
  short tail;
};
struct point {
  int x, y;
};
const volatile int setting = 3;
int counter = 1;
long long total;
static int hidden = 2;
volatile const struct point *where[2];
int (*callback)(int, const char *);
char odd SEC(".data.odd") = 1;
const char label[5] SEC(".rodata.label") = "text";
struct point points[3] SEC(".bss.points");
extern int CONFIG_HZ SEC(".kconfig") __attribute__((weak));
extern _Bool CONFIG_BPF SEC(".kconfig");
SEC("struct_ops/start") int start(unsigned long long *ctx) { return counter + hidden++ + CONFIG_HZ + CONFIG_BPF; }
SEC("xdp") int pass(void *ctx) { return setting + odd + label[1]; }
SEC(".struct_ops.link") struct engine_ops engine = {.name = "engine", .flags = 7, .start = (void *)start};
SEC(".struct_ops") struct engine_ops spare = {.name = "spare", .start = (void *)start};
char LICENSE[] SEC("license") = "GPL";
