/** SQLite's primary result codes, as node:sqlite puts them on its errors. */
export const SQLITE_BUSY = 5;
export const SQLITE_FULL = 13;
/** Extended: a write that the operating system refused, for a limit on file sizes or a quota. */
const SQLITE_IOERR_WRITE = 778;

/** Undefined for what is no error of SQLite. */
export function resultCode(error: unknown): number | undefined {
  const code = (error as { errcode?: number } | undefined)?.errcode;
  return code === undefined ? undefined : code & 0xff;
}

/** Whether there is no room to write, on the disk or within the bound of the file. */
export function hasNoRoom(error: unknown): boolean {
  return resultCode(error) === SQLITE_FULL || (error as { errcode?: number } | undefined)?.errcode === SQLITE_IOERR_WRITE;
}
