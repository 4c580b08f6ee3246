import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [vue()],
  build: {
    target: "es2022",
    chunkSizeWarningLimit: 1500, // the map library is one piece
    rollupOptions: { output: { manualChunks: { map: ["maplibre-gl"] } } },
  },
  define: { __VUE_I18N_FULL_INSTALL__: false, __VUE_I18N_LEGACY_API__: false, __INTLIFY_PROD_DEVTOOLS__: false },
  server: { proxy: { "/v1": "http://127.0.0.1:8080" } },
});
