/** Waits for a condition instead of for a time. */

const PATIENCE_MS = 20_000;

/** The first truthy value of `condition`, asked again until then; fails by naming what never came. */
export async function until<T>(condition: () => T | Promise<T>, what: string, patienceMs = PATIENCE_MS): Promise<NonNullable<T>> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
