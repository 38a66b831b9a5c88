import { useLayoutEffect, useRef } from 'preact/hooks'
import { arrivals, navigate, pathname, url, withQuery } from './router'

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

  function search() {
    clearTimeout(timer.current)
    const value = input.current?.value.trim() ?? ''
    if (value === asked.current) return
    asked.current = value
    const isList = pathname() === '/'
    const way = { replace: isTyping.current && isList, inPlace: isList }
    if (isList) navigate(withQuery({ q: value, page: undefined }), way)
    else if (value !== '') navigate(`/?q=${encodeURIComponent(value)}`, { keepFocus: true })
    isTyping.current = true
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
          search()
          isTyping.current = false
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
    const isBusy = event.target instanceof Element && event.target.closest('input, textarea, select, dialog')
    if (event.key !== '/' || isBusy || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    box()?.focus()
    box()?.select()
  }
  addEventListener('keydown', onKey)
  return () => removeEventListener('keydown', onKey)
}
