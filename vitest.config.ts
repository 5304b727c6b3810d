import path from 'node:path';
import { defineConfig } from 'vitest/config';

const alias = {
  '@': import.meta.dirname,
  '@mealtable/protocol': path.join(import.meta.dirname, 'protocol'),
  '@mealtable/trainer': path.join(import.meta.dirname, 'trainer'),
};
const shared = {
  testTimeout: 90_000,
  hookTimeout: 120_000,
  pool: 'forks' as const,
  globalSetup: ['./test/support/global-setup.ts'],
};

export default defineConfig({
  test: {
    reporters: ['default', './test/support/count-reporter.ts'],
    projects: [
      {
        resolve: { alias },
        test: {
          ...shared,
          name: 'parts',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: ['test/system/**', 'test/long/**'],
          maxWorkers: 2,
        },
      },
      {
        resolve: { alias },
        test: {
          ...shared,
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 600_000,
        },
      },
      {
        // Proofs that take minutes: each has an npm script of its own.
        resolve: { alias },
        test: { ...shared, name: 'long', include: ['test/long/**/*.test.ts'] },
      },
    ],
  },
});
