import { batch, signal } from '@preact/signals'

/** The path prefix that a proxy may have added, from the script's own URL: …/docs/assets/<version>/main.js */
export const base = new URL('../../../', import.meta.url).pathname.replace(/\/$/, '')

const read = () => new URL(location.href)
/** The address is the state: it holds everything that can be shared or returned to. */
export const url = signal(read())
const pathOf = ({ pathname }: URL) => pathname.slice(base.length) || '/'
export const pathname = () => pathOf(url.value)
/** The address of a page, for a link. */
export const to = (path: string) => base + path

type Kept = { y?: number; index?: number }
const kept = (): Kept => history.state ?? {}
const keepScroll = () => history.replaceState({ ...kept(), y: scrollY } satisfies Kept, '')

/** Whether leaving would lose something typed. */
export const guard: { isDirty: (() => boolean) | undefined } = { isDirty: undefined }
/** The navigation that waits for the answer to "Leave without saving?". */
export const leaving = signal<(() => void) | undefined>(undefined)
export function answerLeaving(mayLeave: boolean) {
  const go = leaving.value
  leaving.value = undefined
  if (!mayLeave) return
  guard.isDirty = undefined
  go?.()
}

/** Counts navigations after which the next heading takes the focus. */
export const arrivals = signal(0)
/** What had the focus at the last of them, until a heading has asked for it. */
let left: Element | null | undefined
/** Both at once, so that no heading of the page that is left takes it for its own arrival. */
function arrive() {
  left = document.activeElement
  batch(() => {
    url.value = read()
    arrivals.value++
  })
}
/** Whether a heading may take the focus: once an arrival, unless the person has put it elsewhere since. */
export function mayGreet(): boolean {
  const from = left
  left = undefined
  return from !== undefined && [from, document.body, null].includes(document.activeElement)
}
let index = kept().index ?? 0

type Way = {
  replace?: boolean
  /** Same page, other content: the focus and the scroll position stay. */
  inPlace?: boolean
  /** The focus stays on another page too. */
  keepFocus?: boolean
  /** Called before, unless the person stays. */
  first?: () => void
}
export function navigate(path: string, way: Way = {}) {
  const { replace = false, inPlace = false, keepFocus = false } = way
  if (!inPlace && guard.isDirty?.()) {
    leaving.value = () => navigate(path, way)
    return
  }
  if (!inPlace) guard.isDirty = undefined
  leaving.value = undefined
  way.first?.()
  const target = new URL(path.startsWith('/') ? base + path : path, location.href)
  if (!isPage(pathOf(target))) {
    if (replace) location.replace(target)
    else location.assign(target)
    return
  }
  if (replace) history.replaceState(history.state, '', target)
  else {
    keepScroll()
    history.pushState({ index: ++index } satisfies Kept, '', target)
  }
  if (inPlace) {
    url.value = read()
    return
  }
  if (keepFocus) {
    left = undefined
    url.value = read()
  } else arrive()
  stopRestoring()
  scrollTo(0, 0)
}

/** The current page with some parameters changed; empty ones are removed. */
export function withQuery(changes: Record<string, string | undefined>) {
  const next = new URLSearchParams(url.value.search)
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === '') next.delete(name)
    else next.set(name, value)
  }
  const query = next.toString()
  return pathname() + (query === '' ? '' : `?${query}`)
}

/** Other than perhaps in the fragment. A part of a page is no other page, even if its address was typed. */
const isSamePage = ({ pathname, search }: { pathname: string; search: string }) =>
  pathname === url.value.pathname && search === url.value.search

let isReturning = false
function onPopState() {
  if (isReturning) {
    isReturning = false
    return
  }
  const next = read()
  if (isSamePage(next)) {
    index = kept().index ?? index
    return
  }
  const to = kept().index ?? 0
  const by = to - index
  if (guard.isDirty?.() && by !== 0) {
    isReturning = true
    history.go(-by)
    leaving.value = () => history.go(by)
    return
  }
  index = to
  arrive()
  restoreScroll(kept().y ?? 0)
}

let stopRestoring = () => {}
/** Goes on as the content grows, until it is long enough or the person does something. */
function restoreScroll(y: number) {
  stopRestoring()
  const growth = new ResizeObserver(() => {
    scrollTo(0, y)
    if (scrollY >= y - 1) stopRestoring()
  })
  growth.observe(document.body)
  const byPerson = ['wheel', 'touchmove', 'pointerdown', 'keydown']
  stopRestoring = () => {
    growth.disconnect()
    for (const event of byPerson) removeEventListener(event, stopRestoring)
  }
  for (const event of byPerson) addEventListener(event, stopRestoring, { passive: true })
}

/**
 * Goes to a part of this page without a navigation: the browser would tell of it later, when something else may have
 * the focus.
 */
function enter(part: HTMLElement) {
  part.scrollIntoView()
  part.focus({ preventScroll: true })
}

/** A clicked link, if it leads to a page of the console in this tab. */
function inHouse(event: MouseEvent): HTMLAnchorElement | undefined {
  const link = event.target instanceof Element ? event.target.closest('a') : null
  if (!link || event.defaultPrevented || event.button !== 0) return undefined
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return undefined
  if (link.target !== '' || link.hasAttribute('download')) return undefined
  const isHere = link.origin === location.origin && `${link.pathname}/`.startsWith(`${base}/`)
  return isHere ? link : undefined
}

/** Whether the console has a page at this path. */
let isPage = (_path: string) => true

/** Called once: makes links, Back and Forward navigations, and asks before a changed form is left. */
export function startRouter(hasPage: typeof isPage) {
  isPage = hasPage
  history.scrollRestoration = 'manual'
  addEventListener('beforeunload', (event) => {
    keepScroll()
    if (guard.isDirty?.()) event.preventDefault()
  })
  addEventListener('popstate', onPopState)
  document.addEventListener('click', (event) => {
    const link = inHouse(event)
    if (link === undefined) return
    event.preventDefault()
    const part = isSamePage(link) ? document.getElementById(link.hash.slice(1)) : null
    if (part) enter(part)
    else navigate(link.href)
  })
  // After a reload.
  if (kept().y !== undefined) restoreScroll(kept().y ?? 0)
}
