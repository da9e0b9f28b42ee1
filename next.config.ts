/** Every setting that keeps Next out of the way of requests that are not its own; docs/design.md says which trap each avoids. */
import { randomBytes } from "node:crypto";
import type { NextConfig } from "next";
import { artifact } from "./.frontdesk/build/compiled.ts";
import { readEnvironment } from "./lib/config/env.ts";
import { largestBody } from "./lib/config/references.ts";
import { explainNextNotice } from "./lib/hosts/next-notice.ts";
import { largestNextBody } from "./lib/hosts/vercel/next-uploads.ts";

explainNextNotice(console);

/** Reads its compiled config at start, for tests; `npm run types` has checked the same files. */
const isTestBuild = process.env.GATEWAY_TEST_BUILD === "1";
const maxBodyBytes = largestBody(artifact, readEnvironment().variables);

const nextConfig: NextConfig = {
  distDir: isTestBuild ? ".next-test" : ".next",
  assetPrefix: "/gateway",
  compress: false,
  poweredByHeader: false,
  images: { unoptimized: true },
  skipTrailingSlashRedirect: true,
  skipProxyUrlNormalize: true,
  // The config that a user wrote is checked with the build; tests and tools are not part of it.
  typescript: { tsconfigPath: "tsconfig.next.json", ignoreBuildErrors: isTestBuild },
  // `npm run dev` says http://127.0.0.1:4000, where Next would take its own pages for another site's.
  allowedDevOrigins: ["127.0.0.1", "localhost"],
  turbopack: { root: import.meta.dirname },
  env: { FRONTDESK_BUILD_KEY: randomBytes(32).toString("base64url") },
  experimental: {
    validateRSCRequestHeaders: false,
    multiZoneDraftMode: true,
    proxyClientMaxBodySize: largestNextBody(maxBodyBytes),
  },
};

export default nextConfig;
