import { useLayoutEffect, useRef } from 'preact/hooks'
import { arrivals, guard, navigate, pathname, url, withQuery } from './router'

const TYPING_MS = 150

/** Searches as you type, at each pause; Back undoes the whole typing. */
export function SearchBox() {
  const input = useRef<HTMLInputElement>(null)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  const asked = useRef('')
  /** The address is from this typing, so further typing replaces it. */
  const isTyping = useRef(false)
  const q = pathname() === '/' ? (url.value.searchParams.get('q') ?? '') : ''
  // Layout effects run before the next key, which later ones could undo.
  useLayoutEffect(() => {
    if (q === asked.current) return
    if (input.current) input.current.value = q
    asked.current = q
    isTyping.current = false
  }, [q])
  // Leaving the page before the pause cancels the search.
  useLayoutEffect(() => {
    clearTimeout(timer.current)
    if (input.current) input.current.value = asked.current
  }, [arrivals.value])
  useLayoutEffect(() => focusOnSlash(() => input.current), [])

  function search({ isDone = false } = {}) {
    clearTimeout(timer.current)
    const value = input.current?.value.trim() ?? ''
    if (isDone) isTyping.current = false
    if (value === asked.current) return
    const isList = pathname() === '/'
    // Of a changed form, only Enter asks whether to leave it, not a pause.
    if (!isDone && !isList && guard.isDirty?.()) return
    navigate(isList ? withQuery({ q: value, page: undefined }) : `/?q=${encodeURIComponent(value)}`, {
      replace: isTyping.current && isList,
      inPlace: isList,
      keepFocus: true,
      first: () => {
        asked.current = value
        isTyping.current = !isDone
      },
    })
  }
  function onKeyDown(event: KeyboardEvent) {
    if (event.key !== 'Escape' || !input.current) return
    event.preventDefault()
    input.current.value = ''
    search()
  }
  return (
    <search>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          search({ isDone: true })
        }}
      >
        <input
          ref={input}
          type="search"
          aria-label="Search movies"
          aria-keyshortcuts="/"
          placeholder="Search movies"
          autocomplete="off"
          spellcheck={false}
          maxLength={500}
          onInput={() => {
            clearTimeout(timer.current)
            timer.current = setTimeout(search, TYPING_MS)
          }}
          onKeyDown={onKeyDown}
          onBlur={() => {
            isTyping.current = false
          }}
        />
      </form>
    </search>
  )
}

function focusOnSlash(box: () => HTMLInputElement | null) {
  const onKey = (event: KeyboardEvent) => {
    const isBusy =
      event.target instanceof Element &&
      event.target.closest('input:not([type="checkbox"]), textarea, dialog')
    if (event.key !== '/' || isBusy || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    box()?.focus()
    box()?.select()
  }
  addEventListener('keydown', onKey)
  return () => removeEventListener('keydown', onKey)
}
