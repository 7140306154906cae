// Kernel types whose sizes, and members whose offsets, are wanted without reading the BTF.

/** Structs behind the memory that maps are charged for. */
export const SIZED_TYPES = [
  'bpf_array',
  'bpf_bloom_filter',
  'bpf_cgroup_storage_map',
  'bpf_cpu_map',
  'bpf_dtab',
  'bpf_dtab_netdev',
  'bpf_htab',
  'bpf_local_storage_map',
  'bpf_local_storage_map_bucket',
  'bpf_map',
  'bpf_prog',
  'bpf_queue_stack',
  'bpf_ringbuf',
  'bpf_ringbuf_map',
  'bpf_shtab',
  'bpf_shtab_bucket',
  'bpf_stab',
  'bpf_stack_map',
  'bucket',
  'htab_elem',
  'lpm_trie_node',
  'reuseport_array',
  'stack_map_bucket',
  'xsk_map',
  'xsk_map_node',
] as const;

/** "struct.member" */
export const WANTED_OFFSETS = ['bpf_array.value'] as const;
