/** The settings that the Vercel shape has as well, where they cost or save time. */
import { join } from "node:path";

export default {
  compress: false,
  poweredByHeader: false,
  skipTrailingSlashRedirect: true,
  skipProxyUrlNormalize: true,
  turbopack: { root: join(import.meta.dirname, "..", "..", "..") },
};
