/** The config of the console's tests: something of all that pages show. */
import { join } from "node:path";

export const CONFIG = join(import.meta.dirname, "gateway.config.yaml");
