import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { arrivals, mayGreet } from './router'
import { site } from './site'

/** The heading of a page, which gets the focus after a navigation, for screen readers. The first page leaves it to the browser. */
export function Heading({ title, children = title }: { title: string; children?: ComponentChildren }) {
  const ref = useRef<HTMLHeadingElement>(null)
  const arrival = arrivals.value
  // Before the next key, which may be meant for something else.
  useLayoutEffect(() => {
    document.title = `${title} · ${site.name}`
    if (mayGreet()) ref.current?.focus({ preventScroll: true })
  }, [title, arrival])
  return (
    <h1 ref={ref} tabIndex={-1}>
      {children}
    </h1>
  )
}
