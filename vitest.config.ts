import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts'],
    // Two workers fit two cores; many tests start servers and processes of their own.
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
    // A person reads the first; scripts/test.ts takes its closing line from the second.
    reporters: ['default', ['json', { outputFile: 'node_modules/.cache/octroi/vitest.json' }]],
  },
})
