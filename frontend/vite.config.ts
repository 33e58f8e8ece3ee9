import { defineConfig } from "vitest/config";

// Entry files keep fixed names so that the template can name them; everything they load in turn carries a hash.
export default defineConfig({
  base: "./",
  build: {
    outDir: "static/build",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: false,
    rollupOptions: {
      input: { app: "src/main.ts" },
      output: {
        entryFileNames: "[name].js",
        chunkFileNames: "chunks/[name]-[hash].js",
        assetFileNames: (asset) => (asset.names.includes("app.css") ? "app.css" : "chunks/[name]-[hash][extname]"),
      },
    },
  },
  test: { include: ["src/**/*.test.ts"], environment: "node" },
});
