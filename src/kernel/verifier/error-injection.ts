// Functions whose return value may be replaced by an error. Rule: ALLOW_ERROR_INJECTION, 6.18.
import type { KernelImage } from '../image/image.ts';

/** System calls of the machine, which all may fail. */
const SYSTEM_CALL = /^__(x64|ia32)_sys_/;

const FUNCTIONS: ReadonlySet<string> = new Set([
  '__filemap_add_folio',
  'btrfs_check_leaf',
  'btrfs_cow_block',
  'btrfs_search_slot',
  'btrfs_should_cancel_balance',
  'open_ctree',
  'page_pool_alloc_netmems',
  'should_fail_alloc_page',
  'should_fail_bio',
  'should_fail_net_realloc_skb',
  'should_failslab',
]);

/** Those of them that are called where nobody may sleep. Rule: btf_non_sleepable_error_inject. */
export const ATOMIC_INJECTABLE: ReadonlySet<string> = new Set([
  '__filemap_add_folio',
  'should_fail_alloc_page',
  'should_failslab',
]);

/** Only kernels built for it keep a list of such functions. */
export const isErrorInjectable = (image: KernelImage, name: string): boolean =>
  image.config('CONFIG_FUNCTION_ERROR_INJECTION') === 'y' && (SYSTEM_CALL.test(name) || FUNCTIONS.has(name));
