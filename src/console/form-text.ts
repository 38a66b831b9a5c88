/** What the fields of a form hold, by name. */
export type Text = Record<string, string | undefined>

export const textOf = (form: HTMLFormElement): Text =>
  Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]))

/**
 * What the form held before anything was typed. Fields may alter what they are given, such as its line breaks,
 * so what they hold is never compared with that.
 */
export function textBefore(form: HTMLFormElement): Text {
  const copy = form.cloneNode(true)
  if (!(copy instanceof HTMLFormElement)) return {}
  copy.reset()
  return textOf(copy)
}

/** The fields that are filled in by half, such as a date without its year: their value is empty. */
export const halfFilled = (form: HTMLFormElement): string[] =>
  [...form.elements].flatMap((field) =>
    field instanceof HTMLInputElement && field.validity.badInput ? [field.name] : [],
  )
