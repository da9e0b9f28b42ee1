/** What is compiled, and for where. */
import type { RedisOnVercel } from "../config/env.ts";
import type { ConfigPath, Position } from "../config/issue.ts";
import type { Variables } from "../config/references.ts";
import type { VercelJson } from "./checks/regions.ts";

/** A config as it was found, with what is needed to speak about it. */
export interface Source {
  readonly value: unknown;
  /** The file or variable that it came from, for messages. */
  readonly origin: string;
  /** The TypeScript file, absolute, where it is one: a bundle imports its custom policies from there. */
  readonly module?: string;
  locate(place: ConfigPath): Position | undefined;
}

export interface CompileOptions {
  /** Rules of Vercel's alone are errors there and warnings elsewhere. */
  readonly vercel: boolean;
  /** On Vercel: whether there is a store that instances share. Absent where it is not known, or not needed. */
  readonly redis?: RedisOnVercel | undefined;
  /** On Vercel: whether CRON_SECRET is set. Absent where it is not known. */
  readonly hasCronSecret?: boolean | undefined;
  /** Whether a database tells the Node host where callers are. Absent where nobody asks. */
  readonly geoDatabase?: boolean | undefined;
  /** Whether GATEWAY_TRUST_PROXY names proxies. Absent where nobody asks. */
  readonly trustsProxy?: boolean | undefined;
  /** Where requests must not fail on purpose. */
  readonly production?: boolean;
  /** What vercel.json says; absent where there is none. */
  readonly vercelJson?: VercelJson | undefined;
  /** Where the result is written into a build artifact: the values of variables, of which it must hold none. */
  readonly keepOut?: Variables;
}
