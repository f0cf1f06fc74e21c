import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/** What moves the product's clock comes last: others count in days from now. */
class ClockLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const moves = (file: TestSpecification) => Number(file.moduleId.endsWith('purchase.test.ts'));
    return (await super.sort(files)).sort((one, other) => moves(one) - moves(other));
  }
}

/** Browser tests: one Chromium, one file after the other; of looks at pages, three at a time. */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  cacheDir: fileURLToPath(new URL('../../node_modules/.vite-e2e', import.meta.url)),
  test: {
    include: ['*.test.ts'],
    environment: 'node',
    fileParallelism: false,
    maxConcurrency: 3,
    sequence: { sequencer: ClockLast },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
