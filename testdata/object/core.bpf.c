// CO-RE relocations of every kind, against the types of kernel.c.
#include "bpf.h"
LICENSE;

enum colour { RED = 1, GREEN = 2, BLUE = 3, MISSING = 4 };
enum big___local { HUGE = 5, GONE = 6 };

union anything {
  __u64 word;
  __u32 half;
} __core;
struct nested {
  __u32 depth;
} __core;
struct thing {
  int id;
  __u32 wide;
  struct nested list[2];
  __u32 flag_a : 3;
  int flag_b : 9;
  struct thing *next;
  union anything any;
  enum colour colour;
  signed char small;
} __core;
struct thing___old {
  int lost;
} __core;
struct renamed {
  int old_name;
} __core;
struct renamed___new {
  int new_name;
} __core;
struct unknown {
  int x;
} __core;
typedef int (*callback)(struct thing *, __u32);

#define FIELD(f, kind) __builtin_preserve_field_info(f, kind)
#define TYPE_INFO(t, kind) __builtin_preserve_type_info(*(typeof(t) *)0, kind)
#define TYPE_ID(t, kind) __builtin_btf_type_id(*(typeof(t) *)0, kind)
#define ENUMVAL(t, v, kind) __builtin_preserve_enum_value(*(typeof(t) *)v, kind)

volatile __u64 out[32];

SEC("kprobe/loads") int loads(struct thing *t) {
  struct thing *next = 0;
  bpf_probe_read_kernel(&next, sizeof(next), &t->next);
  out[0] = t->id;
  out[1] = t->wide;
  out[2] = t->list[1].depth;
  out[3] = t->any.half;
  t->small = 1;
  return t->colour;
}

SEC("kprobe/fields") int fields(struct thing *t) {
  struct thing___old *old = (void *)t;
  out[0] = FIELD(t->flag_b, 0);
  out[1] = FIELD(t->flag_b, 1);
  out[2] = FIELD(t->flag_b, 2);
  out[3] = FIELD(t->flag_b, 3);
  out[4] = FIELD(t->flag_b, 4);
  out[5] = FIELD(t->flag_b, 5);
  out[6] = FIELD(t->flag_a, 3);
  out[7] = FIELD(old->lost, 2);
  out[8] = FIELD(t->list, 1);
  if (FIELD(((struct renamed *)t)->old_name, 2)) out[9] = ((struct renamed *)t)->old_name;
  if (FIELD(((struct renamed___new *)t)->new_name, 2)) out[9] = ((struct renamed___new *)t)->new_name;
  return 0;
}

SEC("kprobe/types") int types(void *ctx) {
  out[0] = TYPE_ID(struct thing, 0);
  out[1] = TYPE_ID(struct thing, 1);
  out[2] = TYPE_INFO(struct thing, 0);
  out[3] = TYPE_INFO(struct thing, 1);
  out[4] = TYPE_INFO(struct thing, 2);
  out[5] = TYPE_INFO(struct unknown, 0);
  out[6] = TYPE_INFO(callback, 0);
  out[7] = TYPE_INFO(union anything, 2);
  out[8] = TYPE_INFO(struct renamed, 2);
  return 0;
}

SEC("kprobe/values") int values(void *ctx) {
  static enum colour *green = (enum colour *)GREEN;
  out[0] = ENUMVAL(enum colour, GREEN, 0);
  out[1] = ENUMVAL(enum colour, GREEN, 1);
  out[2] = ENUMVAL(enum colour, MISSING, 0);
  out[3] = ENUMVAL(enum big___local, HUGE, 1);
  out[4] = ENUMVAL(enum big___local, GONE, 0);
  out[5] = ENUMVAL(enum colour, BLUE, 1);
  return 0;
}

SEC("kprobe/poisoned") int poisoned(struct thing *t) {
  return ((struct unknown *)t)->x + ((struct renamed *)t)->old_name + ENUMVAL(enum colour, MISSING, 1);
}
