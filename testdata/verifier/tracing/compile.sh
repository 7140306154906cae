#!/bin/sh
# compile.sh LINUX LIBBPF FOLDER: compiles into FOLDER, which is outside of the repository, objects of the BPF selftests of Linux 6.18 (GPL-2.0, in LINUX)
# with the headers of LIBBPF, and drops their DWARF. What the tests expect stands in tags in their BTF; chains.json
# holds what the user-space side of the tests expects of programs that hook into programs. Needs clang 22, llvm-strip,
# bpftool and the running kernel's BTF; INCLUDES and LATE may name more folders with headers,
# such as the kernel's tools/include/uapi and tools/include.
set -e
linux=$1
libbpf=$2
here=$(cd "$3" && pwd)
work=$(mktemp -d)
bpftool btf dump file /sys/kernel/btf/vmlinux format c > "$work/vmlinux.h"
tests=$linux/tools/testing/selftests/bpf
cd "$tests/progs"
includes="-I.. -I. -I$work"
for folder in $INCLUDES "$libbpf"; do includes="$includes -I$folder"; done
for folder in $LATE; do includes="$includes -idirafter $folder"; done
for name in \
  cgroup_read_xattr compute_live_registers exceptions_assert exceptions_fail iters_task_failure percpu_alloc_fail \
  preempt_lock task_kfunc_failure timer_failure verifier_btf_ctx_access verifier_const verifier_d_path \
  verifier_global_subprogs verifier_lsm verifier_precision verifier_private_stack verifier_ref_tracking \
  verifier_typedef verifier_vfs_accept verifier_vfs_reject \
  connect4_prog exceptions exceptions_ext fexit_bpf2bpf fmod_ret_freplace freplace_connect4 \
  freplace_connect_v4_prog freplace_get_constant freplace_global_func freplace_unreliable_prog summarization \
  summarization_freplace tailcall_freplace tc_bpf2bpf test_pkt_access verifier_btf_unreliable_prog tracing_failure
do
  for prototypes in -DBPF_NO_KFUNC_PROTOTYPES ""; do
    clang-22 -g -O2 --target=bpfel -mcpu=v4 -D__TARGET_ARCH_x86 -DENABLE_ATOMICS_TESTS $prototypes -std=gnu11 \
      -fno-strict-aliasing -fms-extensions -w -fdebug-compilation-dir=selftests \
      -ffile-prefix-map="$tests/progs=selftests" -ffile-prefix-map="$libbpf=libbpf" \
      $includes -idirafter /usr/include/x86_64-linux-gnu -idirafter /usr/include \
      -c $name.c -o "$work/$name.o" 2> "$work/$name.err" && break
  done
  llvm-strip-19 -g -o "$here/$name.bpf.o" "$work/$name.o"
done
rm -r "$work"
