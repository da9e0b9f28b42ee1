/** The header fields of the request that a CORS preflight asks about: of most it tells the names, and of none the value. */
import { asRead, HeaderList } from "./header-list.ts";

/** A condition holds where its field is named in Access-Control-Request-Headers (Fetch standard), or by what the preflight has itself. */
export class AskedFields extends HeaderList {
  readonly #names: ReadonlySet<string>;

  constructor({ pairs }: HeaderList, names: string) {
    super(pairs);
    this.#names = new Set(names.split(",").map((name) => asRead(name.trim().toLowerCase())));
  }

  override holds(name: string, value: string | true): boolean {
    return this.#names.has(asRead(name)) || super.holds(name, value);
  }
}
