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
    const { pairs } = this;
    for (let i = 0; i < pairs.length; i += 2) if (isNamed(pairs[i]!, name)) return pairs[i + 1]!;
    return undefined;
  }

  /** Every value of `name` (given in lower case), in order. */
  all(name: string): string[] {
    const values: string[] = [];
    for (let i = 0; i < this.pairs.length; i += 2) if (isNamed(this.pairs[i]!, name)) values.push(this.pairs[i + 1]!);
    return values;
  }

  /** Whether one field at most has that name (given in lower case). */
  isOnly(name: string): boolean {
    let seen = false;
    for (let i = 0; i < this.pairs.length; i += 2) {
      if (!isNamed(this.pairs[i]!, name)) continue;
      if (seen) return false;
      seen = true;
    }
    return true;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** Replaces every field of that name by one, in the place of the first. `delete` says what counts as that name. */
  set(name: string, value: string): void {
    const { pairs } = this;
    const wanted = asRead(name);
    let place = -1;
    for (let i = pairs.length - 2; i >= 0; i -= 2) {
      if (pairs[i]!.length !== wanted.length || asRead(pairs[i]!) !== wanted) continue;
      if (place >= 0) pairs.splice(place, 2);
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
    for (let i = this.pairs.length - 2; i >= 0; i -= 2) {
      const held = this.pairs[i]!;
      if (held.length === wanted.length && asRead(held) === wanted) this.pairs.splice(i, 2);
    }
  }

  *[Symbol.iterator](): IterableIterator<[name: string, value: string]> {
    for (let i = 0; i < this.pairs.length; i += 2) yield [this.pairs[i]!, this.pairs[i + 1]!];
  }
}

function asRead(name: string): string {
  return name.toLowerCase().replaceAll("_", "-");
}

/** `lower` is in lower case. */
export function isNamed(name: string, lower: string): boolean {
  return name.length === lower.length && (name === lower || name.toLowerCase() === lower);
}
