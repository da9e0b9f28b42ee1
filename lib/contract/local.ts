/** Values that policies keep by request, in this process. They are typed, and go with the request. */

/** Holds the values of one request. Copies for a cache or a mirror share it; a refresh in the background has its own. */
export class Locals {
  /** Made by the first value: most requests keep none. */
  values: Map<unknown, unknown> | undefined;
}

/** One value by request, for the hooks of a policy: made in `create`. A value that crosses to the other half goes into `state`. */
export class Local<T> {
  get({ locals }: { readonly locals: Locals }): T | undefined {
    return locals.values?.get(this) as T | undefined;
  }

  set({ locals }: { readonly locals: Locals }, value: T): void {
    locals.values ??= new Map();
    locals.values.set(this, value);
  }
}
