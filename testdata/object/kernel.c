// Stands for a kernel: its BTF is what core.bpf.c is adapted to.
typedef unsigned int u32;
typedef unsigned long long u64;

enum colour { RED = 7, GREEN = 70, BLUE = -3 };
enum big : u64 { SMALL = 1, HUGE = 0x123456789abcdefULL };

union anything {
  u64 word;
  u32 half;
};
struct nested {
  char pad[12];
  u32 depth;
};
struct thing {
  u64 added_in_front;
  struct {
    int id;
    u64 wide; // an int for the program
  };
  struct nested list[4];
  u32 flag_a : 3;
  int flag_b : 9;
  struct thing *next;
  union anything any;
  enum colour colour;
  signed char small;
};
struct renamed {
  int new_name;
};
typedef int (*callback)(struct thing *, u32);

struct thing_ops {
  u32 newer;
  int (*act)(struct thing *t);
  char name[8];
  int (*idle)(void);
  u32 flags;
};
struct bpf_struct_ops_thing_ops {
  u64 refcount;
  struct thing_ops data;
};

struct thing t;
struct bpf_struct_ops_thing_ops ops;
struct renamed r;
enum big b;
callback c;
