/** The same for a frontend made with Vite: its dev server hands /api to the gateway. Deployed, the host's own rewrite does (vercel.json). */
import { defineConfig } from "vite";

export default defineConfig({
  server: { proxy: { "/api": { target: process.env["GATEWAY_URL"]! } } },
});
