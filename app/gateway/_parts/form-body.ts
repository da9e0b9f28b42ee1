/** The body that a form stands for. `data-as` of a field says how it is read; a name with a dot is a member of a member. */
const DAY_MS = 86_400_000;

type Field = HTMLInputElement | HTMLSelectElement;

export function bodyOf(form: HTMLFormElement): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const field of form.querySelectorAll<Field>("input[name], select[name]")) {
    const value = field.value.trim();
    if (value === "") continue;
    // The name of the field that follows is the choice of this one.
    if (field.dataset["as"] === "name-of-next") continue;
    const before = form.querySelector<Field>(`[data-as="name-of-next"][data-next="${field.name}"]`);
    put(body, before?.value ?? field.name, read(value, field.dataset["as"]));
  }
  return body;
}

function put(body: Record<string, unknown>, name: string, value: unknown): void {
  const dot = name.indexOf(".");
  if (dot < 0) {
    body[name] = value;
    return;
  }
  const outer = name.slice(0, dot);
  const inner = (body[outer] ?? {}) as Record<string, unknown>;
  inner[name.slice(dot + 1)] = value;
  body[outer] = inner;
}

function read(value: string, as: string | undefined): unknown {
  if (as === "list") return value.split(/[\s,]+/);
  if (as === "number") return Number(value);
  if (as === "days") return new Date(Date.now() + Number(value) * DAY_MS).toISOString();
  return value;
}
