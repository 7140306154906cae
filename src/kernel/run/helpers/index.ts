// All helpers that programs can run with, by family. A helper that is in no table is a fault when it is called.
import type { HelperTable } from '../program.ts';
import { CHECKSUM_HELPERS } from './checksum.ts';
import { DYNPTR_HELPERS } from './dynptr.ts';
import { MAP_HELPERS } from './maps.ts';
import { MEMORY_HELPERS } from './memory.ts';
import { OUTPUT_HELPERS } from './output.ts';
import { PACKET_HELPERS } from './packet.ts';
import { SYSTEM_HELPERS } from './system.ts';

/** Those that need a packet in the context. */
export const PACKET_TABLES: readonly HelperTable[] = [PACKET_HELPERS, CHECKSUM_HELPERS];

export const HELPER_TABLES: readonly HelperTable[] = [
  CHECKSUM_HELPERS,
  DYNPTR_HELPERS,
  MAP_HELPERS,
  MEMORY_HELPERS,
  OUTPUT_HELPERS,
  PACKET_HELPERS,
  SYSTEM_HELPERS,
];
