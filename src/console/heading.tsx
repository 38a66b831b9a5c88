import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { arrivals } from './router'
import { site } from './site'

/** The navigations whose heading has had the focus; a first page leaves it to the browser. */
let greeted = arrivals.peek()

/** The heading of a page, where a screen reader goes on from after a navigation. */
export function Heading({ title, children = title }: { title: string; children?: ComponentChildren }) {
  const ref = useRef<HTMLHeadingElement>(null)
  const arrival = arrivals.value
  useEffect(() => {
    document.title = `${title} · ${site.name}`
    if (arrival === greeted) return
    greeted = arrival
    ref.current?.focus({ preventScroll: true })
  }, [title, arrival])
  return (
    <h1 ref={ref} tabIndex={-1}>
      {children}
    </h1>
  )
}
