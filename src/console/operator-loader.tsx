import { signal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { useEffect } from 'preact/hooks'
import { can, user } from './session'
import { Failed, Loading, NotAllowed } from './states'

const Part = signal<ComponentType | undefined>(undefined)
const problem = signal<unknown>(undefined)

function load() {
  problem.value = undefined
  import('./operator/pages').then(
    (part) => {
      Part.value = part.OperatorPages
    },
    (error) => {
      problem.value = error
    },
  )
}

/** The operator's part, which is loaded only when it is opened. The server decides; this spares a question. */
export function Operator() {
  const isAllowed = can('admin')
  useEffect(() => {
    if (isAllowed && Part.value === undefined) load()
  }, [isAllowed])
  if (user.value === undefined) return <Loading what="the page" />
  if (!isAllowed) return <NotAllowed title="Operator" />
  if (problem.value) return <Failed error={problem.value} retry={load} />
  const Pages = Part.value
  return Pages ? <Pages /> : <Loading what="the page" />
}
