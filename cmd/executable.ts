// The binary as a single executable: the kernel image's files are assets inside it.
import { getRawAsset } from 'node:sea';
import { setDefaultDataSource } from '../src/kernel/image/data-source.ts';

setDefaultDataSource((file) => {
  try {
    return new Uint8Array(getRawAsset(`data/${file}`));
  } catch {
    return undefined;
  }
});

import('./main.ts');
