/**
 * When what has the focus disappears, the browser lets it fall to the page's top. It goes to the next control in the
 * table then, or else to the heading of the section or of the page. Returns a function that stops this.
 */
export function keepFocus(content: Element): () => void {
  let last: Element | undefined
  const onFocus = ({ target }: Event) => {
    last = target instanceof Element ? target : undefined
  }
  // Some browsers also send this for what is removed, before it is.
  const onBlur = ({ target }: Event) =>
    queueMicrotask(() => {
      if (target === last && last?.isConnected) last = undefined
    })
  const observer = new MutationObserver((changes) => {
    const lost = last
    if (lost === undefined || lost.isConnected || document.activeElement !== document.body) return
    last = undefined
    const change = changes.find(({ removedNodes }) => [...removedNodes].some((node) => node.contains(lost)))
    const next = (change && (nextInTable(change) ?? headingNear(change))) ?? content.querySelector('h1')
    next?.focus({ preventScroll: next.matches('h1') })
  })
  document.addEventListener('focusin', onFocus)
  document.addEventListener('focusout', onBlur)
  observer.observe(content, { childList: true, subtree: true })
  return () => {
    document.removeEventListener('focusin', onFocus)
    document.removeEventListener('focusout', onBlur)
    observer.disconnect()
  }
}

const headingNear = ({ target }: MutationRecord) =>
  target instanceof Element
    ? target.closest('section')?.querySelector<HTMLElement>('h2[tabindex]')
    : undefined

/** The last control of a row is the one that asks first. */
function nextInTable({ target, nextSibling, previousSibling }: MutationRecord): HTMLElement | undefined {
  if (!(target instanceof Element) || !target.isConnected || target.closest('tbody') === null) return
  for (const near of [nextSibling, previousSibling]) {
    if (near instanceof HTMLButtonElement) return near
    const controls = near instanceof Element ? near.querySelectorAll<HTMLElement>('button, a') : []
    if (controls.length > 0) return controls[controls.length - 1]
  }
}
