// All helpers that programs can run with, by family. A helper that is in no table is a fault when it is called.
import type { HelperTable } from '../program.ts';
import { MAP_HELPERS } from './maps.ts';
import { MEMORY_HELPERS } from './memory.ts';
import { OUTPUT_HELPERS } from './output.ts';
import { PACKET_HELPERS } from './packet.ts';
import { SYSTEM_HELPERS } from './system.ts';

export const HELPER_TABLES: readonly HelperTable[] = [
  MAP_HELPERS,
  MEMORY_HELPERS,
  OUTPUT_HELPERS,
  PACKET_HELPERS,
  SYSTEM_HELPERS,
];
