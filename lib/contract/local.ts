/** What a policy keeps of one request in this process: typed, and gone with the request. */

/** One for each request. A copy that the gateway makes of it (for a cache or a mirror) has the same one, a later refresh its own. */
export class Locals {
  /** Made by the first value: most requests keep none. */
  values: Map<unknown, unknown> | undefined;
}

/** A value by request, for hooks of one policy: made in `create`. What must cross to the other half goes into `carry`. */
export class Local<T> {
  get({ locals }: { readonly locals: Locals }): T | undefined {
    return locals.values?.get(this) as T | undefined;
  }

  set({ locals }: { readonly locals: Locals }, value: T): void {
    locals.values ??= new Map();
    locals.values.set(this, value);
  }
}
