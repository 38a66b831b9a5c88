// What was typed when the session ended, until it is signed in again. Passwords are never kept.

const KEY = 'redlight.draft'
type Draft = { address: string; text: Record<string, string> }
const address = () => location.pathname + location.search

export function keepDrafts() {
  const form = document.querySelector<HTMLFormElement>('form[data-keep="changed"]')
  if (form === null) return
  const text = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]))
  for (const { name } of form.querySelectorAll<HTMLInputElement>('input[type="password"]')) delete text[name]
  const draft: Draft = { address: address(), text }
  try {
    sessionStorage.setItem(KEY, JSON.stringify(draft))
  } catch {
    // A browser that stores nothing loses the text.
  }
}

/** Puts the text back into the form of the same page; says whether there was any. */
export function restoreDraft(form: HTMLFormElement): boolean {
  let draft: Draft | null = null
  try {
    draft = JSON.parse(sessionStorage.getItem(KEY) ?? 'null')
    if (draft?.address === address()) sessionStorage.removeItem(KEY)
  } catch {
    return false
  }
  if (draft?.address !== address()) return false
  for (const [name, value] of Object.entries(draft.text)) {
    const field = form.elements.namedItem(name)
    if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) field.value = value
  }
  return true
}
