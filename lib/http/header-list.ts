/**
 * Header fields as they stand on the wire: a flat list of name, value, name, value, in order, duplicates and spelling kept.
 * Values are latin-1 strings, as Node's parser gives them (RFC 9110 section 5.5). Names compare without regard to case, and `_` counts as
 * `-`: to CGI and what grew out of it `X_Tenant` is `X-Tenant`, so that no rule may be blind to it, nor let it stand beside its own.
 */
export class HeaderList {
  readonly pairs: string[];

  constructor(pairs: string[] = []) {
    this.pairs = pairs;
  }

  /** The first value of `name` (given in lower case), or undefined. */
  get(name: string): string | undefined {
    const place = this.indexOf(name);
    return place < 0 ? undefined : this.pairs[place + 1];
  }

  /** Where in `pairs` the next field of `name` (given in lower case) stands; -1 where none does. */
  indexOf(name: string, from = 0): number {
    const { pairs } = this;
    for (let i = from; i < pairs.length; i += 2) if (isReadAs(pairs[i]!, name)) return i;
    return -1;
  }

  /** Every value of `name` (given in lower case), in order. */
  all(name: string): string[] {
    const values: string[] = [];
    for (let i = 0; i < this.pairs.length; i += 2) if (isReadAs(this.pairs[i]!, name)) values.push(this.pairs[i + 1]!);
    return values;
  }

  /** Whether one field at most has that name (given in lower case). */
  isOnly(name: string): boolean {
    const first = this.indexOf(name);
    return first < 0 || this.indexOf(name, first + 2) < 0;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** Whether a field of that name (given in lower case) has that value; any, for `true`. */
  holds(name: string, value: string | true): boolean {
    return value === true ? this.has(name) : this.all(name).includes(value);
  }

  /** Replaces every field of that name by one, in the place of the first. `delete` says what counts as that name. */
  set(name: string, value: string): void {
    const { pairs } = this;
    const wanted = name.toLowerCase();
    let place = -1;
    for (let i = pairs.length - 2; i >= 0; i -= 2) {
      if (!isReadAs(pairs[i]!, wanted)) continue;
      if (place >= 0) this.#deleteAt(place);
      place = i;
    }
    if (place < 0) {
      pairs.push(name, value);
      return;
    }
    if (pairs[place]!.toLowerCase() !== wanted) pairs[place] = name;
    pairs[place + 1] = value;
  }

  append(name: string, value: string): void {
    this.pairs.push(name, value);
  }

  delete(name: string): void {
    const wanted = name.toLowerCase();
    for (let i = this.pairs.length - 2; i >= 0; i -= 2) if (isReadAs(this.pairs[i]!, wanted)) this.#deleteAt(i);
  }

  *[Symbol.iterator](): IterableIterator<[name: string, value: string]> {
    for (let i = 0; i < this.pairs.length; i += 2) yield [this.pairs[i]!, this.pairs[i + 1]!];
  }

  /** By hand: `splice` makes a list of what it takes away. */
  #deleteAt(place: number): void {
    const { pairs } = this;
    for (let i = place + 2; i < pairs.length; i++) pairs[i - 2] = pairs[i]!;
    pairs.length -= 2;
  }
}

/** `lower` is in lower case. */
function isReadAs(name: string, lower: string): boolean {
  return name.length === lower.length && (name === lower || isAlike(name.toLowerCase(), lower));
}

function isAlike(name: string, lower: string): boolean {
  return name === lower || ((name.includes("_") || lower.includes("_")) && asRead(name) === asRead(lower));
}

/** The name as CGI reads it, of one in lower case. */
export function asRead(lower: string): string {
  return lower.includes("_") ? lower.replaceAll("_", "-") : lower;
}

/** The first value of the field of exactly that name: for what one sender says, where another may have added a lookalike. */
export function exactValue({ pairs }: HeaderList, lower: string): string | undefined {
  for (let i = 0; i < pairs.length; i += 2) if (isNamed(pairs[i]!, lower)) return pairs[i + 1];
  return undefined;
}

/** `lower` is in lower case. */
export function isNamed(name: string, lower: string): boolean {
  return name.length === lower.length && (name === lower || name.toLowerCase() === lower);
}
