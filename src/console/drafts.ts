import { textBefore } from './form-text'

// Keeps what was typed into a form when the session ended, until the next sign-in. Passwords are never kept.

const KEY = 'redlight.draft'
type Draft = { address: string; text: Record<string, string>; version: string | undefined }
const address = () => location.pathname + location.search

export function keepDrafts() {
  const form = document.querySelector<HTMLFormElement>('form[data-keep="changed"]')
  if (form === null) return
  // Unchanged fields are left out: others may have changed them by the time of the next sign-in.
  const before = textBefore(form)
  const changed = [...form.elements].filter(isText).filter(({ name, value }) => value !== before[name])
  const text = Object.fromEntries(changed.map(({ name, value }) => [name, value]))
  const draft: Draft = { address: address(), text, version: form.dataset.version }
  try {
    sessionStorage.setItem(KEY, JSON.stringify(draft))
  } catch {
    // Where the browser allows no storage, the text is lost.
  }
}

const isText = (field: Element): field is HTMLInputElement | HTMLTextAreaElement =>
  field instanceof HTMLTextAreaElement || (field instanceof HTMLInputElement && field.type !== 'password')

/** Puts the text back into the form of the same page; returns the draft, if there was one. */
export function restoreDraft(form: HTMLFormElement): Draft | undefined {
  let draft: Draft | null = null
  try {
    draft = JSON.parse(sessionStorage.getItem(KEY) ?? 'null')
    if (draft?.address === address()) sessionStorage.removeItem(KEY)
  } catch {
    return undefined
  }
  if (draft?.address !== address()) return undefined
  for (const [name, value] of Object.entries(draft.text)) {
    const field = form.elements.namedItem(name)
    if (field instanceof Element && isText(field)) field.value = value
  }
  return draft
}
