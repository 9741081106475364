import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Where the server serves the page; nothing in it names a host.
  base: '/console/',
  resolve: {
    alias: { '@carillon/client': fileURLToPath(new URL('../clients/typescript/src/index.ts', import.meta.url)) },
  },
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  build: {
    target: 'es2022',
    // The page's Content-Security-Policy takes no data: address.
    assetsInlineLimit: 0,
  },
  test: { include: ['tests/*.test.ts'], environment: 'node' },
});
