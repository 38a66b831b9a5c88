import { signal } from '@preact/signals'
import { base } from '../router'
import { Table } from './parts'

type Route = { name: string; count: number; seconds: number; buckets: Map<number, number> }
const routes = signal<readonly Route[]>([])

const LINE = /^redlight_http_request_duration_seconds_(bucket|sum|count)\{(.*)\} (\S+)$/
const LABEL = /(\w+)="([^"]*)"/g

/** Reads the histogram of /metrics by method and route; empty if METRICS_NETWORKS hides it. */
export async function readRoutes() {
  const answer = await fetch(`${base}/metrics`).catch(() => undefined)
  routes.value = answer?.ok ? routesOf(await answer.text()) : []
}

function routesOf(text: string): Route[] {
  const found = new Map<string, Route>()
  for (const line of text.split('\n')) {
    const [, kind, labelText = '', value] = LINE.exec(line) ?? []
    if (kind === undefined) continue
    const labels = Object.fromEntries(
      [...labelText.matchAll(LABEL)].map(([, name = '', label = '']) => [name, label]),
    )
    const name = `${labels.method} ${labels.route}`
    const route = found.get(name) ?? { name, count: 0, seconds: 0, buckets: new Map() }
    found.set(name, route)
    if (kind === 'count') route.count += Number(value)
    else if (kind === 'sum') route.seconds += Number(value)
    else {
      const bound = Number(labels.le?.replace('+Inf', 'Infinity'))
      route.buckets.set(bound, (route.buckets.get(bound) ?? 0) + Number(value))
    }
  }
  return [...found.values()].filter(({ count }) => count > 0).sort((a, b) => b.count - a.count)
}

/** The bound in ms within which this share of requests was answered. */
function within({ count, buckets }: Route, share: number): string {
  const bounds = [...buckets].sort(([a], [b]) => a - b)
  const bound = bounds.find(([, n]) => n >= count * share)?.[0] ?? Number.POSITIVE_INFINITY
  return Number.isFinite(bound) ? ms(bound * 1000) : `over ${ms((bounds.at(-2)?.[0] ?? 0) * 1000)}`
}
const ms = (value: number) => value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 2 : 0 })

export function Routes() {
  if (routes.value.length === 0) return null
  return (
    <section class="routes">
      <h2>Since the start, by route</h2>
      <Table
        label="Since the start, by route"
        columns={['Route', 'Requests', 'Average ms', '95 % within ms', '99 % within ms']}
        isBusy={false}
      >
        {routes.value.map((route) => (
          <tr key={route.name}>
            <th scope="row">{route.name}</th>
            <td>{route.count.toLocaleString('en')}</td>
            <td>{ms((route.seconds / route.count) * 1000)}</td>
            <td>{within(route, 0.95)}</td>
            <td>{within(route, 0.99)}</td>
          </tr>
        ))}
      </Table>
    </section>
  )
}
