/** A caller whose place is looked up when somebody first asks for it: most configs never do. */
import type { Client } from "../../contract/request.ts";
import type { ClientStatement } from "../../http/client-statement.ts";
import type { Geo } from "../../http/geo.ts";
import type { Locate } from "./geo-database.ts";

export class LocatedClient implements Client {
  readonly ip: string | undefined;
  readonly frontend: ClientStatement | undefined;
  readonly isDisputed: boolean | undefined;
  readonly #locate: Locate | undefined;
  #geo: Geo | undefined;
  #isLocated = false;

  constructor(ip: string | undefined, locate: Locate | undefined, frontend?: ClientStatement, isDisputed?: boolean) {
    this.ip = ip;
    this.frontend = frontend;
    this.isDisputed = isDisputed;
    this.#locate = locate;
  }

  get geo(): Geo | undefined {
    if (!this.#isLocated && this.ip !== undefined) this.#geo = this.#locate?.(this.ip);
    this.#isLocated = true;
    return this.#geo;
  }
}
