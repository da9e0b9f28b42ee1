/** A frontend that has the gateway under its own origin: no CORS, and cookies of its own. GATEWAY_URL is the gateway's address. */
import { join } from "node:path";
import type { NextConfig } from "next";

const nextConfig: NextConfig = {
  rewrites: async () => [{ source: "/api/:path*", destination: `${process.env["GATEWAY_URL"]}/api/:path*` }],
  // Only because this frontend stands within another project's folder.
  turbopack: { root: join(import.meta.dirname, "../../../..") },
};

export default nextConfig;
