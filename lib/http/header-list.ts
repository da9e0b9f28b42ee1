/**
 * Header fields as they stand on the wire: a flat list of name, value, name, value, in order, duplicates and spelling kept.
 * Values are latin-1 strings, as Node's parser gives them (RFC 9110 section 5.5). Names compare without regard to case.
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
    for (let i = from; i < pairs.length; i += 2) if (isNamed(pairs[i]!, name)) return i;
    return -1;
  }

  /** Every value of `name` (given in lower case), in order. */
  all(name: string): string[] {
    const values: string[] = [];
    for (let i = 0; i < this.pairs.length; i += 2) if (isNamed(this.pairs[i]!, name)) values.push(this.pairs[i + 1]!);
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

  /** Replaces every field of that name by one, in the place of the first. `delete` says what counts as that name. */
  /** Whether a field of that name (given in lower case) has that value; any, for `true`. */
  holds(name: string, value: string | true): boolean {
    return value === true ? this.has(name) : this.all(name).includes(value);
  }

  set(name: string, value: string): void {
    const { pairs } = this;
    const wanted = asRead(name);
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
    if (pairs[place]!.toLowerCase() !== name.toLowerCase()) pairs[place] = name;
    pairs[place + 1] = value;
  }

  append(name: string, value: string): void {
    this.pairs.push(name, value);
  }

  /** `_` counts as `-`, as it does for CGI: a client's `X_Secret` must not stand beside the `x-secret` that the gateway sets. */
  delete(name: string): void {
    const wanted = asRead(name);
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

function asRead(name: string): string {
  const lower = name.toLowerCase();
  return lower.includes("_") ? lower.replaceAll("_", "-") : lower;
}

function isReadAs(name: string, wanted: string): boolean {
  return name.length === wanted.length && (name === wanted || asRead(name) === wanted);
}

/** `lower` is in lower case. */
export function isNamed(name: string, lower: string): boolean {
  return name.length === lower.length && (name === lower || name.toLowerCase() === lower);
}
