import { signal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { useEffect } from 'preact/hooks'
import { call, isRefusal } from './api'
import { whenReached } from './offline'
import { can, user } from './session'
import { Failed, Loading, NotAllowed } from './states'
import { WaitForUser } from './who'

const Part = signal<ComponentType | undefined>(undefined)
const problem = signal<unknown>(undefined)

async function load() {
  problem.value = undefined
  try {
    const { OperatorPages } = await import('./operator/pages')
    Part.value = OperatorPages
  } catch (error) {
    problem.value = await upgraded(error)
  }
}

/** After an upgrade the service no longer has this version's files: reloads the page, once. */
async function upgraded(error: unknown): Promise<unknown> {
  try {
    await call('GET', '/v1/healthcheck')
  } catch (unreachable) {
    return unreachable
  }
  if (history.state?.isReloaded) return error
  history.replaceState({ ...history.state, isReloaded: true }, '')
  location.reload()
}

/** Loads the operator's pages when they are opened. The server checks the permission again. */
export function Operator() {
  const isAllowed = can('admin')
  useEffect(() => {
    if (isAllowed && Part.value === undefined) load()
  }, [isAllowed])
  const isWaiting = isRefusal(problem.value, 0)
  useEffect(() => (isWaiting ? whenReached(load) : undefined), [isWaiting])
  if (user.value === undefined) return <WaitForUser title="Operator" what="the page" />
  if (!isAllowed) return <NotAllowed title="Operator" />
  if (problem.value) return <Failed title="Operator" error={problem.value} retry={load} />
  const Pages = Part.value
  return Pages ? <Pages /> : <Loading title="Operator" what="the page" />
}
