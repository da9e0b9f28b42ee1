/** A value, or a promise of one: no promise is made where none is needed. */
export type MaybePromise<T> = T | Promise<T>;
