import { expect, it } from 'vitest';
import { ARM64_DEFAULTS, arm64Settings, threadInfoCpu } from './settings.ts';
import { testImage } from './testing/test-image.ts';

const image = testImage();
const config = (name: string): string | undefined => (name === 'CONFIG_ARM64_BTI_KERNEL' ? 'y' : undefined);

it('an image says what its machine is like', () => {
  expect(arm64Settings(testImage({ ...ARM64_DEFAULTS, lse: false }))).toEqual({ ...ARM64_DEFAULTS, lse: false });
});

it('what an arm64 image does not say is read from the options of its kernel', () => {
  const cpu = { ...image.cpu, arm64: { pac: true } };
  expect(arm64Settings({ ...image, cpu, config })).toEqual({ ...ARM64_DEFAULTS, bti: true });
  expect(arm64Settings({ ...image, cpu: { ...image.cpu, arm64: undefined }, config })).toMatchObject({ pac: false });
});

it('other images have the common machine', () => {
  const other = { ...image, machine: 'x86_64', cpu: { ...image.cpu, arm64: undefined }, config };
  expect(arm64Settings(other)).toEqual(ARM64_DEFAULTS);
});

it('the number of the processor lies where the image or the options of the kernel put it', () => {
  expect(threadInfoCpu(image, ARM64_DEFAULTS)).toBe(16);
  const other = { ...image, machine: 'x86_64' };
  expect(threadInfoCpu(other, ARM64_DEFAULTS)).toBe(16);
  expect(threadInfoCpu(other, { ...ARM64_DEFAULTS, softwarePan: true, shadowCallStack: true })).toBe(40);
});
