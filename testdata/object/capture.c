// Prints what libbpf asks of the kernel when it loads an object: a line of JSON for each bpf(2) call.
// Its own syscall() stands in front of the C library's. Programs with BTF are not handed to the kernel.
//
//   cc -I LIBBPF/include capture.c LIBBPF/libbpf.a -lelf -lz -o capture
//   ./capture OBJECT [BTF] >calls.jsonl 2>messages
#define _GNU_SOURCE
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned key_size[4096], value_size[4096];
static int quiet = 1;

static long raw(long nr, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

static void hex(const char *name, __u64 address, size_t size) {
  printf(", \"%s\": \"", name);
  for (size_t i = 0; i < size; i++) printf("%02x", ((unsigned char *)address)[i]);
  printf("\"");
}

static void show(int cmd, union bpf_attr *a, long result) {
  printf("{\"cmd\": %d, \"res\": %ld", cmd, result);
  switch (cmd) {
  case BPF_MAP_CREATE:
    printf(", \"name\": \"%.16s\", \"type\": %u, \"keySize\": %u, \"valueSize\": %u", a->map_name, a->map_type,
           a->key_size, a->value_size);
    printf(", \"maxEntries\": %u, \"flags\": %u, \"numaNode\": %u, \"mapExtra\": \"%llu\"", a->max_entries,
           a->map_flags, a->numa_node, a->map_extra);
    printf(", \"inner\": %u, \"btf\": %u, \"btfKeyTypeId\": %u, \"btfValueTypeId\": %u", a->inner_map_fd, a->btf_fd,
           a->btf_key_type_id, a->btf_value_type_id);
    if (result >= 0) key_size[result] = a->key_size, value_size[result] = a->value_size;
    break;
  case BPF_BTF_LOAD:
    hex("btf", a->btf, a->btf_size);
    break;
  case BPF_PROG_LOAD:
    printf(", \"name\": \"%.16s\", \"type\": %u, \"expectedAttachType\": %u, \"flags\": %u, \"license\": \"%s\"",
           a->prog_name, a->prog_type, a->expected_attach_type, a->prog_flags, (char *)a->license);
    hex("insns", a->insns, a->insn_cnt * 8);
    hex("funcInfo", a->func_info, a->func_info_rec_size * a->func_info_cnt);
    hex("lineInfo", a->line_info, a->line_info_rec_size * a->line_info_cnt);
    break;
  case BPF_MAP_UPDATE_ELEM:
    printf(", \"map\": %u", a->map_fd);
    hex("key", a->key, key_size[a->map_fd]);
    hex("value", a->value, value_size[a->map_fd]);
    break;
  case BPF_MAP_FREEZE:
    printf(", \"map\": %u", a->map_fd);
    break;
  case BPF_PROG_BIND_MAP:
    printf(", \"map\": %u", a->prog_bind_map.map_fd);
    break;
  }
  printf("}\n");
}

long syscall(long nr, ...) {
  va_list list;
  long a[6], result;
  va_start(list, nr);
  for (int i = 0; i < 6; i++) a[i] = va_arg(list, long);
  va_end(list);
  if (nr == __NR_bpf && !quiet) {
    union bpf_attr attr = {};
    memcpy(&attr, (void *)a[1], (size_t)a[2] < sizeof(attr) ? (size_t)a[2] : sizeof(attr));
    int own = a[0] == BPF_PROG_LOAD && attr.prog_btf_fd && strcmp(attr.prog_name, "det_arg_ctx");
    result = own ? raw(__NR_open, (long)"/dev/null", 0, 0, 0, 0, 0) : raw(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    // The stand-in cannot be bound to maps or put in program arrays: say that it was.
    if (result < 0 && (a[0] == BPF_PROG_BIND_MAP || a[0] == BPF_MAP_UPDATE_ELEM)) result = 0;
    show(a[0], &attr, result);
  } else {
    result = raw(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
    if (nr == __NR_dup3 && result >= 0) {
      printf("{\"dup\": [%ld, %ld]}\n", a[0], a[1]);
      key_size[a[1]] = key_size[a[0]], value_size[a[1]] = value_size[a[0]];
    }
  }
  if (result >= 0) return result;
  errno = -result;
  return -1;
}

static int print(enum libbpf_print_level level, const char *format, va_list list) {
  fprintf(stderr, "%d ", level);
  return vfprintf(stderr, format, list);
}

int main(int argc, char **argv) {
  LIBBPF_OPTS(bpf_object_open_opts, options, .btf_custom_path = argv[2]);
  libbpf_set_print(print);
  struct bpf_object *object = bpf_object__open_file(argv[1], &options);
  quiet = 0;
  return argc < 2 || !object || bpf_object__load(object);
}
